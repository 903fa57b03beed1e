import { run as runFlow, UpstreamError, type Frame, type Frames, type Usage } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { toUsageChunk } from './encode.ts'
import { expectContract } from './testing/contract.ts'
import {
  ending,
  frameOf,
  framesOf,
  gather,
  HEAD,
  HEAD_WITH_USAGE,
  opening,
  readAll,
  type Outcome,
} from './testing/replay.ts'
import { withUsage } from './with-usage.ts'

const usage: Usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9, cost: 1 }
const usageFrame: Frame = { chunk: toUsageChunk(HEAD, usage) }
const estimate = (prompt_tokens: number, completion_tokens: number): Usage => ({
  prompt_tokens,
  completion_tokens,
  total_tokens: prompt_tokens + completion_tokens,
})

interface Told {
  readonly reports: [Usage, boolean][]
  readonly frames: Frames
}

function meter(source: Frames, includeUsage = false): Told {
  const reports: [Usage, boolean][] = []
  const head = includeUsage ? HEAD_WITH_USAGE : HEAD
  const onUsage = (told: Usage, estimated: boolean): void => void reports.push([told, estimated])
  return { reports, frames: withUsage(source, { head, promptBytes: 40, onUsage }) }
}

async function run(source: Frames, includeUsage = false): Promise<Outcome & Told> {
  const told = meter(source, includeUsage)
  return { ...(await gather(told.frames)), reports: told.reports } as Outcome & Told
}

const count = async (texts: readonly string[]): Promise<Usage> => estimate(100, texts.join('').length)

describe('where the upstream says nothing', () => {
  test('tokens are counted, where that can be done', async () => {
    const reports: [Usage, boolean][] = []
    const source = framesOf([
      [opening(), frameOf({ content: 'Hi' })],
      await readAll({ content: 'one' }, { content: 'two' }),
    ])
    const frames = withUsage(source, {
      head: HEAD_WITH_USAGE,
      promptBytes: 40,
      count,
      onUsage: (told, estimated) => void reports.push([told, estimated]),
    })
    const { chunks } = await gather(frames)
    expect(reports).toEqual([[estimate(100, 'Hionetwo'.length), true]])
    expect(chunks.at(-1)?.usage).toEqual(estimate(100, 8))
  })

  test('they are not, where the answer fails', async () => {
    const reports: [Usage, boolean][] = []
    const source = framesOf([[opening(), frameOf({ content: 'Hi' })]], new UpstreamError('idle_timeout', 'Silence.'))
    const onUsage = (told: Usage, estimated: boolean): void => void reports.push([told, estimated])
    await gather(withUsage(source, { head: HEAD, promptBytes: 40, count, onUsage }))
    expect(reports).toEqual([[estimate(10, 1), true]])
  })
})

describe('what the upstream said', () => {
  test('counts as an estimate where the provider says that it is one', async () => {
    const { reports } = await run(framesOf([[opening(), ending(), { ...usageFrame, isEstimate: true }]]))
    expect(reports).toEqual([[usage, true]])
  })

  test('is taken out and reported', async () => {
    const { chunks, reports } = await run(
      framesOf([
        [opening(), frameOf({ content: 'Hi' })],
        [ending(), usageFrame],
      ]),
    )
    expectContract(chunks, HEAD, true)
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true)
    expect(reports).toEqual([[usage, false]])
  })

  test('goes out, last, where the client asked for it', async () => {
    const { chunks, reports } = await run(framesOf([[opening(), ending(), usageFrame]]), true)
    expect(chunks.at(-1)).toEqual(toUsageChunk(HEAD, usage))
    expect(chunks.filter(chunk => chunk.usage != null)).toHaveLength(1)
    expect(reports).toEqual([[usage, false]])
  })

  test('counts although it came too early or twice: the last word', async () => {
    const early: Frame = { chunk: toUsageChunk(HEAD, estimate(1, 1)) }
    const { chunks, reports, batches } = await run(
      framesOf([[early], [opening(), early, ending()], [usageFrame]]),
      true,
    )
    expect(chunks).toHaveLength(3)
    expect(chunks.at(-1)).toEqual(toUsageChunk(HEAD, usage))
    expect(reports).toEqual([[usage, false]])
    expect(batches.every(batch => batch.length > 0)).toBe(true)
  })
})

describe('an estimate, where the upstream said nothing', () => {
  test('goes out in its place, and says that it is one', async () => {
    const { chunks, reports } = await run(framesOf([[opening(), frameOf({ content: 'x'.repeat(21) }), ending()]]), true)
    expect(chunks.at(-1)?.usage).toEqual(estimate(10, 6))
    expect(reports).toEqual([[estimate(10, 6), true]])
  })

  test('counts all that the model wrote, in bytes of UTF-8', async () => {
    const call = { index: 0, id: 'a', type: 'function', function: { name: 'name', arguments: 'args' } } as const
    const deltas = [
      { content: '龍龍龍龍' },
      { reasoning_content: 'four' },
      { refusal: 'four' },
      { tool_calls: [call] },
      { function_call: { name: 'f', arguments: 'xyz' } },
    ]
    const { reports } = await run(framesOf([[opening(), ...deltas.map(delta => frameOf(delta)), ending()]]))
    expect(reports).toEqual([[estimate(10, 3 + 1 + 1 + 2 + 1), true]])
  })

  test('comes out the same whether the text came in bytes or not', async () => {
    const texts = Array.from({ length: 50 }, (_, at) => `word ${at} ünd `)
    const frames = await readAll(...texts.map(content => ({ content })))
    expect(frames.filter(({ bytes }) => bytes !== undefined)).toHaveLength(49)
    const { reports } = await run(framesOf([frames]))
    expect(reports).toEqual([[estimate(10, Math.ceil(Buffer.byteLength(texts.join('')) / 4)), true]])
    const plain = await run(framesOf([frames.map(({ chunk }) => ({ chunk }))]))
    expect(plain.reports).toEqual(reports)
  })

  test('counts frames with bytes of another maker', async () => {
    const frame: Frame = { ...frameOf({ content: 'x'.repeat(8) }), bytes: Buffer.from('anything') }
    expect((await run(framesOf([[frame]]))).reports).toEqual([[estimate(10, 2), true]])
  })
})

describe('an answer that does not end well', () => {
  test.each([HEAD, HEAD_WITH_USAGE])('is left without another word, however it is read: %j', async head => {
    for (const leave of [
      (frames: Frames) => runFlow(frames, () => false),
      (frames: Frames) => runFlow(frames, async () => false),
      async (frames: Frames) => {
        for await (const batch of frames) if (batch.length > 0) break
      },
    ]) {
      const source = framesOf([[opening(), ending()], [usageFrame]])
      const { frames, reports } = meter(source, head.includeUsage)
      await leave(frames)
      expect(reports).toEqual([[estimate(10, 0), true]])
      expect(source.seen).toEqual({ batches: 1, closed: true })
    }
  })

  const fault = new UpstreamError('upstream_truncated', 'cut')

  test('is reported with what was delivered, without a usage chunk', async () => {
    const { error, chunks, reports } = await run(
      framesOf([[opening(), frameOf({ content: 'x'.repeat(8) })]], fault),
      true,
    )
    expect(error).toBe(fault)
    expectContract(chunks, HEAD, false)
    expect(reports).toEqual([[estimate(10, 2), true]])
  })

  test('before anything was delivered costs nothing', async () => {
    expect((await run(framesOf([], fault))).reports).toEqual([[estimate(0, 0), true]])
  })

  test('is reported as the upstream said where it had said it', async () => {
    expect((await run(framesOf([[opening(), usageFrame]], fault))).reports).toEqual([[usage, false]])
  })

  test('is reported when it is left, and its source closed', async () => {
    const source = framesOf([[opening(), frameOf({ content: 'x'.repeat(8) })], [frameOf({ content: 'never seen' })]])
    const { frames, reports } = meter(source)
    for await (const batch of frames) if (batch.length > 0) break
    expect(reports).toEqual([[estimate(10, 2), true]])
    expect(source.seen).toEqual({ batches: 1, closed: true })
  })

  test('is reported once, though it is left at its very end', async () => {
    const { frames, reports } = meter(framesOf([[opening(), ending(), usageFrame]]), true)
    for await (const batch of frames) if (batch.some(({ chunk }) => chunk.usage)) break
    expect(reports).toEqual([[usage, false]])
  })
})

test('what is not usage is not touched, and neither are the batches', async () => {
  const frames = await readAll({ content: 'a' }, { content: 'b' }, { content: 'c' })
  const none: Frame = { chunk: { ...opening().chunk, choices: [], usage: null } }
  const given = [frames, [none, frameOf({ content: 'd' })]]
  const { batches } = await run(framesOf(given))
  expect(batches).toHaveLength(2)
  expect(batches.every((batch, at) => batch === given[at])).toBe(true)
})
