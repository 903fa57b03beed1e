import { GatewayError } from '@millrace/core'
import type { onRequestHookHandler } from 'fastify'

const MAX_URL_BYTES = 8 * 1024
const MAX_HEADERS = 100
const MAX_HEADER_BYTES = 16 * 1024
/** What the parser takes at most, so that it is these limits and their words that are met first. */
export const PARSER_LIMIT_BYTES = 64 * 1024

const JSON_UTF8 = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

/** Refuses by the headers alone what is too long or of a kind that is not read, before anything else looks at it. */
export const limitsHook: onRequestHookHandler = (request, reply, done) => {
  const { raw, headers } = request
  if (headers.host === undefined && raw.httpVersion === '1.1') {
    reply.header('connection', 'close')
    return done(new GatewayError('bad_request', 'The request does not say for which host it is.'))
  }
  if ((raw.url ?? '').length > MAX_URL_BYTES) {
    return done(new GatewayError('uri_too_long', `The URL is longer than ${MAX_URL_BYTES} bytes.`))
  }
  if (raw.rawHeaders.length > 2 * MAX_HEADERS) {
    return done(new GatewayError('headers_too_large', `The request has more than ${MAX_HEADERS} headers.`))
  }
  const bytes = raw.rawHeaders.reduce((sum, text) => sum + text.length, 0)
  if (bytes > MAX_HEADER_BYTES) {
    return done(new GatewayError('headers_too_large', `The headers are longer than ${MAX_HEADER_BYTES} bytes in all.`))
  }
  if (raw.method === 'POST' && !JSON_UTF8.test(headers['content-type'] ?? '')) {
    const got = headers['content-type'] === undefined ? 'no Content-Type' : `"${headers['content-type'].slice(0, 100)}"`
    return done(
      new GatewayError(
        'unsupported_media_type',
        `The body must be \`application/json\` in UTF-8; the request says ${got}.`,
      ),
    )
  }
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    return done(
      new GatewayError('unsupported_media_type', 'Compressed bodies are not read: send it without Content-Encoding.'),
    )
  }
  return done()
}
