import type { Timeouts, UpstreamBody, UpstreamRequest } from '@millrace/core'

/** Longer than any test takes. */
const PATIENT: Timeouts = { connect: 20_000, firstByte: 20_000, idle: 20_000, total: 20_000 }

/** A request with a small body and long limits, but for what is said. */
export function toRequest(
  url: URL,
  changes: Partial<UpstreamRequest> & { limits?: Partial<Timeouts> } = {},
): UpstreamRequest {
  const { limits, ...rest } = changes
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{}'),
    timeouts: { ...PATIENT, ...limits },
    requestId: 'test',
    signal: new AbortController().signal,
    ...rest,
  }
}

/** All of a body. */
export async function readAll(body: UpstreamBody): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body))
}
