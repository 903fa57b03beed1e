import { listen } from '../listen.ts'
import type { SimulatorOptions } from '../simulator.ts'
import { createStats } from '../stats.ts'
import type { Stats } from '../stats.ts'
import { createWaiting } from '../waiting.ts'
import type { Commands } from './commands.ts'
import { createListener } from './listener.ts'
import type { ServiceHandler } from './listener.ts'
import { ownRoutes } from './own-routes.ts'
import { toState } from './state.ts'
import type { Readings } from './state.ts'

/** The simulator of a service that runs. */
export interface ServiceSimulator<State, Control> extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  readonly control: Control
  readonly stats: Stats
  /** Always up to date. */
  readonly state: State
  /** Resolves when the predicate holds, which is asked at each change. Rejects when the simulator closes first. */
  when(predicate: (state: State) => boolean): Promise<void>
  /** Closes every connection, whatever happens on it, and resolves when none is left. */
  close(): Promise<void>
}

/** What makes a service. */
interface Service<World, State, Control> {
  /** @throws {OptionError} the wish makes no sense */
  readonly findScript: (wish: string) => unknown
  readonly createWorld: (defaultWish: string, apiKey: string | undefined) => World
  readonly readState: (world: World, stats: Stats) => Readings<State>
  readonly createControl: (world: World, resetNumbers: () => void) => Control
  readonly commands: Commands<Control>
  readonly createHandler: (world: World) => ServiceHandler
}

/**
 * Starts a service, on loopback unless another host is named.
 * @throws {OptionError} `defaultScenario` makes no sense
 * @throws {Error} the port cannot be had
 */
export async function startService<World extends { origin: string }, State extends object, Control extends object>(
  { findScript, createWorld, readState, createControl, commands, createHandler }: Service<World, State, Control>,
  options: SimulatorOptions,
): Promise<ServiceSimulator<State, Control>> {
  const { apiKey, defaultScenario = '', log } = options
  findScript(defaultScenario)
  const world = createWorld(defaultScenario, apiKey)
  const recorder = createStats(changed)
  const state = toState(readState(world, recorder.stats))
  const waiting = createWaiting(state)
  function changed(): void {
    waiting.changed()
  }
  const control = telling(createControl(world, recorder.reset), changed)
  const own = ownRoutes({ recorder, state, control, commands })
  const listener = createListener({ handler: createHandler(world), own, recorder, log, changed })
  const { origin, port, close } = await listen(listener, options, recorder)
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

/** The same functions, which call `changed` once they have done what they do. */
function telling<Control extends object>(control: Control, changed: () => void): Control {
  const acts = Object.entries(control as Record<string, (argument: unknown) => unknown>)
  const told = acts.map(([name, act]) => [
    name,
    (argument: unknown) => {
      const result = act(argument)
      changed()
      return result
    },
  ])
  return Object.fromEntries(told) as Control
}
