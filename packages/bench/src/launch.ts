import { fork, spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Launched {
  readonly pid: number
  /** Rejects when the process ends without having been stopped. */
  readonly died: Promise<never>
  /** Resolves when it has ended. */
  stop(): Promise<void>
}

interface Running extends Launched {
  kill(): void
}

const running = new Set<Running>()

// However this process ends, the others end with it.
process.on('exit', () => {
  for (const { kill } of running) kill()
})

/** Stops all that was launched. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(({ stop }) => stop()))
}

/** Starts a program, which `signal` ends together with all that it started. */
export function launch(
  command: string,
  args: readonly string[],
  options: { readonly stdio: StdioOptions; readonly env?: NodeJS.ProcessEnv; readonly signal?: NodeJS.Signals },
): Promise<Launched> {
  const { signal = 'SIGKILL', ...others } = options
  return watch(command, spawn(command, args, others), signal)
}

type Calls = Readonly<Record<string, (input: never) => unknown>>

/** One of our own processes, which does what it is asked for. */
export interface Worker<Answers extends Calls> extends Launched {
  /** @throws {Error} what the other side threw, or that it has ended */
  call<Name extends keyof Answers & string>(
    name: Name,
    input: Parameters<Answers[Name]>[0],
  ): Promise<Awaited<ReturnType<Answers[Name]>>>
}

interface Question {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** Starts one of our own files, which has to call {@link answerCalls}. */
export async function launchWorker<Answers extends Calls>(file: URL): Promise<Worker<Answers>> {
  const path = fileURLToPath(file)
  const child = fork(path, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
  const launched = await watch(path, child, 'SIGKILL')
  const open = new Map<number, (answer: Answer) => void>()
  let count = 0
  child.on('message', message => {
    const answer = message as Answer
    open.get(answer.id)?.(answer)
    open.delete(answer.id)
  })
  return {
    ...launched,
    async call(name, input) {
      const id = ++count
      const answered = new Promise<Answer>(resolve => open.set(id, resolve))
      child.send({ id, name, input } satisfies Question)
      const { result, error } = await Promise.race([answered, launched.died])
      if (error !== undefined) throw new Error(error)
      return result as never
    },
  }
}

/** The other side of {@link launchWorker}: ends the process when the one that started it is gone. */
export function answerCalls(calls: Calls): void {
  process.on('disconnect', () => process.exit())
  process.on('message', (message: unknown) => {
    const { id, name, input } = message as Question
    const reply = (answer: Omit<Answer, 'id'>): void => void process.send?.({ id, ...answer })
    const call = calls[name] as (input: unknown) => unknown
    new Promise(resolve => resolve(call(input))).then(
      result => reply({ result }),
      (error: Error) => reply({ error: error.message }),
    )
  })
}

async function watch(name: string, child: ChildProcess, signal: NodeJS.Signals): Promise<Launched> {
  await once(child, 'spawn')
  let isStopped = false
  const { promise: died, reject } = Promise.withResolvers<never>()
  died.catch(() => undefined) // who waits for nothing of it is told by what they do next
  const kill = (): boolean => child.kill(signal)
  const ended = new Promise<void>(resolve => {
    child.once('exit', (code, killedBy) => {
      running.delete(launched)
      if (!isStopped) reject(new Error(`${name} ended (${killedBy ?? code})`))
      resolve()
    })
  })
  function stop(): Promise<void> {
    isStopped = true
    kill()
    return ended
  }
  const launched = { pid: child.pid!, died, stop, kill }
  running.add(launched)
  return launched
}
