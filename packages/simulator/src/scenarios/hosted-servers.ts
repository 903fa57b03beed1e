import { HEAD } from '../chunks.ts'
import type { Scenarios, StreamEvent } from '../scenario.ts'
import { textPieces } from '../words.ts'
import { serverScenario, toChoice } from './server-stream.ts'
import type { Say } from './server-stream.ts'
import { argumentPieces, toCallHead, toWholeCall } from './tool-call.ts'

const SAFE = Object.fromEntries(
  ['hate', 'self_harm', 'sexual', 'violence'].map(name => [name, { filtered: false, severity: 'safe' }]),
)

/** Streams in the manner of hosted services. */
export const HOSTED_SERVERS: Scenarios = {
  azure: serverScenario('Azure OpenAI: an empty first chunk, filter results, annotations.', {}, azure, {
    thinks: false,
  }),
  deepseek: serverScenario(
    'DeepSeek: comments while queued, nulls beside text, usage on the finish chunk, blank lines before JSON.',
    { system_fingerprint: 'fp_simulated_prod' },
    deepseek,
    { prefix: '\n\n\n' },
  ),
  groq: serverScenario('Groq: `reasoning`, whole calls, usage doubled under `x_groq`, rate headers.', {}, groq, {
    headers: { 'x-ratelimit-limit-requests': '14400', 'x-ratelimit-remaining-requests': '14399' },
  }),
  mistral: serverScenario('Mistral: content in arrays, whole calls without index and type, padding.', {}, mistral),
  xai: serverScenario(
    'xAI: no `finish_reason` until the end, `created` moves, thoughts are not in the completion tokens.',
    { system_fingerprint: 'fp_simulated' },
    xai,
  ),
  cerebras: serverScenario('Cerebras: no `finish_reason` until the end, `time_info`.', {}, cerebras),
  perplexity: serverScenario(
    'Perplexity: CRLF, a role in every chunk, usage growing in each, <think> in the text, another object at the end.',
    {},
    perplexity,
    { defaults: { eol: 'crlf' } },
  ),
  gemini: serverScenario(
    'Gemini: CRLF, few members, whole calls without index, `stop` though tools were called.',
    {},
    gemini,
    { defaults: { eol: 'crlf' }, thinks: false },
  ),
  openrouter: serverScenario(
    'OpenRouter: comments, `provider`, `reasoning_details`, cost in the usage.',
    { provider: 'Simulated' },
    openrouter,
    { headers: { 'x-generation-id': 'gen-simulated-1' } },
  ),
  moonshot: serverScenario(
    'Moonshot: no `object`, usage inside the choice that finishes.',
    { object: undefined },
    function* ({ chunk, thoughts, words, calls, usage }) {
      yield chunk([toChoice({ role: 'assistant', content: '' })])
      for (const thought of thoughts) yield chunk([toChoice({ reasoning_content: thought })])
      for (const content of words) yield chunk([toChoice({ content })])
      for (const [index, call] of calls.entries())
        yield chunk([toChoice({ tool_calls: [toWholeCall(call, { index })] })])
      yield chunk([toChoice({}, finishOf(calls), { usage })])
    },
  ),
  together: serverScenario(
    'Together: `text` and `token` beside the content, `eos` for an end.',
    {},
    function* ({ chunk, words, calls, usage }) {
      for (const content of words) {
        yield chunk([toChoice({ role: 'assistant', content, token_id: 7 }, null, { text: content })], { usage: null })
      }
      for (const [index, call] of calls.entries())
        yield chunk([toChoice({ tool_calls: [toWholeCall(call, { index })] })])
      yield chunk([toChoice({ role: 'assistant', content: '' }, calls.length > 0 ? 'tool_calls' : 'eos')], { usage })
    },
    { thinks: false },
  ),
}

function finishOf(calls: readonly object[]): string {
  return calls.length > 0 ? 'tool_calls' : 'stop'
}

function* azure({ ask, chunk, words, calls, usage }: Say): Generator<StreamEvent> {
  const prompt_filter_results = [{ prompt_index: 0, content_filter_results: SAFE }]
  yield chunk([], { id: '', object: '', created: 0, model: '', prompt_filter_results })
  yield chunk([toChoice({ role: 'assistant', content: '', refusal: null }, null, { content_filter_results: {} })])
  for (const content of words) yield chunk([toChoice({ content }, null, { content_filter_results: SAFE })])
  const annotation = { content_filter_offsets: { check_offset: 44, start_offset: 44, end_offset: 198 } }
  yield chunk([{ index: 0, finish_reason: null, content_filter_results: SAFE, ...annotation }], { id: '', model: '' })
  for (const [index, call] of calls.entries()) {
    yield chunk([toChoice({ tool_calls: [toCallHead(call, { index })] })])
    for (const piece of argumentPieces(ask, call)) {
      yield chunk([toChoice({ tool_calls: [{ index, function: { arguments: piece } }] })])
    }
  }
  yield chunk([toChoice({}, finishOf(calls), { content_filter_results: {} })])
  yield chunk([], { id: '', model: '', created: 0, content_filter_results: SAFE })
  if (ask.includeUsage) yield chunk([], { usage })
}

function* deepseek({ ask, chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  yield { bytes: ': keep-alive\n\n: keep-alive\n\n' }
  yield chunk([toChoice({ role: 'assistant', content: null, reasoning_content: '' }, null, { logprobs: null })])
  for (const thought of thoughts) yield chunk([toChoice({ content: null, reasoning_content: thought })])
  for (const content of words) yield chunk([toChoice({ content, reasoning_content: null })])
  for (const [index, call] of calls.entries()) {
    yield chunk([toChoice({ tool_calls: [toCallHead(call, { index })] })])
    for (const piece of argumentPieces(ask, call)) {
      yield chunk([toChoice({ tool_calls: [{ index, function: { arguments: piece } }] })])
    }
  }
  const cache = { prompt_cache_hit_tokens: 0, prompt_cache_miss_tokens: usage['prompt_tokens'] }
  yield chunk([toChoice({ content: '', reasoning_content: null }, finishOf(calls))], { usage: { ...usage, ...cache } })
}

function* groq({ chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  const id = 'req_simulated'
  const timed = { ...usage, queue_time: 0.01, prompt_time: 0.002, completion_time: 0.1, total_time: 0.102 }
  yield chunk([toChoice({ role: 'assistant', content: null })], { x_groq: { id, seed: 7 } })
  for (const reasoning of thoughts) yield chunk([toChoice({ reasoning })])
  for (const content of words) yield chunk([toChoice({ content })])
  for (const [index, call] of calls.entries()) yield chunk([toChoice({ tool_calls: [toWholeCall(call, { index })] })])
  yield chunk([toChoice({}, finishOf(calls))], { x_groq: { id, usage: timed }, usage: timed })
}

function* mistral({ chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  const p = 'abcdefghij'
  yield chunk([toChoice({ role: 'assistant', content: '' })], { p })
  for (const text of thoughts) {
    const content = [{ type: 'thinking', thinking: [{ type: 'text', text }] }]
    yield chunk([toChoice({ content, index: 0 })], { p })
  }
  // Once the thinking is over, text may be a string again.
  for (const [at, text] of words.entries()) {
    yield chunk([toChoice({ content: at % 2 === 0 ? [{ type: 'text', text }] : text })], { p })
  }
  const tool_calls = calls.map(({ name, arguments: text }, at) => ({
    id: `simulat0${at}`,
    function: { name, arguments: text },
  }))
  yield chunk([toChoice(calls.length > 0 ? { tool_calls } : { content: '' }, finishOf(calls))], { p, usage })
}

function* xai({ chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  let created: number = HEAD.created
  const next = (delta: object, more: object = {}): StreamEvent =>
    chunk([{ index: 0, delta, ...more }], { created: ++created })
  const completion_tokens = words.length + calls.length
  yield next({ role: 'assistant', content: '' })
  for (const thought of thoughts) yield next({ role: 'assistant', reasoning_content: thought })
  for (const content of words) yield next({ role: 'assistant', content })
  for (const [index, call] of calls.entries()) yield next({ tool_calls: [toWholeCall(call, { index })] })
  yield next({}, { finish_reason: finishOf(calls) })
  yield chunk([], { created: ++created, usage: { ...usage, completion_tokens } })
}

function* cerebras({ chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  yield chunk([{ index: 0, delta: { role: 'assistant' } }])
  for (const reasoning of thoughts) yield chunk([{ index: 0, delta: { reasoning } }])
  for (const content of words) yield chunk([{ index: 0, delta: { content } }])
  for (const [index, call] of calls.entries()) {
    yield chunk([{ index: 0, delta: { tool_calls: [toWholeCall(call, { index })] } }])
  }
  const time_info = { queue_time: 0.0001, prompt_time: 0.002, completion_time: 0.01, total_time: 0.02 }
  yield chunk([toChoice({}, finishOf(calls))], { usage, time_info })
}

function* perplexity({ ask, chunk, thoughts, usage }: Say): Generator<StreamEvent> {
  const citations = ['https://example.com/mills']
  const words = textPieces(ask.options) // it calls no tools
  const pieces = thoughts.length > 0 ? ['<think>', ...thoughts, '</think>', ...words] : [...words]
  const counted = (completion_tokens: number): object => ({
    citations,
    usage: { ...usage, completion_tokens, total_tokens: Number(usage['prompt_tokens']) + completion_tokens },
  })
  for (const [at, content] of pieces.entries()) {
    yield chunk([toChoice({ role: 'assistant', content })], counted(at + 1))
  }
  const last = toChoice({ role: 'assistant', content: '' }, 'stop')
  yield chunk([last], { object: 'chat.completion.done', ...counted(pieces.length) })
}

function* gemini({ chunk, words, calls, usage }: Say): Generator<StreamEvent> {
  for (const content of words) yield chunk([{ index: 0, delta: { role: 'assistant', content } }], { usage })
  const extra_content = { google: { thought_signature: 'c2ltdWxhdGVk' } }
  if (calls.length > 0) {
    const tool_calls = calls.map(call => toWholeCall(call, { extra_content }))
    yield chunk([{ index: 0, delta: { role: 'assistant', tool_calls } }], { usage })
  }
  yield chunk([{ index: 0, delta: { role: 'assistant' }, finish_reason: 'stop' }], { usage })
}

function* openrouter({ ask, chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  const next = (delta: object, finish: string | null = null): StreamEvent =>
    chunk([
      toChoice({ role: 'assistant', content: '', ...delta }, finish, { native_finish_reason: finish, logprobs: null }),
    ])
  yield { bytes: ': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n' }
  for (const text of thoughts) {
    yield next({ reasoning: text, reasoning_details: [{ type: 'reasoning.text', text, format: 'unknown', index: 0 }] })
  }
  for (const content of words) yield next({ content })
  for (const [index, call] of calls.entries()) {
    yield next({ tool_calls: [toCallHead(call, { index })] })
    for (const piece of argumentPieces(ask, call)) {
      yield next({ tool_calls: [{ index, type: 'function', function: { arguments: piece } }] })
    }
  }
  yield next({}, finishOf(calls))
  yield chunk([toChoice({ role: 'assistant', content: '' })], { usage: { ...usage, cost: 0.000_12, is_byok: false } })
}
