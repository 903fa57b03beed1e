import { toCompatBody, toErrorAnswer, toErrorFrame } from '../error-answer.ts'
import { toServiceFault } from '../errors.ts'
import type { Script, Scripts } from '../script.ts'

/** What writes the chunks of one answer. */
interface Writer {
  /** A chunk with this choice, whatever it has. */
  readonly choice: (choice: object) => string
  readonly delta: (delta: object, finish?: string) => string
  readonly usage: (usage: object) => string
}

function createWriter(second: number, model: string, id: string): Writer {
  const rest = `,"created":${1_780_000_000 + second},"system_fingerprint":null,"model":"${model}","id":"chatcmpl-${id}"}`
  const choice = (choice: object): string =>
    `{"choices":[${JSON.stringify(choice)}],"object":"chat.completion.chunk","usage":null${rest}`
  return {
    choice,
    delta: (delta, finish) => choice({ delta, finish_reason: finish ?? null, index: 0, logprobs: null }),
    usage: usage => `{"choices":[],"object":"chat.completion.chunk","usage":${JSON.stringify(usage)}${rest}`,
  }
}

const plain = (...data: readonly string[]): string => data.map(one => `data: ${one}\n\n`).join('')
const native = (...data: readonly string[]): string =>
  data.map((one, at) => `id:${at + 1}\r\nevent:result\r\n:HTTP_STATUS/200\r\ndata:${one}\r\n\r\n`).join('')

const role = { content: '', role: 'assistant' }
const type = 'function'

function calling(...tool_calls: readonly object[]): object {
  return { content: null, tool_calls }
}

function opening(id: string, name: string, args: string): object {
  return calling({ index: 0, id, type, function: { name, arguments: args } })
}

function more(index: number, id: string, args: string): object {
  return calling({ index, id, type, function: { arguments: args } })
}

function toText(): string {
  const { delta, usage } = createWriter(1, 'qwen3-max', '0a1b2c3d-1111-9222-8333-444455556666')
  return (
    plain(delta(role), delta({ content: 'café ' })) +
    ': keep-alive\n\n' +
    plain(
      delta({ content: '你好' }),
      delta({ content: '!' }),
      delta({ content: '' }, 'stop'),
      usage({
        prompt_tokens: 12,
        completion_tokens: 6,
        total_tokens: 18,
        prompt_tokens_details: { cached_tokens: 0 },
      }),
    ) +
    'data: [DONE]'
  )
}

function toReasoning(): string {
  const { delta, usage } = createWriter(2, 'qwen3.5-plus', '77777777-aaaa-9bbb-8ccc-dddddddddddd')
  return native(
    delta({ content: null, role: 'assistant', reasoning_content: '' }),
    delta({ content: null, reasoning_content: 'Count r: ' }),
    delta({ content: null, reasoning_content: '3.' }),
    delta({ content: '3 🍓', reasoning_content: null }),
    delta({ content: '', reasoning_content: null }, 'stop'),
    usage({
      prompt_tokens: 24,
      completion_tokens: 15,
      total_tokens: 39,
      completion_tokens_details: { reasoning_tokens: 9 },
      prompt_tokens_details: { cached_tokens: 0 },
    }),
  )
}

function toCalls(): string {
  const { choice, delta, usage } = createWriter(3, 'qwen3-coder-plus', 'cccccccc-1212-9343-8454-565656565656')
  const name = 'get_weather'
  const paris = { index: 0, id: 'call_5f1e0c9ab34d4e7f8a9b0c1d', type, function: { name, arguments: '' } }
  const rome = { index: 1, id: 'call_77aa88bb99cc00dd11ee22ff', type }
  return plain(
    delta({ ...calling(paris), role: 'assistant' }),
    delta(more(0, '', '{"city": "Par')),
    delta(more(0, '', 'is"}')),
    delta(calling({ ...rome, function: { name, arguments: null } })),
    delta(calling({ ...rome, function: { name, arguments: '{"city": "Roma", "unit": "°C"' } })),
    delta(more(1, '', '}')),
    choice({ delta: { tool_calls: [{ function: { arguments: null }, index: 1, id: '', type }] }, index: 0 }),
    delta({}, 'tool_calls'),
    usage({
      prompt_tokens: 310,
      completion_tokens: 48,
      total_tokens: 358,
      prompt_tokens_details: { cached_tokens: 256 },
    }),
    '[DONE]',
  )
}

function toReusedIndex(): string {
  const { delta } = createWriter(4, 'qwen-vl-max', 'cccccccc-2222-9343-8454-565656565656')
  return plain(
    delta(opening('call_A', 'a', '{"x":1}')),
    delta(opening('call_B', 'b', '')),
    delta(more(0, '', '{"y":2}')),
    delta({ content: '' }, 'stop'),
    '[DONE]',
  )
}

const TROUBLED_ID = 'dddddddd-1111-9222-8333-444455556666'
const TROUBLED = createWriter(5, 'qwen3-coder-plus', TROUBLED_ID)
const REQUEST = '9f2c7c1e-0000-4000-8000-0000000000d'

function toTrouble(content: string, rest: string): string {
  const begun = content === '' ? [] : [TROUBLED.delta({ content })]
  return plain(TROUBLED.delta(role), ...begun) + rest
}

function toGrowing({ delta }: Writer, contents: readonly string[]): string {
  const deltas = contents.map(content => delta({ content }))
  return plain(delta(role), ...deltas, delta({ content: '' }, 'stop'), '[DONE]')
}

function toStreamOnly(): string {
  const { delta, usage } = createWriter(8, 'qwq-plus', 'eeeeeeee-1111-9222-8333-444455556666')
  return plain(
    delta({ content: null, role: 'assistant', reasoning_content: '' }),
    delta({ content: null, reasoning_content: 'Simple sum.' }),
    delta({ content: '2', reasoning_content: null }),
    delta({ content: '', reasoning_content: null }, 'stop'),
    usage({
      prompt_tokens: 10,
      completion_tokens: 8,
      total_tokens: 18,
      completion_tokens_details: { reasoning_tokens: 6 },
    }),
    '[DONE]',
  )
}

const GROWN = ['The quick', 'The quick brown', 'The quick brown fox', 'The quick brown', 'The quick brown fox.']

/** Examples → what they show, their text, and the bytes at which a write ends, where that is not the end of the text. */
const STREAMS: Readonly<Record<string, readonly [summary: string, text: string, cuts?: readonly number[]]>> = {
  '9.1': ['plain text; split keyword and characters, a comment, no final newline', toText(), [3, 321, 598, 850, 1640]],
  '9.2': [
    'reasoning in native lines with CR LF; an emoji cut twice, no [DONE]',
    toReasoning(),
    [342, 1087, 1089, 1758],
  ],
  '9.3': ['parallel calls; empty ids, a repeated id, null arguments', toCalls(), [539, 1139, 1741, 3198]],
  '9.3-reused': ['a second call on a used index, finish `stop`', toReusedIndex()],
  '9.4a': [
    'a native error frame behind text',
    toTrouble('Partial ans', toErrorFrame(toServiceFault('allocated-quota'), `${REQUEST}1`, 3)),
    [576, 666],
  ],
  '9.4b': ['an error object behind text', toTrouble('Partial ans', plain(JSON.stringify(toInspected()), '[DONE]'))],
  '9.4c': [
    '`error_finish` before any text',
    toTrouble('', plain(TROUBLED.delta({ content: 'Throttling: TPM(1000000/1000000)' }, 'error_finish'), '[DONE]')),
  ],
  '9.4d': ['a stream that just ends', toTrouble('half of a sen', '')],
  '9.5': [
    'all of the text so far, with a rewind',
    toGrowing(createWriter(6, 'qwen3.6-plus', 'ffffffff-1111-9222-8333-444455556666'), GROWN),
  ],
  '9.5-repeat': [
    'a repeat that is none',
    toGrowing(createWriter(7, 'qwen3-max', 'ffffffff-2222-9222-8333-444455556666'), ['ha', 'haha', '!']),
  ],
  '9.7': ['the stream behind a whole answer of a stream-only model', toStreamOnly()],
}

function toInspected(): object {
  return toCompatBody(toServiceFault('inspected-output'), `${REQUEST}2`, { id: `chatcmpl-${TROUBLED_ID}` })
}

/** The worked examples, byte for byte and write by write, whatever the request asks for. */
export const EXAMPLES: Scripts = {
  ...Object.fromEntries(
    Object.entries(STREAMS).map(([number, [summary, text, cuts]]) => [
      `example-${number}`,
      toExample(`Example ${number}: ${summary}.`, Buffer.from(text), cuts),
    ]),
  ),
  'example-9.6': {
    summary: 'Example 9.6: a token that has expired, or is told so.',
    answer: () => toErrorAnswer(toServiceFault('token-expired'), 'compat', '8c1d2f30-0000-4000-8000-000000000001'),
  },
}

function toExample(summary: string, bytes: Buffer, cuts: readonly number[] = []): Script {
  const writes = [...cuts, bytes.length].map((end, at) => bytes.subarray(cuts[at - 1] ?? 0, end))
  return {
    summary,
    answer: () => ({ events: () => writes.map(bytes => ({ bytes })), defaults: { done: '0' }, apart: true }),
  }
}
