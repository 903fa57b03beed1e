import type { ChunkHead, Frames, GatewayError } from '@millrace/core'
import { completions, messages, responses, type Dialect } from '@millrace/dialects'
import { withUsage } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { cutEvery } from './cuts.ts'
import { breachesOfCompletions } from './dialects/completions.ts'
import { breachesOfMessages } from './dialects/messages.ts'
import { breachesOfResponses } from './dialects/responses.ts'
import type { Fixture } from './fixtures.ts'
import { HEAD, type Subject } from './subject.ts'

interface Spoken {
  readonly dialect: Dialect
  /** The least that one can ask for. */
  readonly body: Readonly<Record<string, unknown>>
  /** In what the text of a stream is not what it should be. */
  readonly breachesOf: (stream: string, expected: { readonly whole: boolean }) => string[]
}

const { model } = HEAD
const stream = true

/** All dialects but the one that frames are made of. */
const SPOKEN: readonly Spoken[] = [
  { dialect: completions, body: { model, stream, prompt: 'Hi' }, breachesOf: breachesOfCompletions },
  { dialect: responses, body: { model, stream, input: 'Hi' }, breachesOf: breachesOfResponses },
  {
    dialect: messages,
    body: { model, stream, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] },
    breachesOf: breachesOfMessages,
  },
]

/** What the question is taken to measure. */
const PROMPT_BYTES = 100
/** Bytes in each read; the last of them takes all at once. */
const READ_SIZES = [1, 16, 64, Infinity]

/** What becomes of a fixture's answer in each dialect that clients speak. */
export function describeDialects(subject: Subject, fixture: Fixture): void {
  describe.each(SPOKEN)('in the dialect of $dialect.name', ({ dialect, body, breachesOf }) => {
    const asked = dialect.read(body)
    const head: ChunkHead = { ...HEAD, id: `${dialect.idPrefix}conformance`, includeUsage: asked.includeUsage }

    function framesOf(size: number): Frames {
      const bytes = fixture.response?.bytes
      const reads = bytes === undefined ? [] : cutEvery(bytes, Math.min(size, bytes.length))
      const { frames } = subject.replay(fixture, reads, { head })
      return withUsage(frames, { head, promptBytes: PROMPT_BYTES, onUsage: () => undefined })
    }

    test.for(READ_SIZES)('is a good stream, with the right end, in reads of %s bytes', async size => {
      const encoder = asked.createEncoder(head, PROMPT_BYTES)
      const sent: Buffer[] = []
      let failure: GatewayError | undefined
      try {
        for await (const frames of framesOf(size)) sent.push(Buffer.from(encoder.encode(frames)))
        sent.push(encoder.end())
      } catch (error) {
        failure = error as GatewayError
        sent.push(encoder.fail(failure))
      }
      expect(failure?.code).toBe(fixture.failure?.code)
      expect(breachesOf(Buffer.concat(sent).toString(), { whole: failure === undefined })).toEqual([])
    })

    test('is one answer, or none', async () => {
      const collected = asked.collect(framesOf(Infinity), head)
      const outcome = await collected.then(
        answer => ({ answer }),
        (error: GatewayError) => ({ code: error.code }),
      )
      expect(outcome).toEqual(
        fixture.failure === undefined ? { answer: expect.any(Object) } : { code: fixture.failure.code },
      )
    })
  })
}
