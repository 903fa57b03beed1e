import { GatewayError, UpstreamError, type FailureCode } from '@millrace/core'

const REFUSED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EACCES',
])
const UNTRUSTED = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO)/
const UNREADABLE = /^(?:UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES)/

/** Whether what came is not the HTTP that it should be. Some of undici's errors say so in their names or words alone. */
function isUnreadable({ name, message }: Error, code: string): boolean {
  return name === 'HTTPParserError' || UNREADABLE.test(code) || /^bad (?:response|upgrade)$/.test(message)
}

function classify(error: Error, code: string, answered: boolean): [FailureCode, string] {
  if (REFUSED.has(code)) return ['connect_failed', 'No connection to the upstream']
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return ['connect_timeout', 'The upstream did not accept a connection in time']
  if (UNTRUSTED.test(code)) return ['tls_error', 'No trusted connection to the upstream']
  if (isUnreadable(error, code)) return ['upstream_bad_response', 'The upstream did not answer in valid HTTP']
  if (answered) return ['upstream_truncated', 'The connection to the upstream broke in the middle of its answer']
  return ['connect_failed', 'The upstream closed the connection before it answered']
}

/** What went wrong on a connection, as undici and Node report it, as an error with a code of ours. */
export function toConnectionFailure(error: Error, answered: boolean): GatewayError {
  if (error instanceof GatewayError) return error
  const { code } = error as NodeJS.ErrnoException
  const [failure, words] = classify(error, code ?? '', answered)
  return new UpstreamError(failure, code === undefined ? `${words}.` : `${words} (${code}).`, { cause: error })
}
