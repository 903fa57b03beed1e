/* oxlint-disable vitest/no-conditional-tests -- tests that are made from a fixture */
import type { ChunkHead, Frames, GatewayError } from '@millrace/core'
import { completions, messages, responses, type Dialect } from '@millrace/dialects'
import { withUsage } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { cutEvery } from './cuts.ts'
import { toAnswers } from './answer.ts'
import { breachesOfCompletions } from './dialects/completions.ts'
import { breachesOfMessages } from './dialects/messages.ts'
import { breachesOfResponses } from './dialects/responses.ts'
import { saidInCompletion, saidInMessage, saidInResponse, toInput, type Said } from './dialects/said-in.ts'
import type { Fixture } from './fixtures.ts'
import { HEAD, type Subject } from './subject.ts'

interface Spoken {
  readonly dialect: Dialect
  /** The least that one can ask for. */
  readonly body: Readonly<Record<string, unknown>>
  /** In what the text of a stream is not what it should be. */
  readonly breachesOf: (stream: string, expected: { readonly whole: boolean }) => string[]
  /** A whole answer → what it says, of the first choice. @throws {Error} it is not of the dialect's shape */
  readonly saidIn: (answer: unknown) => Said
  /** A call that was cut off in its arguments has no place in a whole answer. */
  readonly leavesOutCutCalls?: true
}

const { model } = HEAD
const stream = true

/** All dialects but the one that frames are made of. */
const SPOKEN: readonly Spoken[] = [
  {
    dialect: completions,
    body: { model, stream, prompt: 'Hi' },
    breachesOf: breachesOfCompletions,
    saidIn: saidInCompletion,
  },
  {
    dialect: responses,
    body: { model, stream, input: 'Hi' },
    breachesOf: breachesOfResponses,
    saidIn: saidInResponse,
  },
  {
    dialect: messages,
    body: { model, stream, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] },
    breachesOf: breachesOfMessages,
    saidIn: saidInMessage,
    leavesOutCutCalls: true,
  },
]

/** What the question is taken to measure. */
const PROMPT_BYTES = 100
/** Bytes in each read; the last of them takes all at once. */
const READ_SIZES = [1, 16, 64, Infinity]

/** What becomes of a fixture's answer in each dialect that clients speak. */
export function describeDialects(subject: Subject, fixture: Fixture): void {
  describe.each(SPOKEN)(
    'in the dialect of $dialect.name',
    ({ dialect, body, breachesOf, saidIn, leavesOutCutCalls = false }) => {
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

      if (fixture.failure === undefined) {
        test('says the same as a whole', async () => {
          const said = saidIn(await asked.collect(framesOf(Infinity), head))
          expect(said).toEqual(pick(expectedOf(fixture, leavesOutCutCalls), said))
        })
      } else {
        const { code } = fixture.failure
        test('is no answer as a whole', async () => {
          await expect(asked.collect(framesOf(Infinity), head)).rejects.toMatchObject({ code })
        })
      }
    },
  )
}

/** What the first choice of a fixture says; a call without arguments is one of nothing. */
function expectedOf({ chunks }: Fixture, leavesOutCutCalls: boolean): Required<Said> {
  const { content, reasoning, refusal, calls } = toAnswers(chunks)[0]!
  return {
    content: content + refusal,
    reasoning,
    calls: calls
      .map(call => [call.name, toInput(call.arguments)] as const)
      .filter(([, input]) => !(leavesOutCutCalls && typeof input === 'string')),
  }
}

/** Of what was expected as much as the dialect can say. */
function pick(expected: Required<Said>, said: Said): Said {
  return Object.fromEntries(Object.entries(expected).filter(([name]) => name in said)) as unknown as Said
}
