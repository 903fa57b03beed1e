/* oxlint-disable vitest/expect-expect, vitest/no-conditional-expect -- the assertions are in functions, made for calling them a hundred thousand times */
import { isUtf8 } from 'node:buffer'
import { GatewayError, UpstreamError, type FailureCode } from '@millrace/core'
import { encodeFrame } from '@millrace/sse-core'
import { array, assert, asyncProperty, nat, tuple } from 'fast-check'
import { expect, test } from 'vitest'
import { parseClientStream } from './client-stream.ts'
import { cutAt, cutAtAll, cutEvery } from './cuts.ts'
import { FRAMINGS } from './framings.ts'
import { breachesOf } from './stream-contract.ts'
import { HEAD, type Outcome } from './subject.ts'
import type { FixtureCase } from './fixture-case.ts'
import type { Response } from './fixtures.ts'

const RANDOM = { numRuns: 30 }

/** The tests that the way in which the bytes travel makes no difference. */
export function describeCuts(
  { fixture, read, readWhole, toText, expectOutcome }: FixtureCase,
  response: Response,
): void {
  const { bytes, format } = response

  test('is the same in two reads, wherever it is cut', async () => {
    const expected = toText((await readWhole()).frames)
    for (let position = 1; position < bytes.length; position++) {
      const outcome = await read(cutAt(bytes, position))
      const isSame = toText(outcome.frames) === expected && outcome.failure === undefined
      // Comparing in full costs more than all else here.
      if (!isSame || fixture.failure !== undefined) at(position, () => expectOutcome(outcome))
    }
  })

  const framings = format === 'sse' ? FRAMINGS : { 'the framing it has': (same: Buffer) => same }
  test.for(Object.entries(framings))('is the same in pieces of any size, with %s', async ([, framing]) => {
    const framed = framing(bytes)
    expectOutcome(await read([framed]))
    expectOutcome(await read(cutEvery(framed, 1)))
    expectOutcome(await read(cutEvery(framed, 3)))
    const positions = array(nat(framed.length), { maxLength: 20 })
    await assert(
      asyncProperty(positions, async positions => expectOutcome(await read(cutAtAll(framed, positions)))),
      RANDOM,
    )
  })
}

/** What an answer may fail with that stops where it should not. */
const CUT_CODES: ReadonlySet<FailureCode> = new Set([
  'upstream_truncated',
  'upstream_malformed',
  'upstream_bad_response',
])

/** The tests that what is not whole, or broken, is never taken for whole. */
export function describeFragments(fixtureCase: FixtureCase, { bytes }: Response): void {
  const { read, readWhole } = fixtureCase

  test('cut short at any byte, it is the beginning of the answer and a failure', async () => {
    const full = await readWhole()
    const judge = createJudge(fixtureCase, full)
    for (let length = 0; length < bytes.length; length++) {
      const outcome = await read([bytes.subarray(0, length)])
      at(length, () => judge(outcome))
    }
  })

  test('where the connection breaks, it is the beginning of the answer and a failure', async () => {
    const judge = createJudge(fixtureCase, await readWhole())
    const ending = new UpstreamError('upstream_truncated', 'The connection broke.')
    const isJudgedWell = asyncProperty(nat(bytes.length), async length => {
      judge(await read([bytes.subarray(0, length)], { ending }))
    })
    await assert(isJudgedWell, RANDOM)
  })

  test('damaged anyhow, it keeps the contract or fails', async () => {
    const damages = array(tuple(nat(bytes.length - 1), nat(255)), { minLength: 1, maxLength: 3 })
    const isKept = asyncProperty(damages, async damages => {
      const damaged = Buffer.from(bytes)
      for (const [position, byte] of damages) damaged[position] = byte
      const { frames, failure } = await read(cutEvery(damaged, 200))
      expect(failure === undefined || failure instanceof GatewayError).toBe(true)
      expect(breachesOf(frames, { head: HEAD, whole: failure === undefined })).toEqual([])
      const sent = Buffer.concat(frames.map(encodeFrame))
      expect(isUtf8(sent)).toBe(true)
      expect(parseClientStream(sent.toString()).events).toHaveLength(frames.length)
    })
    await assert(isKept, RANDOM)
  })
}

/**
 * Judges what became of a part of an answer: it failed behind a beginning of the answer, or it is all of it but for the
 * usage. Where nothing says that an answer ends, it may also be a beginning of it.
 */
function createJudge({ subject, fixture, toChunks, toText }: FixtureCase, full: Outcome): (part: Outcome) => void {
  const fullText = toText(full.frames)
  return ({ frames, failure }) => {
    if (failure === undefined && subject.endsWithBody) {
      if (fixture.holdsBack || fullText.startsWith(toText(withoutEnd(frames)))) return
    }
    if (failure === undefined) {
      expect(full.failure).toBeUndefined()
      expect(toChunks(withoutUsage(frames))).toEqual(toChunks(withoutUsage(full.frames)))
      return
    }
    if (!fullText.startsWith(toText(frames)) && !fixture.holdsBack)
      expect(toChunks(frames)).toEqual(toChunks(full.frames))
    // Said without `expect`, which would cost more here than all else.
    if (failure instanceof GatewayError && (CUT_CODES.has(failure.code) || failure.code === fixture.failure?.code))
      return
    throw failure
  }
}

function withoutUsage(frames: Outcome['frames']): Outcome['frames'] {
  return frames.filter(({ chunk }) => chunk.choices.length > 0)
}

function withoutEnd(frames: Outcome['frames']): Outcome['frames'] {
  return frames.filter(({ chunk }) => chunk.choices.some(choice => choice.finish_reason === null))
}

/** Runs a check that, when it fails, names the place. */
function at(position: number, check: () => void): void {
  try {
    check()
  } catch (cause) {
    throw new Error(`At byte ${position}: ${String(cause)}`, { cause })
  }
}
