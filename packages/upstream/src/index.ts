export { createUpstream } from './create-upstream.ts'
export type { OwnedUpstream } from './create-upstream.ts'
