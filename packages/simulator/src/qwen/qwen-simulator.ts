import { startService } from '../service/start-service.ts'
import type { ServiceSimulator } from '../service/start-service.ts'
import type { SimulatorOptions } from '../simulator.ts'
import { QWEN_COMMANDS } from './commands.ts'
import { createControl } from './control.ts'
import type { QwenControl } from './control.ts'
import { createQwenHandler } from './handler.ts'
import { findScript } from './scripts.ts'
import { SITES } from './sites.ts'
import { readState } from './state.ts'
import type { QwenState } from './state.ts'
import { createWorld } from './world.ts'

/**
 * `apiKey`: where given, no other key is good. `defaultScenario`: what requests get that ask for nothing, as a wish:
 * `script=reasoning&words=5`.
 */
export type QwenSimulatorOptions = SimulatorOptions

export interface QwenSimulator extends ServiceSimulator<QwenState, QwenControl> {
  /**
   * Where each host is: `auth` and `portal`, `singapore/payg`, `beijing/coding` and so on. With the path that APIs have
   * there: `baseUrls.portal + '/chat/completions'`.
   */
  readonly baseUrls: Readonly<Record<string, string>>
}

/**
 * Starts the Qwen upstreams, all of them on one port, on loopback unless another host is named.
 * @throws {OptionError} `defaultScenario` makes no sense
 * @throws {Error} the port cannot be had
 */
export async function startQwenSimulator(options: QwenSimulatorOptions = {}): Promise<QwenSimulator> {
  const simulator = await startService(
    { findScript, createWorld, readState, createControl, commands: QWEN_COMMANDS, createHandler: createQwenHandler },
    options,
  )
  const { url } = simulator
  const baseUrls = Object.fromEntries(
    SITES.map(({ kind, name, base }) => [name, kind === 'auth' ? url : `${url}/${name}${base}`]),
  )
  return { ...simulator, baseUrls }
}
