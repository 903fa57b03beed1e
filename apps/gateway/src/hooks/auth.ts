import { hash, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '@millrace/core'
import type { onRequestHookHandler } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import type { ClientKey } from '../config/config.ts'

/**
 * Lets a request in that brings one of the keys, before its body is read, and notes whose it is. Keys are compared by
 * their hashes, so that how long it takes tells nothing about them. Without keys everybody is let in.
 */
export function createAuthHook(keys: readonly ClientKey[]): onRequestHookHandler {
  const known = new Map(keys.map(client => [digestOf(client.key).toString('hex'), client]))
  return (request, _reply, done) => {
    if (known.size === 0) return done()
    const key = keyOf(request.headers)
    if (key === undefined) {
      return done(
        new GatewayError('invalid_api_key', 'No API key was given. Send it as `Authorization: Bearer KEY`.') as Error,
      )
    }
    const client = known.get(digestOf(key).toString('hex'))
    if (client === undefined)
      return done(new GatewayError('invalid_api_key', 'The API key is not one of this gateway.'))
    request.caller = client.name
    return done()
  }
}

/** Whether headers bring this very key; how long it takes to say so tells nothing about it. */
export function createKeyCheck(key: string): (headers: IncomingHttpHeaders) => boolean {
  const known = digestOf(key)
  return headers => timingSafeEqual(digestOf(keyOf(headers) ?? ''), known)
}

/** The key, wherever clients put it: Bearer, or the headers of Anthropic's and Azure's SDKs. */
function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1]
  const others = [headers['x-api-key'], headers['api-key']].find(value => typeof value === 'string' && value !== '')
  return bearer ?? (others as string | undefined)
}

function digestOf(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}
