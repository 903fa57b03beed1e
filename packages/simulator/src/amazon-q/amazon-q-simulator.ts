import { startService } from '../service/start-service.ts'
import type { ServiceSimulator } from '../service/start-service.ts'
import type { SimulatorOptions } from '../simulator.ts'
import { AMAZON_Q_COMMANDS } from './commands.ts'
import { createControl } from './control.ts'
import type { AmazonQControl } from './control.ts'
import { createAmazonQHandler } from './handler.ts'
import { findScript } from './scripts.ts'
import { readState } from './state.ts'
import type { AmazonQState } from './state.ts'
import { createWorld } from './world.ts'

/**
 * `apiKey`: where given, no other bearer is good, issued tokens excepted. `defaultScenario`: what requests get that ask
 * for nothing, as a wish: `script=reasoning&words=5`.
 */
export type AmazonQSimulatorOptions = SimulatorOptions

/** Its `url` is the service in both flavours and the services where people sign in. */
export type AmazonQSimulator = ServiceSimulator<AmazonQState, AmazonQControl>

/**
 * Starts Amazon Q and its sign-in, on one port, on loopback unless another host is named.
 * @throws {OptionError} `defaultScenario` makes no sense
 * @throws {Error} the port cannot be had
 */
export function startAmazonQSimulator(options: AmazonQSimulatorOptions = {}): Promise<AmazonQSimulator> {
  return startService(
    {
      findScript,
      createWorld,
      readState,
      createControl,
      commands: AMAZON_Q_COMMANDS,
      createHandler: createAmazonQHandler,
    },
    options,
  )
}
