import { listen } from '../listen.ts'
import type { SimulatorOptions } from '../simulator.ts'
import { createStats } from '../stats.ts'
import type { Stats } from '../stats.ts'
import { createWaiting } from '../waiting.ts'
import { createControl } from './control.ts'
import type { AmazonQControl } from './control.ts'
import { createAmazonQHandler } from './handler.ts'
import { findScript } from './scripts.ts'
import { createState } from './state.ts'
import type { AmazonQState } from './state.ts'
import { createWorld } from './world.ts'

/**
 * `apiKey`: where given, no other bearer is good, issued tokens excepted. `defaultScenario`: what requests get that ask
 * for nothing, as a wish: `script=reasoning&words=5`.
 */
export type AmazonQSimulatorOptions = SimulatorOptions

export interface AmazonQSimulator extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, which is the service in both flavours and the services where people sign in. */
  readonly url: string
  readonly port: number
  readonly control: AmazonQControl
  readonly stats: Stats
  /** Always up to date. */
  readonly state: AmazonQState
  /** Resolves when the predicate holds, which is asked at each change. Rejects when the simulator closes first. */
  when(predicate: (state: AmazonQState) => boolean): Promise<void>
  /** Closes every connection, whatever happens on it, and resolves when none is left. */
  close(): Promise<void>
}

/**
 * Starts Amazon Q and its sign-in, on one port, on loopback unless another host is named.
 * @throws {OptionError} `defaultScenario` makes no sense
 * @throws {Error} the port cannot be had
 */
export async function startAmazonQSimulator(options: AmazonQSimulatorOptions = {}): Promise<AmazonQSimulator> {
  const { apiKey, defaultScenario = '', log } = options
  findScript(defaultScenario)
  const world = createWorld(defaultScenario, apiKey)
  const recorder = createStats(changed)
  const state = createState(world, recorder.stats)
  const waiting = createWaiting(state)
  function changed(): void {
    waiting.changed()
  }
  const control = createControl(world, recorder.reset, changed)
  const { origin, port, close } = await listen(
    createAmazonQHandler({ world, recorder, state, control, log, changed }),
    options,
    recorder,
  )
  world.origin = origin

  async function shut(): Promise<void> {
    await close()
    waiting.close()
  }

  return {
    url: origin,
    port,
    control,
    stats: recorder.stats,
    state,
    when: waiting.when,
    close: shut,
    [Symbol.asyncDispose]: shut,
  }
}
