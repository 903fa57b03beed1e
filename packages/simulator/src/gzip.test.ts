import { constants, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gzipped } from './gzip.ts'

const PIECES = ['data: one\n\n', 'data: zwölf\n\n', 'data: zwölf\n\n', ''].map(text => Buffer.from(text))

describe('gzipped', () => {
  it('gives one valid gzip member', () => {
    expect(gunzipSync(Buffer.concat([...gzipped(PIECES)])).toString()).toBe(PIECES.join(''))
  })

  it('can be read up to each piece as soon as it has come', () => {
    const packed = [...gzipped(PIECES)]
    const soFar = Buffer.concat(packed.slice(0, 3))
    const text = gunzipSync(soFar, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
    expect(text).toBe('data: one\n\ndata: zwölf\n\n')
  })

  it('packs the same buffer once', () => {
    const filling = Buffer.alloc(65_536, 'x')
    const [, first, second] = gzipped([filling, filling])
    expect(second).toBe(first)
    expect(gunzipSync(Buffer.concat([...gzipped([filling, filling])])).length).toBe(2 * 65_536)
  })
})
