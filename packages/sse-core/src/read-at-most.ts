import { UpstreamError, type UpstreamBody } from '@millrace/core'

/** Up to `limit` bytes of a body, whatever becomes of the rest: a body that breaks off has still said something. */
export async function readAtMost(body: UpstreamBody, limit: number): Promise<Buffer> {
  const reads: Buffer[] = []
  let length = 0
  try {
    for await (const read of body) {
      reads.push(read)
      length += read.length
      if (length >= limit) break
    }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
  }
  return Buffer.concat(reads).subarray(0, limit)
}
