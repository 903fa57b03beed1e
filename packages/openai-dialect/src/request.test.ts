import { ChatRequest, parseJsonSource, type Call } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { toBody, type RequestRules } from './request.ts'

const RULES: RequestRules = { developerRole: 'system', streamOptions: true }
const USAGE = { include_usage: true }
const HELLO = [{ role: 'user', content: 'Hello' }]

interface Case {
  readonly members?: Readonly<Record<string, unknown>>
  readonly rules?: Partial<RequestRules>
  readonly stream?: boolean
  /** Members of the body besides `model` and, where they stay as they are, `messages`. */
  readonly expected: Readonly<Record<string, unknown>>
}

const CASES: Readonly<Record<string, Case>> = {
  'a stream is asked for, with its usage': { expected: { stream: true, stream_options: USAGE } },
  'usage is asked for although the client does not want to see it': {
    members: { stream: true, stream_options: { include_usage: false } },
    expected: { stream: true, stream_options: USAGE },
  },
  'what else the client wants of a stream stays': {
    members: { stream_options: { include_obfuscation: false } },
    expected: { stream: true, stream_options: { include_obfuscation: false, ...USAGE } },
  },
  'an upstream that does not know `stream_options` gets none': {
    members: { stream: true, stream_options: { include_usage: true } },
    rules: { streamOptions: false },
    expected: { stream: true },
  },
  'a whole answer is asked for by saying nothing of streams': {
    members: { stream: true, stream_options: { include_usage: true } },
    stream: false,
    expected: {},
  },
  'unknown members go on': {
    members: { top_k: 20, metadata: { team: 'a' }, seed: null },
    expected: { stream: true, stream_options: USAGE, top_k: 20, metadata: { team: 'a' }, seed: null },
  },
  'of two limits the newer counts': {
    members: { max_tokens: 5, max_completion_tokens: 7 },
    expected: { stream: true, stream_options: USAGE, max_completion_tokens: 7 },
  },
  'a limit that is null does not count': {
    members: { max_tokens: 5, max_completion_tokens: null },
    expected: { stream: true, stream_options: USAGE, max_tokens: 5, max_completion_tokens: null },
  },
  'a member goes under another name': {
    members: { max_completion_tokens: 7 },
    rules: { rename: { max_completion_tokens: 'max_tokens' } },
    expected: { stream: true, stream_options: USAGE, max_tokens: 7 },
  },
  'the newer limit counts under its other name, too': {
    members: { max_tokens: 5, max_completion_tokens: 7 },
    rules: { rename: { max_completion_tokens: 'max_tokens' } },
    expected: { stream: true, stream_options: USAGE, max_tokens: 7 },
  },
  'a member that is not there gets no other name': {
    members: { max_tokens: 5, user: null },
    rules: { rename: { max_completion_tokens: 'max_tokens', user: 'safety_identifier' } },
    expected: { stream: true, stream_options: USAGE, max_tokens: 5, user: null },
  },
  'a member that the gateway sets goes under another name': {
    rules: { rename: { stream_options: 'streaming' } },
    expected: { stream: true, streaming: USAGE },
  },
  'a member is left out': {
    members: { user: 'somebody', logit_bias: {} },
    rules: { drop: ['user', 'logit_bias', 'stream_options', 'absent'] },
    expected: { stream: true },
  },
  'a member is set whatever the client says, even one that is left out': {
    members: { temperature: 1 },
    rules: { drop: ['temperature'], set: { temperature: 0, top_k: 20 } },
    expected: { stream: true, stream_options: USAGE, temperature: 0, top_k: 20 },
  },
  'a developer is a system': {
    members: { messages: [{ role: 'developer', content: 'Be brief.', name: 'd' }, ...HELLO] },
    expected: {
      messages: [{ role: 'system', content: 'Be brief.', name: 'd' }, ...HELLO],
      stream: true,
      stream_options: USAGE,
    },
  },
  'a developer stays one where that role is known': {
    members: { messages: [{ role: 'developer', content: 'Be brief.' }, ...HELLO] },
    rules: { developerRole: 'developer' },
    expected: {
      messages: [{ role: 'developer', content: 'Be brief.' }, ...HELLO],
      stream: true,
      stream_options: USAGE,
    },
  },
}

function bodyOf(source: string, rules: RequestRules, { stream = true, spliced = true } = {}): string {
  const bytes = parseJsonSource(Buffer.from(source))
  const call: Call = {
    model: 'upstream-model',
    head: { id: 'chatcmpl-test', created: 1_800_000_000, model: 'as/asked-for', includeUsage: true },
    stream,
    signal: new AbortController().signal,
    requestId: 'req_test',
    ...(spliced ? { source: bytes } : undefined),
  }
  return toBody(ChatRequest.parse(bytes.value), call, rules).toString()
}

describe.for([true, false])('from the bytes of the request: %s', spliced => {
  test.for(Object.entries(CASES))('%s', ([, { members, rules, stream = true, expected }]) => {
    const source = JSON.stringify({ model: 'as/asked-for', messages: HELLO, ...members })
    const body = bodyOf(source, { ...RULES, ...rules }, { stream, spliced })
    expect(JSON.parse(body)).toEqual({ model: 'upstream-model', messages: HELLO, ...expected })
  })
})

test('what need not change keeps its bytes', () => {
  const messages = '[ {"role":"user" ,\t"content":"\\u00e9\\ud83d é 🐉 \\/", "n" : 1.0e2} ]'
  const number = '123456789012345678901234567890.10'
  const source = `{ "model" : "as/asked-for",\n"messages" : ${messages},\n "seed":${number} , "stream": true}`
  const body = bodyOf(source, RULES)
  expect(body).toContain(`"messages" : ${messages}`)
  expect(body).toContain(`"seed":${number}`)
  expect(JSON.parse(body)).toMatchObject({ model: 'upstream-model', stream: true, stream_options: USAGE })
})

test('no member stands twice', () => {
  const source =
    '{"model":"m","messages":[{"role":"user","content":"Hello"}],"max_tokens":1,"stream":false,"m\\u0061x_completion_tokens":2}'
  const body = bodyOf(source, { ...RULES, rename: { max_completion_tokens: 'max_tokens' }, set: { stream: true } })
  expect(() => parseJsonSource(Buffer.from(body))).not.toThrow()
  expect(JSON.parse(body)).toMatchObject({ max_tokens: 2 })
})
