import { readService } from '../service/state.ts'
import type { Readings, ServiceState } from '../service/state.ts'
import type { Stats } from '../stats.ts'
import type { QwenTypes, Tier, World } from './world.ts'

/** All that can be known of the simulator of Qwen from outside. */
export interface QwenState extends ServiceState<QwenTypes> {
  readonly tier: Readonly<Tier>
}

export function readState(world: World, stats: Stats): Readings<QwenState> {
  return { ...readService<QwenTypes>(world, stats), tier: () => world.tier }
}
