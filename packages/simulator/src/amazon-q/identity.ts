import { checkIdentity } from './accounts.ts'
import type { AmazonQAccount } from './accounts.ts'
import { ServiceError } from './exceptions.ts'
import type { Asked } from './route.ts'
import { verifySignature } from './signature.ts'
import type { World } from './world.ts'

/**
 * Whose request it is, by its bearer.
 * @throws {ServiceError} the bearer is not good, or not good any more
 */
export function bearerAccount(world: World, { bearer, headers }: Asked): AmazonQAccount {
  const account = world.accounts.named(accountName(world, bearer, headers['tokentype']))
  checkIdentity(account)
  return account
}

function accountName({ tokens, onlyBearer }: World, bearer: string, tokenType: unknown): string {
  const issued = tokens.live(bearer)
  if (issued !== undefined) return issued.account
  const isKnown = tokens.accountOf(bearer) !== undefined // which has expired, or was replaced
  const isKey = bearer.startsWith('ksk_')
  const isGood = onlyBearer === undefined ? isKey || bearer.startsWith('aoa-') : bearer === onlyBearer
  if (isKnown || !isGood || isKey !== (tokenType === 'API_KEY')) throw new ServiceError('invalid-token')
  return bearer
}

/**
 * Whose request it is, by its signature.
 * @throws {ServiceError} the signature is not good
 */
export function signedAccount(world: World, asked: Asked): AmazonQAccount {
  const key = verifySignature(asked, id => world.accessKeys.get(id), world.clock.now())
  return world.accounts.named(key.account ?? `iam-${key.accessKeyId}`)
}
