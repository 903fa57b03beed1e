import { createHash } from 'node:crypto'
import { GatewayError } from '@millrace/core'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'

/**
 * Lets a request in that brings one of the keys, before its body is read. Keys are compared by their hashes, so that
 * how long it takes tells nothing about them. Without keys everybody is let in.
 */
export function createAuthHook(keys: readonly string[]): onRequestHookHandler {
  const known = new Set(keys.map(hash))
  return (request, _reply, done) => {
    if (known.size === 0) return done()
    const key = keyOf(request)
    if (key === undefined) {
      return done(
        new GatewayError('invalid_api_key', 'No API key was given. Send it as `Authorization: Bearer KEY`.') as Error,
      )
    }
    return done(
      known.has(hash(key)) ? undefined : new GatewayError('invalid_api_key', 'The API key is not one of this gateway.'),
    )
  }
}

/** The key, wherever clients put it: Bearer, or the headers of Anthropic's and Azure's SDKs. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1]
  const others = [headers['x-api-key'], headers['api-key']].find(value => typeof value === 'string' && value !== '')
  return bearer ?? (others as string | undefined)
}

function hash(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
