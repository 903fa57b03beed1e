import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Ends the process with the one that started it, should that not come to dispose of it. */
const END_WITH_PARENT = "data:text/javascript,process.stdin.resume().once('end',()=>process.exit()).unref()"

export type LogLine = Readonly<Record<string, unknown>>

export interface RunningGateway extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly origin: string
  /** The base URL that clients are given. */
  readonly baseUrl: string
  readonly pid: number
  /** All lines of the log so far. */
  readonly log: readonly LogLine[]
  /** All that was written to standard error so far. */
  readonly errors: () => string
  /** The first line of the log, past or to come, for which the predicate holds. */
  line(predicate: (line: LogLine) => boolean): Promise<LogLine>
  /** The access line of the request with this id (`x-request-id`). */
  access(requestId: string | null): Promise<LogLine>
  signal(name: NodeJS.Signals): void
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
}

/** The real gateway as a process of its own, on a free port, as soon as it listens. */
export async function startGateway(
  config: object,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-e2e-'))
  const file = join(folder, 'millrace.yaml')
  await writeFile(
    file,
    stringify({
      ...config,
      server: { host: '127.0.0.1', port: 0, ...('server' in config ? (config.server as object) : {}) },
    }),
  )
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, MAIN, 'serve', '--config', file], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], MILLRACE_STATE_DIR: folder, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const log: LogLine[] = []
  const waiting = new Set<() => void>()
  let errors = ''
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()))
  createInterface({ input: child.stdout }).on('line', text => {
    log.push(JSON.parse(text) as LogLine)
    for (const check of waiting) check()
  })

  function line(predicate: (line: LogLine) => boolean): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      function check(): void {
        const found = log.find(predicate)
        if (found === undefined) return
        waiting.delete(check)
        resolve(found)
      }
      waiting.add(check)
      check()
      void exited.then(code => reject(new Error(`The gateway ended with ${code} before that line.\n${errors}`)))
    })
  }

  const { msg } = await line(({ msg }) => String(msg).startsWith('Server listening at '))
  const origin = String(msg).slice('Server listening at '.length)
  return {
    origin,
    baseUrl: `${origin}/v1`,
    pid: child.pid!,
    log,
    errors: () => errors,
    line,
    access: requestId => line(entry => entry['msg'] === 'request' && entry['requestId'] === requestId),
    signal: name => void child.kill(name),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true })
    },
  }
}
