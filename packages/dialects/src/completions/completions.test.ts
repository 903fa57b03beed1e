import { GatewayError, type Frame } from '@millrace/core'
import { createFramer, toChunk, toUsageChunk } from '@millrace/sse-core'
import { describe, expect, test } from 'vitest'
import { completions } from './index.ts'

const HEAD = { id: 'cmpl-test', created: 1_780_000_000, model: 'sim/text', includeUsage: false }
const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

const read = (body: object) => completions.read({ model: 'sim/text', prompt: 'Say', ...body })

/** What a client makes of the bytes of a stream, without its end. */
function eventsOf(bytes: Buffer): unknown[] {
  return bytes
    .toString()
    .split('\n\n')
    .filter(Boolean)
    .map(event => JSON.parse(event.slice('data: '.length)) as unknown)
}

function answered(...texts: readonly string[]): Frame[] {
  const framer = createFramer(HEAD)
  return [...texts.flatMap(content => framer.delta({ content })), ...framer.end('stop')]
}

describe('a request', () => {
  test('becomes a question in chat, with the default of the older API', () => {
    const { chat, further, isVerbatim } = read({ temperature: 0.5, stop: ['\n'], stream: true, seed: 7 })
    expect(chat).toEqual({
      model: 'sim/text',
      messages: [{ role: 'user', content: 'Say' }],
      temperature: 0.5,
      stop: ['\n'],
      stream: true,
      seed: 7,
      max_tokens: 16,
    })
    expect([further, isVerbatim]).toEqual([[], false])
  })

  test('keeps the limit that it sets', () => {
    expect(read({ max_tokens: 5 }).chat.max_tokens).toBe(5)
    expect(read({ max_completion_tokens: 6 }).chat).toMatchObject({ max_completion_tokens: 6 })
    expect(read({ max_completion_tokens: 6 }).chat.max_tokens).toBeUndefined()
  })

  test('with several prompts becomes as many', () => {
    const { chat, further } = read({ prompt: ['one', 'two', 'three'] })
    expect([chat, ...further!].map(({ messages }) => messages[0]!.content)).toEqual(['one', 'two', 'three'])
  })

  test('asks for logprobs as chat does', () => {
    expect(read({ logprobs: 3 }).chat).toMatchObject({ logprobs: true, top_logprobs: 3 })
    expect(read({ logprobs: 0 }).chat).toMatchObject({ logprobs: true, top_logprobs: 0 })
  })

  test.each<[object, string, string]>([
    [{ prompt: undefined }, 'missing_required_parameter', 'prompt'],
    [{ prompt: { text: 'Say' } }, 'invalid_value', 'prompt'],
    [{ prompt: [] }, 'invalid_value', 'prompt'],
    [{ prompt: [1, 2] }, 'unsupported_parameter', 'prompt'],
    [{ prompt: [[1], [2]] }, 'unsupported_parameter', 'prompt'],
    [{ suffix: 'end' }, 'unsupported_parameter', 'suffix'],
    [{ best_of: 3 }, 'unsupported_parameter', 'best_of'],
    [{ logprobs: 6 }, 'invalid_value', 'logprobs'],
    [{ base_url: 'http://elsewhere' }, 'unsupported_parameter', 'base_url'],
  ])('%j is refused', (body, code, param) => {
    const refused = (() => {
      try {
        return read(body)
      } catch (error) {
        return error
      }
    })()
    expect(refused).toBeInstanceOf(GatewayError)
    expect(refused).toMatchObject({ code, param })
  })

  test('with harmless forms of what is refused is taken', () => {
    expect(() => read({ suffix: '', best_of: 2, n: 2, echo: null, logprobs: null })).not.toThrow()
  })
})

describe('a stream', () => {
  test('has chunks of text, the reason, and nothing for roles and reasoning', () => {
    const framer = createFramer(HEAD)
    const frames = [
      ...framer.delta({ reasoning_content: 'hm' }),
      ...framer.delta({ content: 'tick' }),
      ...framer.end('tool_calls', USAGE),
    ]
    const encoder = read({ stream: true }).createEncoder(HEAD, 0)
    const members = { id: HEAD.id, object: 'text_completion', created: HEAD.created, model: HEAD.model }
    expect(eventsOf(encoder.encode(frames))).toEqual([
      { ...members, choices: [{ text: 'tick', index: 0, logprobs: null, finish_reason: null }] },
      { ...members, choices: [{ text: '', index: 0, logprobs: null, finish_reason: 'stop' }] },
      { ...members, choices: [], usage: USAGE },
    ])
    expect(encoder.end().toString()).toBe('data: [DONE]\n\n')
  })

  test('begins with the prompt of each choice where that was asked for', async () => {
    const asked = read({ prompt: ['one ', 'two '], n: 2, echo: true, stream: true })
    const frames = [0, 1, 2, 3].map(index => ({
      chunk: toChunk(HEAD, { index, delta: { content: `(${index})` }, finish_reason: null }),
    }))
    const texts = eventsOf(asked.createEncoder(HEAD, 0).encode(frames)).map(
      event => (event as { choices: { text: string }[] }).choices[0]!.text,
    )
    expect(texts).toEqual(['one (0)', 'one (1)', 'two (2)', 'two (3)'])
  })

  test('tells the logprobs in the older form', () => {
    const content = [
      { token: 'ti', logprob: -0.1, top_logprobs: [{ token: 'ti', logprob: -0.1 }] },
      { token: 'ck', logprob: -0.2, top_logprobs: [] },
    ]
    const chunk = toChunk(HEAD, { index: 0, delta: { content: 'tick' }, finish_reason: null, logprobs: { content } })
    expect(eventsOf(read({ logprobs: 1 }).createEncoder(HEAD, 0).encode([{ chunk }]))).toMatchObject([
      {
        choices: [
          {
            logprobs: {
              tokens: ['ti', 'ck'],
              token_logprobs: [-0.1, -0.2],
              top_logprobs: [{ ti: -0.1 }, {}],
              text_offset: [0, 2],
            },
          },
        ],
      },
    ])
  })
})

describe('a whole answer', () => {
  test('is a text completion', async () => {
    const frames = (async function* () {
      yield [...answered('tick', ' tock'), { chunk: toUsageChunk(HEAD, USAGE) }]
    })()
    expect(await read({ echo: true }).collect(frames, HEAD)).toEqual({
      id: HEAD.id,
      object: 'text_completion',
      created: HEAD.created,
      model: HEAD.model,
      choices: [{ text: 'Saytick tock', index: 0, logprobs: null, finish_reason: 'stop' }],
      usage: USAGE,
      system_fingerprint: null,
    })
  })
})
