import { readService } from '../service/state.ts'
import type { Readings, ServiceState } from '../service/state.ts'
import type { Stats } from '../stats.ts'
import type { Call } from './calls.ts'
import type { Client } from './clients.ts'
import type { AmazonQTypes, ServiceSettings, World } from './world.ts'

/** All that can be known of the simulator of Amazon Q from outside. */
export interface AmazonQState extends ServiceState<AmazonQTypes> {
  /** The last 1,000 requests to operations. */
  readonly calls: readonly Readonly<Call>[]
  readonly clients: readonly Readonly<Client>[]
  readonly service: Readonly<ServiceSettings>
}

export function readState(world: World, stats: Stats): Readings<AmazonQState> {
  return {
    ...readService<AmazonQTypes>(world, stats),
    calls: world.calls.all,
    clients: world.clients.all,
    service: () => world.service,
  }
}
