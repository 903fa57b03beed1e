import { constants, crc32, deflateRawSync } from 'node:zlib'

/** Magic number, deflate, no flags, no time, no extra flags, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])

/** One gzip member over all pieces, flushed behind each of them, so that each can be read as soon as it has come. */
export function* gzipped(pieces: Iterable<Buffer>): Generator<Buffer> {
  let checksum = 0
  let length = 0
  let last: Buffer | undefined
  let packed = HEADER
  yield HEADER
  for (const piece of pieces) {
    // Filling is the same buffer again and again, and need not be packed each time.
    if (piece !== last) packed = deflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH })
    last = piece
    checksum = crc32(piece, checksum)
    length += piece.length
    yield packed
  }
  const trailer = Buffer.alloc(10)
  trailer[0] = 3 // the last, empty block of the deflate stream
  trailer.writeUInt32LE(checksum, 2)
  trailer.writeUInt32LE(length % 2 ** 32, 6)
  yield trailer
}
