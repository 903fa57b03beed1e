import { event, sse } from './replay.ts'
import type { Delta, FinishReason, ToolCallDelta } from '@millrace/core'

export interface Server {
  readonly name: string
  readonly stream: string
  /** What the first choice says, but for its role and its end. */
  readonly deltas: readonly Delta[]
  readonly finish: FinishReason
  /** The usage chunk's prompt, completion and total tokens. */
  readonly usage?: readonly [number, number, number]
}

const opening = (index: number, id: string, name: string): Delta => ({
  tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }],
})
const piece = (index: number, text: string): Delta => ({ tool_calls: [{ index, function: { arguments: text } }] })
const usageOf = (prompt_tokens: number, completion_tokens: number, more: object = {}): object => ({
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, ...more },
})
const noUsage = { usage: null }
const onlyUsage = (usage: object): object => ({ ...event({}), choices: [], ...usage })
const whole = (index: number | undefined, id: string | undefined, name: string, text: string): object => ({
  ...(index === undefined ? undefined : { index }),
  ...(id === undefined ? undefined : { id }),
  function: { name, arguments: text },
})

/** A small stream in the shape of each kind of server; all values are made up. */
export const SERVERS: readonly Server[] = [
  {
    name: 'OpenAI',
    stream: sse(
      event({ role: 'assistant', content: '', refusal: null }, null, { ...noUsage, obfuscation: 'a1b2c' }),
      event({ content: 'Grüß ' }, null, { ...noUsage, obfuscation: 'd3' }),
      event({ content: 'dich 🦔' }, null, { ...noUsage, obfuscation: 'e4f5g6h' }),
      event({}, 'stop', { ...noUsage, obfuscation: 'i7' }),
      onlyUsage(usageOf(9, 5, { completion_tokens_details: { reasoning_tokens: 0 } })),
    ),
    deltas: [{ content: 'Grüß ' }, { content: 'dich 🦔' }],
    finish: 'stop',
    usage: [9, 5, 14],
  },
  {
    name: 'Azure OpenAI',
    stream: sse(
      { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: [{ prompt_index: 0 }] },
      event({ role: 'assistant', content: '' }),
      event({ content: 'ready' }, null, { content_filter_results: {} }),
      { ...event({}), choices: [{ index: 0, finish_reason: null, content_filter_offsets: { check_offset: 1 } }] },
      event({}, 'stop'),
      onlyUsage(usageOf(11, 1)),
    ),
    deltas: [{ content: 'ready' }],
    finish: 'stop',
    usage: [11, 1, 12],
  },
  {
    name: 'Qwen',
    stream: sse(
      {
        choices: [
          {
            delta: { content: null, role: 'assistant', reasoning_content: '' },
            finish_reason: null,
            index: 0,
            logprobs: null,
          },
        ],
        usage: null,
      },
      {
        usage: null,
        choices: [
          { index: 0, delta: { reasoning_content: 'Look it up.', content: null }, finish_reason: null, logprobs: null },
        ],
      },
      {
        choices: [
          {
            delta: {
              content: null,
              tool_calls: [{ index: 0, id: 'call_q1', type: 'function', function: { name: 'lookup', arguments: '' } }],
            },
            finish_reason: null,
            index: 0,
          },
        ],
      },
      {
        choices: [
          {
            delta: {
              content: null,
              tool_calls: [{ index: 0, id: '', type: 'function', function: { arguments: '{"q": "°' } }],
            },
            finish_reason: null,
            index: 0,
          },
        ],
      },
      {
        choices: [
          {
            delta: {
              content: null,
              tool_calls: [{ index: 0, id: '', type: 'function', function: { arguments: 'C"}' } }],
            },
            finish_reason: null,
            index: 0,
          },
        ],
      },
      {
        choices: [
          { delta: { tool_calls: [{ function: { arguments: '' }, index: 0, id: '', type: 'function' }] }, index: 0 },
        ],
      },
      { choices: [{ delta: { content: '' }, finish_reason: 'tool_calls', index: 0, logprobs: null }] },
      {
        choices: [],
        object: 'chat.completion.chunk',
        ...usageOf(310, 48, { prompt_tokens_details: { cached_tokens: 256 } }),
      },
    ),
    deltas: [
      { reasoning_content: 'Look it up.' },
      opening(0, 'call_q1', 'lookup'),
      piece(0, '{"q": "°'),
      piece(0, 'C"}'),
    ],
    finish: 'tool_calls',
    usage: [310, 48, 358],
  },
  {
    name: 'DeepSeek',
    stream:
      ': keep-alive\n\n: keep-alive\n\n' +
      sse(
        event({ role: 'assistant', content: null, reasoning_content: '' }),
        event({ content: null, reasoning_content: 'Two and ' }),
        event({ content: null, reasoning_content: 'two.' }),
        event({ content: 'Four', reasoning_content: null }),
        event({ content: '', reasoning_content: null }, 'stop', usageOf(7, 6, { prompt_cache_hit_tokens: 4 })),
      ),
    deltas: [{ reasoning_content: 'Two and ' }, { reasoning_content: 'two.' }, { content: 'Four' }],
    finish: 'stop',
    usage: [7, 6, 13],
  },
  {
    name: 'Moonshot',
    stream: sse(
      { id: 'c', choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] },
      { id: 'c', choices: [{ index: 0, delta: { content: '月' }, finish_reason: null }] },
      { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'length', ...usageOf(3, 2) }] },
    ),
    deltas: [{ content: '月' }],
    finish: 'length',
    usage: [3, 2, 5],
  },
  {
    name: 'Groq',
    stream: sse(
      event({ role: 'assistant', content: null, reasoning: 'hm' }, null, { x_groq: { id: 'req_1', seed: 1 } }),
      event({ tool_calls: [{ ...whole(0, 'call_g', 'time', '{}'), type: 'function' }] }),
      event({}, 'tool_calls', { x_groq: { id: 'req_1', ...usageOf(20, 9) } }),
    ),
    deltas: [{ reasoning_content: 'hm' }, opening(0, 'call_g', 'time'), piece(0, '{}')],
    finish: 'tool_calls',
    usage: [20, 9, 29],
  },
  {
    name: 'Mistral',
    stream: sse(
      event({ role: 'assistant', content: '', index: 0 }, null, { p: 'abcd' }),
      event({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Which town?' }] }] }, null, { p: 'ab' }),
      event({ content: [{ type: 'text', text: 'I ask.' }] }, null, { p: 'abcdef' }),
      event(
        {
          content: '',
          tool_calls: [
            whole(undefined, 'Ab3dEf7hJ', 'ask', '{"a":1}'),
            whole(undefined, 'Kl3dEf7hJ', 'ask', '{"a":2}'),
          ],
        },
        'tool_calls',
        usageOf(15, 12),
      ),
    ),
    deltas: [
      { reasoning_content: 'Which town?' },
      { content: 'I ask.' },
      opening(0, 'Ab3dEf7hJ', 'ask'),
      piece(0, '{"a":1}'),
      opening(1, 'Kl3dEf7hJ', 'ask'),
      piece(1, '{"a":2}'),
    ],
    finish: 'tool_calls',
    usage: [15, 12, 27],
  },
  {
    name: 'xAI',
    stream: sse(
      { ...event({}), created: 1, choices: [{ index: 0, delta: { role: 'assistant', reasoning_content: 'Hmm' } }] },
      { ...event({}), created: 2, choices: [{ index: 0, delta: { role: 'assistant', content: 'No' } }] },
      { ...event({}), created: 3, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      onlyUsage({
        usage: {
          prompt_tokens: 307,
          completion_tokens: 26,
          total_tokens: 560,
          completion_tokens_details: { reasoning_tokens: 227 },
        },
      }),
    ),
    deltas: [{ reasoning_content: 'Hmm' }, { content: 'No' }],
    finish: 'stop',
    usage: [307, 253, 560],
  },
  {
    name: 'Cerebras',
    stream: sse(
      { ...event({}), choices: [{ index: 0, delta: { role: 'assistant' } }] },
      { ...event({}), choices: [{ index: 0, delta: { reasoning: 'quick' } }] },
      { ...event({}), choices: [{ index: 0, delta: { content: 'fast' } }] },
      event({}, 'stop', { ...usageOf(5, 2), time_info: { total_time: 0.01 } }),
    ),
    deltas: [{ reasoning_content: 'quick' }, { content: 'fast' }],
    finish: 'stop',
    usage: [5, 2, 7],
  },
  {
    name: 'Perplexity',
    stream: sse(
      event({ role: 'assistant', content: 'So' }, null, usageOf(4, 1)),
      event({ role: 'assistant', content: ' far' }, null, usageOf(4, 2)),
      {
        ...event({ role: 'assistant', content: '' }, 'stop', usageOf(4, 3)),
        object: 'chat.completion.done',
      },
      {
        ...event({}, null),
        choices: [{ index: 0, message: { role: 'assistant', content: 'So far' }, finish_reason: 'stop' }],
      },
    ).replaceAll('\n', '\r\n'),
    deltas: [{ content: 'So' }, { content: ' far' }],
    finish: 'stop',
    usage: [4, 3, 7],
  },
  {
    name: 'Together',
    stream: sse(
      {
        ...event({}),
        choices: [
          { index: 0, text: 'yes', delta: { role: 'assistant', content: 'yes', token_id: 1 }, finish_reason: null },
        ],
      },
      {
        ...event({}),
        choices: [{ index: 0, text: '', delta: { content: '', token_id: 2 }, finish_reason: 'eos' }],
        ...usageOf(2, 1),
      },
    ),
    deltas: [{ content: 'yes' }],
    finish: 'stop',
    usage: [2, 1, 3],
  },
  {
    name: 'OpenRouter',
    stream:
      ': OPENROUTER PROCESSING\n\n' +
      sse(
        event(
          {
            role: 'assistant',
            content: '',
            reasoning: 'Plan',
            reasoning_details: [{ type: 'reasoning.text', text: 'Plan' }],
          },
          null,
          { provider: 'Some' },
        ),
        event({ role: 'assistant', content: 'Done' }, null, { provider: 'Some' }),
        {
          ...event({}, 'stop'),
          choices: [
            {
              index: 0,
              delta: { role: 'assistant', content: '' },
              finish_reason: 'stop',
              native_finish_reason: 'end_turn',
            },
          ],
        },
        onlyUsage(usageOf(6, 4, { cost: 0.0001 })),
      ),
    deltas: [
      { reasoning_content: 'Plan' },
      { reasoning_details: [{ type: 'reasoning.text', text: 'Plan' }] },
      { content: 'Done' },
    ],
    finish: 'stop',
    usage: [6, 4, 10],
  },
  {
    name: 'Gemini',
    stream: sse(
      {
        choices: [
          {
            delta: {
              role: 'assistant',
              tool_calls: [
                {
                  ...whole(undefined, 'function-call-1', 'roll', '{"d":6}'),
                  extra_content: { google: { thought_signature: 'c2ln' } },
                },
              ],
            },
            index: 0,
          },
        ],
        ...usageOf(8, 3),
      },
      {
        choices: [
          {
            delta: { role: 'assistant', tool_calls: [whole(undefined, '', 'roll', '{"d":20}')] },
            finish_reason: 'stop',
            index: 0,
          },
        ],
        ...usageOf(8, 6),
      },
    ).replaceAll('\n', '\r\n'),
    deltas: [
      {
        tool_calls: [
          {
            index: 0,
            id: 'function-call-1',
            type: 'function',
            function: { name: 'roll', arguments: '' },
            extra_content: { google: { thought_signature: 'c2ln' } },
          } as ToolCallDelta,
        ],
      },
      piece(0, '{"d":6}'),
      opening(1, 'made-up-0', 'roll'),
      piece(1, '{"d":20}'),
    ],
    finish: 'tool_calls',
    usage: [8, 6, 14],
  },
  {
    name: 'vLLM',
    stream: sse(
      event({ role: 'assistant', content: '' }, null, { ...usageOf(5, 0), token_ids: null }),
      event({ reasoning: 'First' }, null, usageOf(5, 1)),
      event({ content: 'Second' }, null, usageOf(5, 2)),
      {
        ...event({}),
        choices: [{ index: 0, delta: { content: '' }, finish_reason: 'length', stop_reason: null, logprobs: null }],
        ...usageOf(5, 3),
      },
      onlyUsage(usageOf(5, 3)),
    ),
    deltas: [{ reasoning_content: 'First' }, { content: 'Second' }],
    finish: 'length',
    usage: [5, 3, 8],
  },
  {
    name: 'SGLang',
    stream: sse(
      event({ role: 'assistant' }),
      event({ content: 'a', reasoning_content: null, tool_calls: null }),
      event({ content: 'b', reasoning_content: null, tool_calls: null }),
      event({ content: 'c', reasoning_content: null, tool_calls: null }),
      event({}, 'stop', { matched_stop: 2 }),
    ),
    deltas: [{ content: 'a' }, { content: 'b' }, { content: 'c' }],
    finish: 'stop',
  },
  {
    name: 'Ollama',
    stream: sse(
      event({ role: 'assistant', content: '', reasoning: 'Ok' }, null, { system_fingerprint: 'fp_ollama' }),
      event(
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ ...whole(0, 'call_o1', 'ls', '{"path":"."}'), type: 'function' }],
        },
        null,
        { system_fingerprint: 'fp_ollama' },
      ),
      event({ role: 'assistant', content: '' }, 'tool_calls', { system_fingerprint: 'fp_ollama' }),
      onlyUsage({ ...usageOf(30, 12), system_fingerprint: 'fp_ollama' }),
    ),
    deltas: [{ reasoning_content: 'Ok' }, opening(0, 'call_o1', 'ls'), piece(0, '{"path":"."}')],
    finish: 'tool_calls',
    usage: [30, 12, 42],
  },
  {
    name: 'llama.cpp',
    stream:
      ':\n\n' +
      sse(
        event({ role: 'assistant', content: null }, null, { created: 1 }),
        event({ content: 'L' }, null, { created: 2 }),
        event({ content: 'lama' }, null, { created: 3 }),
        event({}, 'stop', { created: 4, timings: { prompt_n: 10, predicted_n: 2, predicted_ms: 1.5 } }),
      ),
    deltas: [{ content: 'L' }, { content: 'lama' }],
    finish: 'stop',
    usage: [10, 2, 12],
  },
  {
    name: 'LM Studio',
    stream: sse(
      event({
        role: 'assistant',
        tool_calls: [{ index: 0, id: '330', type: 'function', function: { name: 'say', arguments: '' } }],
      }),
      event({ tool_calls: [{ index: 0, type: 'function', function: { name: '', arguments: '{"to"' } }] }),
      event({ tool_calls: [{ index: 0, type: 'function', function: { name: '', arguments: ':"you"}' } }] }),
      event({}, 'tool_calls'),
    ),
    deltas: [opening(0, '330', 'say'), piece(0, '{"to"'), piece(0, ':"you"}')],
    finish: 'tool_calls',
  },
]
