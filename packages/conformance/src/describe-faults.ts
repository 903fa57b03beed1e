import { GatewayError, type FailureCode } from '@millrace/core'
import { expect, test } from 'vitest'
import { FRAMINGS } from './framings.ts'
import { createReplay, type ReplayedReply, type Replay } from './replay.ts'
import { HEAD, readOutcome, type Outcome, type Subject } from './subject.ts'
import { breachesOf } from './stream-contract.ts'
import type { Fixture } from './fixtures.ts'

/** Secrets of the kinds that upstreams repeat, each obviously made up. */
const PLANTED = ['sk-planted-0123456789abcdef', 'planted-user:planted-password', 'eyJwbGFudGVk.cGxhbnRlZA.cGxhbnRlZA']

const MEBIBYTE = 1024 * 1024
const MAX_MESSAGE_BYTES = 2048
/** One network read. */
const READ_BYTES = 64 * 1024

interface Fault {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  readonly code: FailureCode
  readonly retryAfterMs?: number
}

function toFaults(secrets: readonly string[]): Readonly<Record<string, Fault>> {
  const words = `for Bearer ${PLANTED[0]} at https://${PLANTED[1]}@example.com/?key=${PLANTED[2]} ${secrets.join(' ')}`
  const json = (type: string): string =>
    JSON.stringify({ error: { message: `No luck ${words}\n<b>now</b>`, type, param: null, code: null } })
  const page = `<!doctype html>\n<html><head><title>Bad gateway</title></head><body>${words}</body></html>`
  const html = { 'content-type': 'text/html' }
  return {
    'a refused key': { status: 401, body: json('authentication_error'), code: 'upstream_auth_failed' },
    'a forbidden model': { status: 403, body: json('permission_error'), code: 'upstream_auth_failed' },
    'a rate limit': {
      status: 429,
      headers: { 'retry-after': '7' },
      body: json('rate_limit_error'),
      code: 'rate_limit_exceeded',
      retryAfterMs: 7000,
    },
    'a fault of the server': { status: 500, body: json('server_error'), code: 'upstream_error' },
    'an overloaded server': { status: 503, body: json('overloaded_error'), code: 'upstream_overloaded' },
    'a web page with an error status': { status: 502, headers: html, body: page, code: 'upstream_error' },
    'a web page': { status: 200, headers: html, body: page, code: 'upstream_bad_response' },
    'a web page that calls itself a stream': { status: 200, body: page, code: 'upstream_bad_response' },
    'an error status and no body': { status: 500, body: '', code: 'upstream_error' },
    nothing: { status: 200, body: '', code: 'upstream_bad_response' },
    'no content': { status: 204, body: '', code: 'upstream_bad_response' },
    'a redirect': {
      status: 302,
      headers: { location: 'http://169.254.169.254/latest/' },
      body: page,
      code: 'upstream_bad_response',
    },
  }
}

/** The same bytes in every read, `limit` of them at most, so that they are held once whatever is made of them. */
function* endless(begin: string, limit: number): Generator<Buffer> {
  yield Buffer.from(begin)
  const read = Buffer.alloc(READ_BYTES, 0x78)
  for (let sent = 0; sent < limit; sent += READ_BYTES) yield read
}

/** The tests of what an upstream may answer in place of an answer. */
export function describeFaults(subject: Subject, fixture: Fixture): void {
  const { bytes, headers, format } = fixture.response!
  const isStream = format === 'sse'

  async function run(reply: ReplayedReply): Promise<Outcome & { readonly replay: Replay }> {
    const replay = createReplay(reply)
    return { ...(await readOutcome(subject.chat(subject.open(replay), fixture))), replay }
  }

  /** A failure, fit to be shown. */
  function expectFailure(failure: unknown): asserts failure is GatewayError {
    if (!(failure instanceof GatewayError)) throw failure ?? new Error('It did not fail.')
    const shown = JSON.stringify(failure.toBody())
    for (const secret of [...PLANTED, ...subject.secrets]) expect(shown).not.toContain(secret)
    expect(failure.message).not.toMatch(/<\/?[a-z!]|[\n\r]/i)
    expect(failure.message).not.toBe('')
    expect(Buffer.byteLength(failure.message)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
  }

  test.for(Object.entries(toFaults(subject.secrets)))(
    '%s',
    async ([, { status, headers, body, code, retryAfterMs }]) => {
      const reply = { status, headers: headers ?? { 'content-type': 'application/json' }, reads: [Buffer.from(body)] }
      const { frames, failure, replay } = await run(reply)
      expectFailure(failure)
      expect(failure).toMatchObject({ code, retryAfterMs })
      expect(frames).toEqual([])
      expect(replay.connected).toBe(false)

      // A list of models fails alike, where the upstream is asked for it.
      const listing = createReplay(reply)
      const listed = await subject
        .open(listing)
        .models(new AbortController().signal)
        .catch((error: unknown) => error)
      if (listing.asked.length > 0) expectFailure(listed)
      expect(listing.connected).toBe(false)
    },
  )

  test('aborted before it is answered, it fails with the reason', async () => {
    const replay = createReplay(undefined)
    const aborting = new AbortController()
    const outcome = readOutcome(subject.chat(subject.open(replay), fixture, { signal: aborting.signal }))
    await replay.exhausted
    const reason = new GatewayError('gateway_shutdown', 'Enough.')
    aborting.abort(reason)
    expect(await outcome).toEqual({ frames: [], failure: reason })
    expect(replay.connected).toBe(false)
  })

  test.runIf(isStream)('what cannot be understood in the middle of the answer', async () => {
    const lines = FRAMINGS['LF']!(bytes)
    const middle = lines.indexOf('\n\n', lines.length / 2) + 2
    const corrupt = Buffer.from(`data: {"${PLANTED[0]}\n\n`)
    const reads = [lines.subarray(0, middle), corrupt, lines.subarray(middle)]
    const { frames, failure, replay } = await run({ headers, reads })
    expectFailure(failure)
    expect(failure.code).toBe('upstream_malformed')
    expect(breachesOf(frames, { head: HEAD, whole: false })).toEqual([])
    expect(replay.connected).toBe(false)
  })

  const SILENT_LINES = [': ', 'x']
  test.runIf(isStream).for(SILENT_LINES)('an endless line that says nothing, behind "%s", is not kept', async begin => {
    const before = process.memoryUsage().arrayBuffers
    let grown = Infinity
    function* reads(): Generator<Buffer> {
      yield* endless(begin, 64 * MEBIBYTE)
      grown = process.memoryUsage().arrayBuffers - before
      yield Buffer.from('\n\n')
      yield bytes
    }
    const { failure } = await run({ headers, reads: reads() })
    expect(failure).toBeUndefined()
    expect(grown).toBeLessThan(16 * MEBIBYTE)
  })

  const STREAM = { 'content-type': 'text/event-stream' }
  const ENDLESS: Readonly<
    Record<string, { readonly reply: Omit<ReplayedReply, 'reads'>; begin: string; maxBytes: number }>
  > = {
    'an endless event': { reply: { headers: STREAM }, begin: 'data: {"x":"', maxBytes: 17 * MEBIBYTE },
    'an endless document': {
      reply: { headers: { 'content-type': 'application/json' } },
      begin: '{"x":"',
      maxBytes: 65 * MEBIBYTE,
    },
    'an endless report of a failure': { reply: { status: 500 }, begin: '{"error":"', maxBytes: MEBIBYTE },
  }
  test.for(Object.entries(ENDLESS))('%s is not read to its end', async ([, { reply, begin, maxBytes }]) => {
    const { failure, replay } = await run({ ...reply, reads: endless(begin, 80 * MEBIBYTE) })
    expectFailure(failure)
    expect(replay.reads * READ_BYTES).toBeLessThanOrEqual(maxBytes + 2 * READ_BYTES)
    expect(replay.connected).toBe(false)
  })

  test('an answer that nobody reads on is not read ahead', async () => {
    const replay = createReplay({ headers, reads: Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)) })
    const frames = subject.chat(subject.open(replay), fixture)[Symbol.asyncIterator]()
    await frames.next()
    const taken = replay.reads
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(replay.reads).toBe(taken)
    await frames.return?.()
  })
}
