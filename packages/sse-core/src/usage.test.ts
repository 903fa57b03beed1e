import { describe, expect, test } from 'vitest'
import { readFrames } from './frames.ts'
import { expectContract } from './testing/contract.ts'
import { event, gather, HEAD_WITH_USAGE, hello, replyOf, sse } from './testing/replay.ts'

describe('usage (§6.3 rule 13)', () => {
  const cases: readonly (readonly [string, readonly object[], readonly number[] | undefined])[] = [
    ['none', [{}], undefined],
    ['empty', [{ usage: {} }], undefined],
    ['at the top', [{ usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }], [3, 2, 5]],
    ['without a total', [{ usage: { prompt_tokens: 3, completion_tokens: 2 } }], [3, 2, 5]],
    [
      'with a total that is too small',
      [{ usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 1 } }],
      [3, 2, 5],
    ],
    ['under the newer names', [{ usage: { input_tokens: 3, output_tokens: 2 } }], [3, 2, 5]],
    ['under x_groq', [{ x_groq: { usage: { prompt_tokens: 3, completion_tokens: 2 } } }], [3, 2, 5]],
    [
      'in the choice',
      [{ choices: [{ index: 0, delta: {}, usage: { prompt_tokens: 3, completion_tokens: 2 } }] }],
      [3, 2, 5],
    ],
    ['as timings', [{ timings: { prompt_n: 3, predicted_n: 2 } }], [3, 2, 5]],
    [
      'in every chunk: the last counts',
      [{ usage: { prompt_tokens: 3, completion_tokens: 1 } }, { usage: { prompt_tokens: 3, completion_tokens: 2 } }],
      [3, 2, 5],
    ],
    [
      'zero behind something better',
      [{ usage: { prompt_tokens: 3, completion_tokens: 2 } }, { usage: { prompt_tokens: 0, completion_tokens: 0 } }],
      [3, 2, 5],
    ],
    [
      'null behind something better',
      [{ usage: { prompt_tokens: 3, completion_tokens: 2 } }, { usage: null }],
      [3, 2, 5],
    ],
    ['negative', [{ usage: { prompt_tokens: -3, completion_tokens: 2, total_tokens: -1 } }], [0, 2, 2]],
    ['broken', [{ usage: { prompt_tokens: 3.7, completion_tokens: 2.2 } }], [3, 2, 5]],
    ['huge', [{ usage: { prompt_tokens: 1e300, completion_tokens: 2 } }], [0, 2, 2]],
    ['words', [{ usage: { prompt_tokens: 'many', completion_tokens: 'few' } }], undefined],
    [
      'reasoning left out',
      [
        {
          usage: {
            prompt_tokens: 3,
            completion_tokens: 2,
            total_tokens: 9,
            completion_tokens_details: { reasoning_tokens: 4 },
          },
        },
      ],
      [3, 6, 9],
    ],
    [
      'reasoning inside',
      [
        {
          usage: {
            prompt_tokens: 3,
            completion_tokens: 6,
            total_tokens: 9,
            completion_tokens_details: { reasoning_tokens: 4 },
          },
        },
      ],
      [3, 6, 9],
    ],
  ]

  test.each(cases)('%s', async (_, events, expected) => {
    const { chunks, code } = await gather(
      readFrames(replyOf([sse(hello, event({}, 'stop'), ...events)]), HEAD_WITH_USAGE),
    )
    expect(code).toBeUndefined()
    expectContract(chunks, HEAD_WITH_USAGE, true)
    const usage = chunks.at(-1)?.usage
    expect(usage ? [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens] : undefined).toEqual(expected)
  })

  test.each([{ cached_tokens: 2 }, { prompt_cache_hit_tokens: 2 }])('cached tokens from %j', async cached => {
    const { chunks } = await gather(
      readFrames(
        replyOf([sse(hello, { usage: { prompt_tokens: 3, completion_tokens: 1, ...cached } })]),
        HEAD_WITH_USAGE,
      ),
    )
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens_details: { cached_tokens: 2 } })
  })

  test('other members of it are kept', async () => {
    const { chunks } = await gather(
      readFrames(
        replyOf([sse(hello, { usage: { prompt_tokens: 3, completion_tokens: 1, cost: 0.5 } })]),
        HEAD_WITH_USAGE,
      ),
    )
    expect(chunks.at(-1)?.usage).toMatchObject({ cost: 0.5 })
  })
})
