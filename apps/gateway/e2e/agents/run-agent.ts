import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Access, Agent } from './agent.ts'
import { installAgent } from './install-agent.ts'

/** Longer than any of them needs for a task of two requests. */
const PATIENCE_MS = 120_000

/** What became of a task. */
export interface AgentRun extends AsyncDisposable {
  readonly exitCode: number | NodeJS.Signals
  /** Everything it printed. */
  readonly output: string
  /** The folder in which it worked. */
  readonly folder: string
}

/**
 * Gives an agent a task, in an empty folder and with a home of its own, and waits until it has finished, or is killed as it
 * takes too long, milliseconds.
 */
export async function runAgent(
  agent: Agent,
  access: Access,
  prompt: string,
  patienceMs = PATIENCE_MS,
): Promise<AgentRun> {
  const program = await installAgent(agent)
  const root = await mkdtemp(join(tmpdir(), `millrace-${agent.name}-`))
  const home = join(root, 'home')
  const folder = join(root, 'work')
  await mkdir(folder)
  for (const [path, text] of Object.entries({ '.keep': '', ...agent.files?.(access) })) {
    await mkdir(dirname(join(home, path)), { recursive: true })
    await writeFile(join(home, path), text)
  }
  const env = { PATH: process.env['PATH'], HOME: home, ...agent.env(access, home) }

  async function run(args: readonly string[], input = ''): Promise<Pick<AgentRun, 'exitCode' | 'output'>> {
    const command = agent.isScript ? [process.execPath, program, ...args] : [program, ...args]
    const child = spawn(command[0]!, command.slice(1), { cwd: folder, env, timeout: patienceMs, killSignal: 'SIGKILL' })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
    child.stdin.end(input)
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    return { exitCode: code ?? killedBy!, output }
  }

  for (const args of agent.before?.(access) ?? []) await run(args)
  return {
    folder,
    ...(await run(agent.args(access, prompt), agent.readsPrompt && prompt)),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 10 }),
  }
}
