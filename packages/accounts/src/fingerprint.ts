import { hash } from 'node:crypto'

const LENGTH = 12

/** Tells one secret from another without telling anything of it; for {@link AccountSpec.fingerprint}. */
export function fingerprintOf(secret: string): string {
  return hash('sha256', secret, 'hex').slice(0, LENGTH)
}
