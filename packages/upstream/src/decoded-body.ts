import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { GatewayError, UpstreamError, type UpstreamBody } from '@millrace/core'
import type { ReplyBody } from './reply-body.ts'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/**
 * The body without its content encoding, for the servers that compress although asked not to. What is read from it stays
 * bounded: nothing is decoded ahead of the reader.
 * @throws {UpstreamError} `upstream_bad_response` for encodings we do not know and for several on top of each other
 */
export function decodedBody(body: ReplyBody, encoding: string): UpstreamBody {
  const createDecoder = DECODERS[encoding.trim().toLowerCase()]
  if (createDecoder === undefined) {
    throw new UpstreamError(
      'upstream_bad_response',
      'The upstream compressed its answer in a way that was not asked for.',
    )
  }
  return {
    endWithin: ms => body.endWithin(ms),
    async *[Symbol.asyncIterator]() {
      const decoder = createDecoder()
      let broken: Error | undefined
      pipeline(Readable.from(body, { objectMode: true, highWaterMark: 1 }), decoder, error => {
        broken = error ?? undefined
      })
      try {
        yield* decoder as AsyncIterable<Buffer>
      } catch (error) {
        const cause = broken ?? error
        if (cause instanceof GatewayError) throw cause
        throw new UpstreamError('upstream_malformed', 'The upstream sent compressed data that cannot be read.', {
          cause,
        })
      } finally {
        body.leave()
      }
    },
  }
}
