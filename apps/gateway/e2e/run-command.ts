import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** What the test itself was started with must not reach what it tests, but for these. */
const PASSED_ON = ['PATH', 'HOME'] as const

type Environment = Readonly<Record<string, string>>

export interface RunningCommand extends AsyncDisposable {
  /** All that was written so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** The first match in what is written, past or to come. @throws {Error} the command ended without it */
  seen(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: NodeJS.Signals): void
  /** Exit code, or the signal that ended it, when all that it wrote has been read. */
  readonly exited: Promise<number | NodeJS.Signals>
}

export interface CommandOptions {
  readonly cwd?: string
  /** Beside `PATH` and `HOME`, or instead of them. */
  readonly env?: Environment
}

/** A command without standard input. When it is disposed of it is killed, and with it all that it has started. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const passedOn = Object.fromEntries(PASSED_ON.map(name => [name, process.env[name]]))
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...passedOn, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that all of it can be killed.
    detached: true,
  })
  let [stdout, stderr] = ['', '']
  const waiting = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    for (const check of waiting) check()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const check of waiting) check()
  })
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)

  return {
    stdout: () => stdout,
    stderr: () => stderr,
    seen(pattern) {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
      function check(): void {
        const match = pattern.exec(stdout) ?? pattern.exec(stderr)
        if (match === null) return
        waiting.delete(check)
        resolve(match)
      }
      waiting.add(check)
      check()
      const words = (): string => `It ended without ${pattern}.\n${stdout}\n${stderr}`
      exited.then(() => reject(new Error(words())), reject)
      return promise
    },
    signal: name => void child.kill(name),
    exited,
    async [Symbol.asyncDispose]() {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
      // That it could not be started was told to whoever waited for something of it.
      await exited.catch(() => undefined)
    },
  }
}

/** The command line of the gateway. */
export function runMillrace(args: readonly string[], env: Environment = {}): RunningCommand {
  return runCommand(process.execPath, [MAIN, ...args], { env })
}
