/* oxlint-disable vitest/no-conditional-tests -- tests that are made from a fixture */
import { GatewayError, run, type Frames } from '@millrace/core'
import { expect, test } from 'vitest'
import { cutEvery } from './cuts.ts'
import { readOutcome } from './subject.ts'
import type { FixtureCase } from './fixture-case.ts'
import type { Response } from './fixtures.ts'

/** There is nothing to wait for: what takes longer hangs. */
const QUICK = { timeout: 5000 }

/**
 * Takes a number of batches and leaves, or comes to the end before that. Resolves with how many batches came behind the
 * last one.
 */
type Leave = (frames: Frames, batches: number) => Promise<number>

/** How one may leave: in words, and how it is done. */
export const WAYS_OUT: Readonly<Record<string, Leave>> = {
  'by a loop that breaks': async (frames, batches) => {
    let taken = 0
    try {
      for await (const _batch of frames) if (++taken === batches) break
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
    }
    return 0
  },
  'by a sink that has enough': (frames, batches) => behindSink(frames, batches, () => false),
  'by a sink that finds out that it has enough': (frames, batches) => behindSink(frames, batches, async () => false),
  'by a sink that throws': (frames, batches) =>
    behindSink(frames, batches, () => {
      throw new GatewayError('client_stall', 'The sink is full.')
    }),
  'by a sink that fails': (frames, batches) =>
    behindSink(frames, batches, async () => {
      throw new GatewayError('client_stall', 'The sink is full.')
    }),
}

async function behindSink(frames: Frames, batches: number, leave: () => boolean | Promise<boolean>): Promise<number> {
  let taken = 0
  try {
    await run(frames, () => (++taken === batches ? leave() : undefined))
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
  }
  return Math.max(0, taken - batches)
}

/** The tests that nothing is held or waited for any longer than it is of use. */
export function describeLeaving(
  { subject, fixture, read, readWhole, expectOutcome }: FixtureCase,
  { bytes, format }: Response,
): void {
  const isStream = format === 'sse'
  // A stream that stops in its middle cannot be told from one that goes on.
  if (isStream && fixture.failure?.code !== 'upstream_truncated') {
    test('ends when it is whole, though the connection stays open', async () => {
      const outcome = await read([bytes], { ending: 'silence' })
      expect(outcome.failure).not.toMatchObject({ code: 'idle_timeout' })
      expectOutcome(outcome)
    })
  }

  if (isStream && /^data: ?\[DONE\]/m.test(bytes.toString())) {
    test('ends with [DONE], whatever the connection does', QUICK, async () => {
      const { frames, replay } = subject.replay(fixture, [bytes], { ending: 'open' })
      expectOutcome(await readOutcome(frames))
      expect(replay.connected).toBe(false)
    })
  }

  test.for(Object.entries(WAYS_OUT))(
    'left at any point, %s, it lets go of the connection',
    QUICK,
    async ([, leave]) => {
      const { frames } = await readWhole()
      for (let batches = 1; batches <= frames.length; batches++) {
        const { frames: left, replay } = subject.replay(fixture, cutEvery(bytes, 16), { ending: 'silence' })
        const behind = await leave(left, batches)
        expect({ batches, connected: replay.connected, behind }).toEqual({ batches, connected: false, behind: 0 })
      }
    },
  )

  test.for([0, 0.5])('aborted after %s of it, it lets go and fails with the reason', QUICK, async share => {
    const reason = new GatewayError('gateway_shutdown', 'Enough.')
    const aborting = new AbortController()
    const { frames, replay } = subject.replay(fixture, [bytes.subarray(0, bytes.length * share)], {
      ending: 'open',
      signal: aborting.signal,
    })
    const outcome = readOutcome(frames)
    await Promise.race([replay.exhausted, outcome])
    aborting.abort(reason)
    const { failure } = await outcome
    // What failed in the first half already has failed for good.
    expect([reason.code, fixture.failure?.code]).toContain((failure as GatewayError | undefined)?.code)
    expect(replay.connected).toBe(false)
  })
}
