import { validateHeaderValue } from 'node:http'
import { batched, cutOff, split, toFrames, toHttpChunks, trickled } from './framing.ts'
import { gzipped } from './gzip.ts'
import { OptionError } from './options.ts'
import type { Options } from './options.ts'
import type { Answer, Ending } from './scenario.ts'

/** An answer made ready: what is written, and when. */
export interface Plan {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  /** Can be gone through any number of times. */
  readonly writes: Iterable<Buffer>
  /** The writes are chunks of HTTP's chunked coding, to be put on the socket as they are. */
  readonly framed: boolean
  readonly firstMs: number
  readonly firstEventMs: number
  readonly paceMs: number
  /** No two writes in the same turn of the event loop, so that they stay apart on the wire. */
  readonly apart: boolean
  /** Nothing is sent before the ending. */
  readonly headless: boolean
  readonly ending: Ending
}

const MAX_KEPT_WRITES = 20_000
const MAX_KEPT_BYTES = 4 * 1024 * 1024

/**
 * Answer → plan. `framed` says whether the writes may be HTTP chunks; where not, the body goes through the response.
 * @throws {OptionError} a common option has a value that it cannot have, or a header or the status cannot be sent
 */
export function toPlan(answer: Answer, requested: Options, framed: boolean): Plan {
  const options = requested.withDefaults(answer.defaults ?? {})
  const { events, body = '' } = answer
  const bytes = Buffer.from(body)
  const told = events === undefined && answer.chunked !== true
  const inChunks = framed && !told
  const open = events !== undefined && options.text('done') === 'open'

  const make = (): Iterable<Buffer> => {
    let pieces: Iterable<Buffer> = events === undefined ? [bytes] : toFrames(events(), options)
    for (let layer = 0; layer < (answer.gzipLayers ?? 0); layer++) pieces = gzipped(pieces)
    if (options.has('batch')) pieces = batched(pieces, options.number('batch', 1))
    if (answer.recut !== undefined) pieces = answer.recut(pieces)
    if (answer.cutAfter !== undefined) pieces = cutOff(pieces, answer.cutAfter)
    if (answer.trickle !== undefined) pieces = trickled(pieces, answer.trickle)
    if (options.has('split')) pieces = split(pieces, Math.max(1, options.number('split', 1)))
    return inChunks ? toHttpChunks(pieces) : pieces
  }
  const headers = {
    'content-type': options.text(
      'type',
      events === undefined ? 'application/json' : 'text/event-stream; charset=utf-8',
    ),
    ...(events === undefined ? {} : { 'cache-control': 'no-cache' }),
    ...(told && answer.status !== 204 ? { 'content-length': String(bytes.length) } : {}),
    ...(answer.gzipLayers === undefined
      ? {}
      : { 'content-encoding': Array.from({ length: answer.gzipLayers }, () => 'gzip').join(', ') }),
    ...answer.headers,
  }
  const status = answer.status ?? 200
  // All that can be wrong must show now, while it can still be said.
  for (const name of COMMON_NUMBERS) options.number(name, 0)
  checkHead(status, headers)

  return {
    status,
    headers,
    writes: kept(make),
    framed: inChunks,
    firstMs: options.number('first', 0),
    firstEventMs: options.number('firstEvent', 0),
    paceMs: options.number('pace', 0),
    apart: answer.apart === true || options.has('split'),
    headless: answer.headless ?? false,
    ending: answer.ending ?? (open ? 'open' : 'end'),
  }
}

const COMMON_NUMBERS = ['words', 'size', 'prompt', 'pace', 'batch', 'split', 'first', 'firstEvent']

function checkHead(status: number, headers: Plan['headers']): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) throw new OptionError('A status is from 200 to 599.')
  for (const [name, value] of Object.entries(headers)) {
    try {
      for (const one of [value].flat()) validateHeaderValue(name, one)
    } catch (cause) {
      throw new OptionError(`The header ${name} cannot have that value.`, { cause })
    }
  }
}

/**
 * What `make` gives: made here and now, and the same buffers each time, unless that is too much to keep. A plan that
 * is carried out costs nothing but its writes then, however many clients ask at once.
 */
function kept(make: () => Iterable<Buffer>): Iterable<Buffer> {
  const record: Buffer[] = []
  let size = 0
  for (const write of make()) {
    size += write.length
    if (record.push(write) > MAX_KEPT_WRITES || size > MAX_KEPT_BYTES) {
      return { [Symbol.iterator]: () => make()[Symbol.iterator]() }
    }
  }
  return record
}
