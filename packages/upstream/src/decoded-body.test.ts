import { brotliCompressSync, createGzip, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { UpstreamReply } from '@millrace/core'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { createUpstream } from './create-upstream.ts'
import { readAll, toRequest } from './testing/ask.ts'
import { startHttp, type LocalServer } from './testing/local-server.ts'
import type { RequestListener } from 'node:http'

const upstream = createUpstream()
afterAll(() => upstream[Symbol.asyncDispose]())

const TEXT = 'data: {"choices":[]}\n\n'.repeat(5000)

async function serve(listener: RequestListener): Promise<LocalServer> {
  const server = await startHttp(listener)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

async function ask(encoding: string, body: Buffer): Promise<UpstreamReply> {
  const server = await serve((_request, response) =>
    response.writeHead(200, { 'content-encoding': encoding }).end(body),
  )
  return upstream.request(toRequest(server.url))
}

describe('compressed although nobody asked', () => {
  test.each<[encoding: string, compress: (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['identity', text => Buffer.from(text)],
  ])('%s is read', async (encoding, compress) => {
    expect((await readAll((await ask(encoding, compress(TEXT))).body)).toString()).toBe(TEXT)
  })

  test.each(['gzip, gzip', 'gzip,br', 'compress', 'exi', 'gzip, gzip, gzip, gzip, gzip, gzip'])(
    '%s is refused',
    async encoding => {
      await expect(ask(encoding, gzipSync(TEXT))).rejects.toMatchObject({ code: 'upstream_bad_response' })
    },
  )

  test('what is not what it says, or cut short, cannot be read', async () => {
    const packed = gzipSync(TEXT)
    for (const bytes of [Buffer.from(TEXT), packed.subarray(0, packed.length - 20), brotliCompressSync(TEXT)]) {
      await expect(readAll((await ask('gzip', bytes)).body)).rejects.toMatchObject({ code: 'upstream_malformed' })
    }
  })

  test('each piece is there as soon as it has come', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      gzip.write('first')
      // The rest never comes.
      gzip.flush()
    })
    const { body } = await upstream.request(toRequest(server.url))
    for await (const piece of body) {
      expect(piece.toString()).toBe('first')
      break
    }
    // Leaving closes the connection, although nothing more comes that could be refused.
    await server.whenOpen(0)
  })

  test('the failure of the connection is told, not that of the compression', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.write(gzipSync(TEXT).subarray(0, 100))
    })
    const { body } = await upstream.request(toRequest(server.url, { limits: { idle: 100 } }))
    await expect(readAll(body)).rejects.toMatchObject({ code: 'idle_timeout' })
    await server.whenOpen(0)
  })

  test('the reason of a signal too', async () => {
    const leave = new AbortController()
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.write(gzipSync(TEXT).subarray(0, 100))
    })
    const { body } = await upstream.request(toRequest(server.url, { signal: leave.signal }))
    const reading = readAll(body)
    leave.abort()
    await expect(reading).rejects.toMatchObject({ code: 'aborted' })
  })

  test('a quarter of a gigabyte out of little is not decoded ahead of its reader', async () => {
    const zeros = Buffer.alloc(1024 * 1024)
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      for (let left = 256; left > 0; left--) gzip.write(zeros)
      gzip.end()
    })
    const { body } = await upstream.request(toRequest(server.url))
    let read = 0
    for await (const piece of body) {
      expect(piece.length).toBeLessThanOrEqual(64 * 1024)
      read += piece.length
      if (read > 4 * 1024 * 1024) break
    }
    await server.whenOpen(0)
  })
})
