import { isObject, UpstreamError, type Model } from '@millrace/core'
import { toUrl, type Service } from './ask.ts'
import { readJson } from './read-json.ts'

const MAX_BYTES = 4 * 1024 * 1024

/**
 * The models that an OpenAI-like service lists: of `{ data: [{ id }] }`, or of a bare list, those entries that have an id.
 * @throws {UpstreamError} what it reports, or `upstream_bad_response` where it lists nothing of the kind
 */
export async function readModels(service: Service, signal: AbortSignal): Promise<readonly Model[]> {
  const reply = await service.upstream.request({
    method: 'GET',
    url: toUrl(service.baseUrl, 'models'),
    headers: { ...service.headers, accept: 'application/json' },
    timeouts: service.timeouts,
    requestId: 'models',
    signal,
  })
  const value = await readJson(reply, MAX_BYTES).catch(withAdvice)
  const list = isObject(value) ? value['data'] : value
  if (!Array.isArray(list)) {
    throw new UpstreamError('upstream_bad_response', 'The upstream answered with no list of models.')
  }
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

function withAdvice(error: unknown): never {
  if (!(error instanceof UpstreamError) || error.upstreamStatus !== 404) throw error
  const message = 'The upstream has no list of models at this address: is the base URL right?'
  throw new UpstreamError('upstream_bad_response', message, { upstreamStatus: 404, cause: error })
}
