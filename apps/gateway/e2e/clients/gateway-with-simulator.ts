import { startSimulator, type Simulator } from '@millrace/simulator'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'

/** The key that the gateway wants of its clients. */
export const KEY = 'test-key-of-a-client'
/** The key that the simulator wants of the gateway. */
export const UPSTREAM_KEY = 'test-key-of-the-gateway'

export interface GatewayWithSimulator {
  readonly gateway: RunningGateway
  /** Its numbers begin anew with each test. */
  readonly simulator: Simulator
}

/**
 * The gateway with the simulator behind it as the provider `sim`, each with a key; `config` adds to its configuration.
 * They run while the tests run that stand in the same block as the call, and can be had from then on.
 */
export function gatewayWithSimulator(config: object = {}): GatewayWithSimulator {
  const running = new AsyncDisposableStack()
  let simulator: Simulator
  let gateway: RunningGateway
  // Not before: where all tests are skipped, nothing would end what runs by then.
  beforeAll(async () => {
    simulator = running.use(await startSimulator({ apiKey: UPSTREAM_KEY }))
    const sim = { kind: 'openai', baseUrl: simulator.url, apiKey: UPSTREAM_KEY }
    gateway = running.use(await startGateway({ auth: { keys: [KEY] }, providers: { sim }, ...config }))
  })
  beforeEach(async () => {
    const { ok } = await fetch(new URL('/stats/reset', simulator.url), { method: 'POST' })
    if (!ok) throw new Error('The simulator did not reset its numbers.')
  })
  afterAll(() => running.disposeAsync())
  return {
    get gateway() {
      return gateway
    },
    get simulator() {
      return simulator
    },
  }
}

/**
 * Resolves when an answer that was open upstream has been given up.
 * @param since when the client left, by `performance.now()`
 * @returns how long it took, milliseconds
 */
export async function upstreamClosed(simulator: Simulator, since: number): Promise<number> {
  await simulator.when(stats => stats.streamsOpen === 0 && stats.streamsAborted > 0)
  return simulator.stats.abortedAt! - (performance.timeOrigin + since)
}
