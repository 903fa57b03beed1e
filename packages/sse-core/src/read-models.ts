import { UpstreamError, type Model, type Timeouts, type Upstream } from '@millrace/core'
import { isObject, parseJson } from './json.ts'
import { parseFailureBody, toUpstreamError } from './upstream-failure.ts'

const MAX_BYTES = 4 * 1024 * 1024

interface ModelsRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly timeouts: Timeouts
  readonly signal: AbortSignal
}

/**
 * The models that an OpenAI-like service lists: of `{ data: [{ id }] }`, or of a bare list, those entries that have an id.
 * @throws {UpstreamError} what it reports, or `upstream_bad_response` where it lists nothing of the kind
 */
export async function readModels(upstream: Upstream, request: ModelsRequest): Promise<readonly Model[]> {
  const headers = { ...request.headers, accept: 'application/json' }
  const reply = await upstream.request({ ...request, method: 'GET', headers, requestId: 'models' })
  const reads: Buffer[] = []
  let length = 0
  for await (const read of reply.body) {
    reads.push(read)
    length += read.length
    if (length > MAX_BYTES)
      throw new UpstreamError('upstream_bad_response', 'The upstream lists more models than can be read.')
  }
  const body = Buffer.concat(reads)
  if (reply.status === 404) {
    const message = 'The upstream has no list of models at this address: is the base URL right?'
    throw new UpstreamError('upstream_bad_response', message, { upstreamStatus: 404 })
  }
  if (reply.status !== 200) {
    throw toUpstreamError(parseFailureBody(body, reply.headers['content-type'] ?? ''), { status: reply.status })
  }
  const value = parseJson(body.toString())
  const list = isObject(value) ? value['data'] : value
  if (!Array.isArray(list))
    throw new UpstreamError('upstream_bad_response', 'The upstream answered with no list of models.')
  return list.flatMap(entry => {
    if (!isObject(entry) || typeof entry['id'] !== 'string' || entry['id'] === '') return []
    const { id, created, owned_by } = entry
    return [
      {
        id,
        ...(typeof created === 'number' && Number.isInteger(created) ? { created } : undefined),
        ...(typeof owned_by === 'string' ? { owned_by } : undefined),
      },
    ]
  })
}
