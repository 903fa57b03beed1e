import type { AmazonQState } from '@millrace/simulator'
import { runMillrace } from '../run-command.ts'

/** `millrace simulate amazon-q`, as a process of its own. */
export interface SimulatedAmazonQ extends AsyncDisposable {
  /** The service in both flavours, and the servers where people sign in. */
  readonly url: string
  /** Carries out commands, as `simulate amazon-q --help` lists them, and gives the state after them. */
  control(commands: object): Promise<AmazonQState>
  state(): Promise<AmazonQState>
  /** The first state for which the predicate holds; it is asked for again and again. */
  until(predicate: (state: AmazonQState) => boolean): Promise<AmazonQState>
}

export async function startSimulatedAmazonQ(): Promise<SimulatedAmazonQ> {
  const command = runMillrace(['simulate', 'amazon-q'])
  const [line] = await command.seen(/^\{.*\}$/m)
  const { url } = JSON.parse(line) as { readonly url: string }

  async function ask(init?: RequestInit): Promise<AmazonQState> {
    const response = await fetch(`${url}/control`, init)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as AmazonQState
  }

  return {
    url,
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
