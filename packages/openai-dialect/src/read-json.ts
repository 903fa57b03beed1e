import { parseJson, UpstreamError, type UpstreamReply } from '@millrace/core'
import { parseFailureBody, retryAfterOf, toUpstreamError } from '@millrace/sse-core'

/**
 * The JSON of an answer that is no stream; undefined where it is no JSON.
 * @throws {UpstreamError} what the upstream reports; `upstream_bad_response` for more than `maxBytes`
 */
export async function readJson({ status, headers, body }: UpstreamReply, maxBytes: number): Promise<unknown> {
  const reads: Buffer[] = []
  let length = 0
  for await (const read of body) {
    reads.push(read)
    length += read.length
    if (length > maxBytes) throw new UpstreamError('upstream_bad_response', 'The upstream sent more than can be read.')
  }
  const whole = Buffer.concat(reads)
  if (status !== 200) {
    const retryAfterMs = retryAfterOf(headers, Date.now())
    throw toUpstreamError(parseFailureBody(whole, headers['content-type'] ?? ''), { status, retryAfterMs })
  }
  return parseJson(whole.toString())
}
