/* oxlint-disable vitest/valid-title, vitest/expect-expect, vitest/no-conditional-tests -- tests that are made from a fixture */
import { isUtf8 } from 'node:buffer'
import { createFlow, run, type Frames, type GatewayError } from '@millrace/core'
import { collect, DONE, encodeError, encodeFrame } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { ContractCompletion, toAnswers } from './answer.ts'
import { parseClientStream } from './client-stream.ts'
import { cutEvery } from './cuts.ts'
import { describeDialects } from './describe-dialects.ts'
import { describeCuts, describeFragments } from './describe-cuts.ts'
import { describeLeaving } from './describe-leaving.ts'
import { createFixtureCase } from './fixture-case.ts'
import { createReplay } from './replay.ts'
import { breachesOf } from './stream-contract.ts'
import { HEAD, readOutcome, type Subject } from './subject.ts'
import { GENERATED, type Fixture } from './fixtures.ts'

const ANY_ID = expect.any(String) as string

/** The tests of one fixture: what becomes of it, whatever happens to its bytes. */
export function describeFixture(subject: Subject, fixture: Fixture): void {
  const { response, failure, chunks } = fixture
  const fixtureCase = createFixtureCase(subject, fixture)
  const { read, readWhole, expectOutcome } = fixtureCase

  describe(fixture.name, () => {
    test('gives the expected chunks', async () => {
      expectOutcome(await readWhole())
    })

    test('gives the same to a client that wants no stream, and from the bytes of the request', async () => {
      expectOutcome(await readWhole({ stream: false }))
      expectOutcome(await readWhole({ source: true }))
    })

    test('gives the same to one who iterates, and to one who takes his time', async () => {
      const reads = response === undefined ? [] : cutEvery(response.bytes, 16)
      expectOutcome(await readOutcome(iterated(subject.replay(fixture, reads).frames)))
      expectOutcome(await readOutcome(slowed(subject.replay(fixture, reads).frames)))
    })

    test.for([true, false])('keeps the stream contract, usage asked for: %s', async includeUsage => {
      const head = { ...HEAD, includeUsage }
      const { frames } = await read(response === undefined ? [] : cutEvery(response.bytes, 64), { head })
      expect(breachesOf(frames, { head, whole: failure === undefined })).toEqual([])
    })

    test('calls tools with arguments that are JSON', () => {
      const calls = toAnswers(chunks).flatMap(({ calls, finish }) => (finish === 'tool_calls' ? calls : []))
      expect(calls.filter(call => typeof JSON.parse(call.arguments) !== 'object')).toEqual([])
    })

    test('reaches the client as it is', async () => {
      const { frames, failure: fault } = await readWhole()
      const end = fault === undefined ? DONE : encodeError(fault as GatewayError)
      const sent = Buffer.concat([...frames.map(encodeFrame), end])
      expect(isUtf8(sent)).toBe(true)
      const { events, done } = parseClientStream(sent.toString())
      expect(done).toBe(failure === undefined)
      const said = frames.map(frame => frame.chunk as unknown)
      expect(events).toEqual(fault === undefined ? said : [...said, (fault as GatewayError).toBody()])
    })

    if (failure === undefined) {
      test('collects into the same answer', async () => {
        const { frames } = subject.replay(fixture, response === undefined ? [] : [response.bytes])
        const completion = await collect(frames, HEAD)
        const expected = toAnswers(chunks)
        for (const call of expected.flatMap(({ calls }) => calls)) {
          if (call.id === GENERATED) call.id = ANY_ID
        }
        expect(ContractCompletion.parse(completion).choices).toEqual(expected)
        expect(completion.usage).toEqual(chunks.at(-1)?.usage ?? null)
      })
    } else {
      test('collects into nothing', async () => {
        const { frames } = subject.replay(fixture, response === undefined ? [] : [response.bytes])
        await expect(collect(frames, HEAD)).rejects.toMatchObject({ code: failure.code })
      })
    }

    test('does nothing before it is read', () => {
      const replay = createReplay(undefined)
      subject.chat(subject.open(replay, { fixture }), fixture)
      expect(replay.asked).toEqual([])
    })

    describeDialects(subject, fixture)

    if (response === undefined) {
      test('asks no upstream', async () => {
        const { frames, replay } = subject.replay(fixture, [])
        await readOutcome(frames)
        expect(replay.asked).toEqual([])
      })
      return
    }

    if (fixture.expectedBody !== undefined) {
      test.for([true, false])('asks the upstream as expected, from the bytes of the request: %s', async source => {
        const { frames, replay } = subject.replay(fixture, [response.bytes], { source })
        await readOutcome(frames)
        expect(replay.asked.map(({ body }) => JSON.parse(body?.toString() ?? 'null'))).toEqual([fixture.expectedBody])
      })
    }

    describeCuts(fixtureCase, response)
    // A failure with a status may be understood differently when half of its words are missing.
    if (response.status === 200) describeFragments(fixtureCase, response)
    describeLeaving(fixtureCase, response)
  })
}

/** The same, taken by iterating. */
async function* iterated(frames: Frames): Frames {
  yield* frames
}

/** The same, each batch taken a turn of the event loop later. @throws {Error} a batch comes while another is being taken */
function slowed(frames: Frames): Frames {
  return createFlow(async sink => {
    let busy = false
    await run(frames, async batch => {
      if (busy) throw new Error('A batch came before the last one was taken.')
      busy = true
      await new Promise(resolve => setImmediate(resolve))
      busy = false
      return sink(batch)
    })
  })
}
