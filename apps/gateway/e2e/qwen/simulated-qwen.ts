import type { QwenState } from '@millrace/simulator'
import { runMillrace } from '../run-command.ts'

/** `millrace simulate qwen`, as a process of its own. */
export interface SimulatedQwen extends AsyncDisposable {
  readonly url: string
  /** Where each host is: `auth`, `portal`, `singapore/payg` and so on. */
  readonly baseUrls: Readonly<Record<string, string>>
  /** Carries out commands, as `simulate qwen --help` lists them, and gives the state after them. */
  control(commands: object): Promise<QwenState>
  state(): Promise<QwenState>
}

export async function startSimulatedQwen(): Promise<SimulatedQwen> {
  const command = runMillrace(['simulate', 'qwen'])
  const [line] = await command.seen(/^\{.*\}$/m)
  const { url, baseUrls } = JSON.parse(line) as Pick<SimulatedQwen, 'url' | 'baseUrls'>

  async function ask(init?: RequestInit): Promise<QwenState> {
    const response = await fetch(`${url}/control`, init)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as QwenState
  }

  return {
    url,
    baseUrls,
    control: commands => ask({ method: 'POST', body: JSON.stringify(commands) }),
    state: () => ask(),
    [Symbol.asyncDispose]: () => command[Symbol.asyncDispose](),
  }
}
