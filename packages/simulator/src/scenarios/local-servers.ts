import { HEAD } from '../chunks.ts'
import type { Scenarios, StreamEvent } from '../scenario.ts'
import { serverScenario, toChoice } from './server-stream.ts'
import type { Say } from './server-stream.ts'
import { argumentPieces, toCallHead, toWholeCall } from './tool-call.ts'

/** Streams in the manner of servers that people run themselves. */
export const LOCAL_SERVERS: Scenarios = {
  vllm: serverScenario('vLLM: `reasoning`, `stop_reason` and `token_ids` beside the delta.', {}, vllm),
  ollama: serverScenario(
    'Ollama: `reasoning`, whole calls before the finish.',
    { system_fingerprint: 'fp_ollama' },
    ollama,
  ),
  llamacpp: serverScenario(
    'llama.cpp: comment pings, content null first, `created` in each chunk anew, `timings`.',
    { system_fingerprint: 'b0000-simulated' },
    llamacpp,
  ),
}

function* vllm({ ask, chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  const next = (delta: object, finish: string | null = null): StreamEvent =>
    chunk([toChoice(delta, finish, { logprobs: null, ...(finish && { stop_reason: null }), token_ids: null })])
  yield next({ role: 'assistant', content: '' })
  for (const reasoning of thoughts) yield next({ reasoning })
  for (const content of words) yield next({ content })
  for (const [index, call] of calls.entries()) {
    yield next({ tool_calls: [toCallHead(call, { index })] })
    for (const piece of argumentPieces(ask, call))
      yield next({ tool_calls: [{ index, function: { arguments: piece } }] })
  }
  yield next(calls.length > 0 ? {} : { content: '' }, calls.length > 0 ? 'tool_calls' : 'stop')
  if (ask.includeUsage) yield chunk([], { usage })
}

function* ollama({ ask, chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  const next = (delta: object, finish: string | null = null): StreamEvent => chunk([toChoice(delta, finish)])
  for (const [at, reasoning] of thoughts.entries()) {
    yield next({ ...(at === 0 && { role: 'assistant' }), content: '', reasoning })
  }
  for (const [at, content] of words.entries()) {
    yield next({ ...(at === 0 && thoughts.length === 0 && { role: 'assistant' }), content })
  }
  if (calls.length > 0)
    yield next({ content: '', tool_calls: calls.map((call, index) => toWholeCall(call, { index })) })
  yield next({ content: '' }, calls.length > 0 ? 'tool_calls' : 'stop')
  if (ask.includeUsage) yield chunk([], { usage })
}

function* llamacpp({ ask, chunk, thoughts, words, calls, usage }: Say): Generator<StreamEvent> {
  let created: number = HEAD.created
  const next = (delta: object, finish: string | null = null, more: object = {}): StreamEvent =>
    chunk([toChoice(delta, finish)], { created: ++created, ...more })
  const timings = { prompt_n: 12, prompt_ms: 20.5, predicted_n: words.length, predicted_ms: 100.25 }
  yield { bytes: ':\n\n' }
  yield next({ role: 'assistant', content: null })
  for (const thought of thoughts) yield next({ reasoning_content: thought })
  yield { bytes: ':\n\n' }
  for (const content of words) yield next({ content })
  for (const [index, call] of calls.entries()) {
    yield next({ tool_calls: [toCallHead(call, { index })] })
    for (const piece of argumentPieces(ask, call))
      yield next({ tool_calls: [{ index, function: { arguments: piece } }] })
  }
  yield next({}, calls.length > 0 ? 'tool_calls' : 'stop', ask.includeUsage ? {} : { timings })
  if (ask.includeUsage) yield chunk([], { usage, timings })
}
