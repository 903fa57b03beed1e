import { describe, expect, test } from 'vitest'
import { UpstreamError, type Frame } from '@millrace/core'
import { toUsageChunk } from './encode.ts'
import { inTurn } from './in-turn.ts'
import { expectContract } from './testing/contract.ts'
import { ending, frameOf, framesOf, gather, HEAD_WITH_USAGE as HEAD, opening, textOf } from './testing/replay.ts'

const usage = (tokens: number): Frame => ({
  chunk: toUsageChunk(HEAD, { prompt_tokens: 2, completion_tokens: tokens, total_tokens: 2 + tokens }),
})
const withUsage = { usage: null }
const text = (content: string, index = 0): Frame => frameOf({ content }, { index }, withUsage)
const begin = (index = 0): Frame => ({ chunk: { ...opening(index).chunk, ...withUsage } })
const end = (index = 0): Frame => ({ chunk: { ...ending('stop', index).chunk, ...withUsage } })

describe('answers in turn', () => {
  test('become the choices of one, with the sum of their usage', async () => {
    const first = framesOf([
      [begin(), begin(1), text('a'), text('b', 1)],
      [end(), end(1), usage(3)],
    ])
    const second = framesOf([
      [begin(), text('c')],
      [end(), begin(1), text('d', 1), end(1), usage(4)],
    ])
    const { chunks, code } = await gather(inTurn([first, second], 2, HEAD))
    expect(code).toBeUndefined()
    expectContract(chunks, HEAD, true)
    const ofChoice = (index: number) =>
      textOf(chunks.map(chunk => ({ ...chunk, choices: chunk.choices.filter(choice => choice.index === index) })))
    expect([0, 1, 2, 3].map(ofChoice)).toEqual(['a', 'b', 'c', 'd'])
    expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 4, completion_tokens: 7, total_tokens: 11 })
  })

  test('tell no usage where one of them tells none', async () => {
    const answers = [framesOf([[begin(), end(), usage(1)]]), framesOf([[begin(), end()]])]
    const { chunks } = await gather(inTurn(answers, 1, HEAD))
    expect(chunks.filter(chunk => chunk.usage != null)).toEqual([])
  })

  test('end with the first that fails, and ask no further', async () => {
    const third = framesOf([[begin()]])
    const answers = [
      framesOf([[begin(), end()]]),
      framesOf([[begin(), text('x')]], new UpstreamError('idle_timeout', 'Silence.')),
      third,
    ]
    const { chunks, code } = await gather(inTurn(answers, 1, HEAD))
    expect([textOf(chunks), code, third.seen.batches]).toEqual(['x', 'idle_timeout', 0])
  })

  test('ask no further once they are left', async () => {
    const second = framesOf([[begin()]])
    for await (const _batch of inTurn([framesOf([[begin()], [end()]]), second], 1, HEAD)) break
    expect(second.seen.batches).toBe(0)
  })
})
