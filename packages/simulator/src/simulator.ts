import { createHandler } from './handler.ts'
import { listen } from './listen.ts'
import { findScenario } from './scenarios.ts'
import { createStats } from './stats.ts'
import type { Stats } from './stats.ts'

export interface SimulatorOptions {
  /** 127.0.0.1 where not given. */
  readonly host?: string | undefined
  /** Where not given, or 0, one that is free. */
  readonly port?: number | undefined
  /** Where given, requests need it as `Authorization: Bearer …`; those for the numbers do not. */
  readonly apiKey?: string | undefined
  /** What a model gets whose name is no scenario, options included; `text` where not given. */
  readonly defaultScenario?: string | undefined
  /** Told about each answer that has ended, in one line. */
  readonly log?: ((line: string) => void) | undefined
}

export interface Simulator extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1` */
  readonly url: string
  readonly port: number
  /** Always up to date. */
  readonly stats: Stats
  /** Resolves when the predicate holds; it is asked whenever a number changes. Rejects when the simulator closes first. */
  when(predicate: (stats: Stats) => boolean): Promise<void>
  /** Closes every connection, whatever happens on it, and resolves when none is left. */
  close(): Promise<void>
}

/**
 * Starts the simulator, on loopback unless another host is named.
 * @throws {OptionError} `defaultScenario` has an option that it cannot have
 * @throws {Error} there is no such scenario, or the port cannot be had
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { apiKey, defaultScenario, log } = options
  findScenario('', defaultScenario)
  const recorder = createStats()
  const { origin, port, close } = await listen(
    createHandler({ recorder, apiKey, defaultScenario, log }),
    options,
    recorder,
  )
  return {
    url: `${origin}/v1`,
    port,
    stats: recorder.stats,
    when: recorder.when,
    close,
    [Symbol.asyncDispose]: close,
  }
}
