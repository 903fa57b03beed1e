import type { AmazonQState, QwenState } from '@millrace/simulator'
import { runMillrace } from './run-command.ts'

interface States {
  readonly qwen: QwenState
  readonly 'amazon-q': AmazonQState
}

/** `millrace simulate SERVICE`, as a process of its own. */
export interface SimulatedService<State> extends AsyncDisposable {
  readonly url: string
  /** Where each host is, of a service that has several: `auth`, `portal`, `singapore/payg` and so on. */
  readonly baseUrls: Readonly<Record<string, string>>
  /** Carries out commands, as `simulate SERVICE --help` lists them, and gives the state after them. */
  control(commands: object): Promise<State>
  state(): Promise<State>
  /** The first state for which the predicate holds; it is asked for again and again. */
  until(predicate: (state: State) => boolean): Promise<State>
}

export type SimulatedQwen = SimulatedService<QwenState>
export type SimulatedAmazonQ = SimulatedService<AmazonQState>

export async function startSimulated<Name extends keyof States>(name: Name): Promise<SimulatedService<States[Name]>> {
  const command = runMillrace(['simulate', name])
  const [line] = await command.seen(/^\{.*\}$/m)
  const { url, baseUrls = {} } = JSON.parse(line) as { url: string; baseUrls?: Readonly<Record<string, string>> }

  async function ask(init?: RequestInit): Promise<States[Name]> {
    const response = await fetch(`${url}/control`, init)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as States[Name]
  }

  return {
    url,
    baseUrls,
    control: commands => ask({ method: 'POST', body: JSON.stringify(commands) }),
    state: () => ask(),
    async until(predicate) {
      for (;;) {
        const state = await ask()
        if (predicate(state)) return state
      }
    },
    [Symbol.asyncDispose]: () => command[Symbol.asyncDispose](),
  }
}
