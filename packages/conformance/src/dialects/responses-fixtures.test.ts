import { responses } from '@millrace/dialects'
import type { Frame, Frames, GatewayError, UpstreamReply } from '@millrace/core'
import { readFrames, withUsage } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { toAnswers } from '../answer.ts'
import { cutEvery } from '../cuts.ts'
import { readFixtures } from '../fixtures.ts'
import { readOutcome } from '../subject.ts'
import { ContractResponse, type ResponseItem } from './responses-events.ts'
import { breachesOfResponses } from './responses.ts'

const HEAD = { id: 'resp_fixture', created: 1_800_000_000, model: 'as/asked-for', includeUsage: true }
const ASKED = responses.read({ model: HEAD.model, input: 'Does the mill run?', stream: true })

/** What an upstream says in these reads, with what the gateway adds to it. */
function framesOf(reads: readonly Buffer[]): Frames {
  const body = Object.assign(ReadableStream.from<Buffer>(reads).values(), { endWithin() {} })
  const reply: UpstreamReply = { status: 200, headers: { 'content-type': 'text/event-stream' }, body }
  return withUsage(readFrames(reply, HEAD), { head: HEAD, promptBytes: 100, onUsage() {} })
}

async function* batchesOf(frames: readonly Frame[]): Frames {
  for (const frame of frames) yield [frame]
}

function encode(frames: readonly Frame[], failure: unknown): string {
  const encoder = ASKED.createEncoder(HEAD, 0)
  const pieces = frames.map(frame => encoder.encode([frame]))
  return Buffer.concat([
    ...pieces,
    failure === undefined ? encoder.end() : encoder.fail(failure as GatewayError),
  ]).toString()
}

/** What an answer says, in the order of its items. */
function saidIn(output: readonly ResponseItem[]): Readonly<Record<string, unknown>> {
  const joined = (type: string, text: (item: never) => string): string =>
    output
      .filter(item => item.type === type)
      .map(item => text(item as never))
      .join('')
  return {
    content: joined('message', ({ content }: { content: { text?: string }[] }) => content[0]?.text ?? ''),
    reasoning: joined('reasoning', ({ summary }: { summary: { text: string }[] }) => summary[0]?.text ?? ''),
    calls: output.flatMap(item => (item.type === 'function_call' ? [[item.name, item.arguments]] : [])),
  }
}

describe.each(['provider-openai', 'provider-qwen'])('answers of %s', async provider => {
  const fixtures = await readFixtures(new URL(`../../../${provider}/fixtures/`, import.meta.url))
  const streamed = fixtures.filter(({ response }) => response?.format === 'sse' && response.status === 200)

  test.each(streamed.map(fixture => [fixture.name, fixture.response!.bytes] as const))(
    '%s: a good stream however it is cut, and the same as a whole',
    async (_, bytes) => {
      for (const size of [bytes.length, 1, 7, 64]) {
        const { frames, failure } = await readOutcome(framesOf(cutEvery(bytes, size)))
        expect(breachesOfResponses(encode(frames, failure), { whole: failure === undefined })).toEqual([])
        if (failure !== undefined) continue
        const { output } = ContractResponse.parse(await ASKED.collect(batchesOf(frames), HEAD))
        const { content, reasoning, calls } = toAnswers(frames.map(({ chunk }) => chunk as never))[0]!
        expect(saidIn(output)).toEqual({
          content,
          reasoning,
          calls: calls.map(call => [call.name, call.arguments || '{}']),
        })
      }
    },
  )
})
