import { createServiceControl } from '../service/control.ts'
import type { ServiceControl } from '../service/control.ts'
import type { RetryAfterForm } from '../service/retry-after.ts'
import type { ErrorName } from './errors.ts'
import type { KeySettings } from './keys.ts'
import { findScript } from './scripts.ts'
import type { QwenTypes, Tier, World } from './world.ts'

/**
 * What can be done to the simulator of Qwen. Limits are of requests, of the `tokens` of questions a minute (about four
 * characters each) and of the `searches` of the web a day; scripts are for chats and embeddings. Where no error is named,
 * those that are exhausted get `free-quota`, and those that are suspended `arrearage`.
 */
export interface QwenControl extends ServiceControl<QwenTypes> {
  /** Where a key counts, and who pays for it. */
  setKey(key: KeySettings & { readonly key: string }): void
  /** From now on only keys that were set are good. */
  demandKnownKeys(): void
  setTier(tier: Partial<Tier>): void
  /** What those get who ask for the list of models, on all hosts; the list again, where null. */
  setModelList(to: { readonly error: ErrorName | null }): void
  /** How errors of quotas tell until when they hold. */
  setRetryAfter(to: { readonly form: RetryAfterForm }): void
}

export function createControl(world: World, resetNumbers: () => void): QwenControl {
  const usual = { exhausted: 'free-quota', suspended: 'arrearage' } as const
  return {
    ...createServiceControl<QwenTypes>(world, { findScript, usual, resetNumbers }),
    setKey: ({ key, ...settings }) => world.keys.set(key, settings),
    demandKnownKeys: () => world.keys.demandKnown(),
    setTier: tier => void Object.assign(world.tier, tier),
    setModelList({ error }) {
      world.modelListError = error
    },
    setRetryAfter({ form }) {
      world.retryAfter = form
    },
  }
}
