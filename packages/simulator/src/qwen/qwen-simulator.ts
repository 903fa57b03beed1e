import { listen } from '../listen.ts'
import type { SimulatorOptions } from '../simulator.ts'
import { createStats } from '../stats.ts'
import type { Stats } from '../stats.ts'
import { createWaiting } from '../waiting.ts'
import { createControl } from './control.ts'
import type { QwenControl } from './control.ts'
import { createQwenHandler } from './handler.ts'
import { findScript } from './scripts.ts'
import { SITES } from './sites.ts'
import { createState } from './state.ts'
import type { QwenState } from './state.ts'
import { createWorld } from './world.ts'

/**
 * `apiKey`: where given, no other key is good. `defaultScenario`: what requests get that ask for nothing, as a wish:
 * `script=reasoning&words=5`.
 */
export type QwenSimulatorOptions = SimulatorOptions

export interface QwenSimulator extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /**
   * Where each host is: `auth` and `portal`, `singapore/payg`, `beijing/coding` and so on. With the path that APIs have
   * there: `baseUrls.portal + '/chat/completions'`.
   */
  readonly baseUrls: Readonly<Record<string, string>>
  readonly control: QwenControl
  readonly stats: Stats
  /** Always up to date. */
  readonly state: QwenState
  /** Resolves when the predicate holds, which is asked at each change. Rejects when the simulator closes first. */
  when(predicate: (state: QwenState) => boolean): Promise<void>
  /** Closes every connection, whatever happens on it, and resolves when none is left. */
  close(): Promise<void>
}

/**
 * Starts the Qwen upstreams, all of them on one port, on loopback unless another host is named.
 * @throws {OptionError} `defaultScenario` makes no sense
 * @throws {Error} the port cannot be had
 */
export async function startQwenSimulator(options: QwenSimulatorOptions = {}): Promise<QwenSimulator> {
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
    createQwenHandler({ world, recorder, state, control, log, changed }),
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
    baseUrls: Object.fromEntries(
      SITES.map(({ kind, name, base }) => [name, kind === 'auth' ? origin : `${origin}/${name}${base}`]),
    ),
    control,
    stats: recorder.stats,
    state,
    when: waiting.when,
    close: shut,
    [Symbol.asyncDispose]: shut,
  }
}
