import { parseBody } from '../chat-request.ts'
import type { Answer, StreamEvent } from '../scenario.ts'
import type { QwenAccount } from './accounts.ts'
import { answerChat } from './chat.ts'
import type { ChatBody } from './chat-body.ts'
import { QWEN_HEAD } from './chunks.ts'
import type { QwenAsk, QwenChoice } from './chunks.ts'
import { ServiceError } from './errors.ts'
import type { QwenModel } from './models.ts'
import type { Asked, Route } from './route.ts'
import { withNativeLines } from './script.ts'
import type { World } from './world.ts'

/** How an answer is written, as the request has it. */
interface NativeManner {
  /** Each frame has what is new, instead of all so far. */
  readonly incremental: boolean
  /** `text`: the older form without choices; `parts`: content is a list. */
  readonly content: 'text' | 'message' | 'parts'
}

interface Message {
  readonly content: string
  readonly reasoning_content: string
  readonly tool_calls: readonly Call[]
}

interface Call {
  readonly index: number
  readonly id: string
  readonly type: string
  readonly function: { readonly name?: string; readonly arguments?: string | null }
}

/** The native API's generation endpoint, for text or for several kinds of media. */
export function nativeRoute(
  world: World,
  kind: 'text' | 'multimodal',
  authorize: (asked: Asked) => QwenAccount,
): Route {
  return {
    shape: shapeOf,
    handle(asked) {
      const account = authorize(asked)
      const { model, input, parameters } = parseBody(asked.body) as {
        model?: unknown
        input?: object
        parameters?: object
      }
      const settings = { ...parameters } as Readonly<Record<string, unknown>>
      const manner: NativeManner = {
        incremental: settings['incremental_output'] === true,
        content: kind === 'multimodal' ? 'parts' : settings['result_format'] === 'message' ? 'message' : 'text',
      }
      const stream = isStreamed(asked)
      const plain = { ...settings, ...input, model, stream, stream_options: { include_usage: true } }
      return answerChat(world, asked, account, JSON.stringify(plain), {
        shape: shapeOf(asked),
        check: (_: ChatBody, found: QwenModel, thinks: boolean) => check(kind, found, thinks && !manner.incremental),
        translate: (answer, ask) => translate(answer, ask, manner),
      })
    },
  }
}

function isStreamed({ headers }: Asked): boolean {
  return headers['x-dashscope-sse'] === 'enable'
}

function shapeOf(asked: Asked): 'sse' | 'native' {
  return isStreamed(asked) ? 'sse' : 'native'
}

function check(kind: 'text' | 'multimodal', model: QwenModel, thinksAtOnce: boolean): void {
  if ((model.multimodal === true) !== (kind === 'multimodal')) throw new ServiceError('url-error')
  if (thinksAtOnce) {
    throw new ServiceError('invalid-parameter', 'incremental_output must be true when enable_thinking is true')
  }
}

function translate(answer: Answer, ask: QwenAsk, manner: NativeManner): Answer {
  const { events, body } = answer
  if (events !== undefined) {
    const toEvents = (): Iterable<StreamEvent> => withNativeLines(toFrames(events(), ask, manner))
    return { ...answer, events: toEvents, defaults: { space: '0', ...answer.defaults, done: '0' } }
  }
  const whole = readCompletion(body)
  if (whole === undefined) return answer
  const { message, finish_reason } = whole.choices[0]!
  const { prompt_tokens: input, completion_tokens: output } = whole.usage
  const calls = { ...(message.tool_calls && { tool_calls: message.tool_calls }) }
  const said = { content: message.content, reasoning_content: message.reasoning_content ?? '' }
  const usage = { total_tokens: input + output, output_tokens: output, input_tokens: input }
  return { ...answer, body: JSON.stringify(toFrame({ ...said, ...calls }, finish_reason, usage, manner)) }
}

interface Completion {
  readonly choices: readonly {
    readonly message: { readonly content: string; readonly reasoning_content?: string; readonly tool_calls?: Call[] }
    readonly finish_reason: string
  }[]
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number }
}

/** A completion, if the body is one. */
function readCompletion(body: Answer['body']): Completion | undefined {
  const text = String(body ?? '')
  return text.startsWith('{"choices":[{') ? (JSON.parse(text) as Completion) : undefined
}

/** Chunks → frames; what is no chunk with a choice stays as it is, but for usage, which stands in all frames. */
function* toFrames(events: Iterable<StreamEvent>, ask: QwenAsk, manner: NativeManner): Generator<StreamEvent> {
  let said: Message = { content: '', reasoning_content: '', tool_calls: [] }
  let output = 0
  let thought = 0
  for (const event of events) {
    const { choices } = ('data' in event ? event.data : {}) as { choices?: readonly QwenChoice[] }
    const [choice] = choices ?? []
    if (choices === undefined) yield event
    if (choice === undefined) continue
    const fresh = toMessage(choice)
    if (fresh === undefined && !choice.finish_reason) continue
    output++
    if (fresh?.reasoning_content) thought++
    if (fresh !== undefined) said = joined(said, fresh)
    const input = ask.options.number('prompt', 12)
    const usage = {
      total_tokens: input + output,
      output_tokens: output,
      input_tokens: input,
      ...(thought > 0 && { output_tokens_details: { reasoning_tokens: thought } }),
    }
    const shown = manner.incremental ? (fresh ?? { content: '' }) : said
    yield { data: toFrame(shown, choice.finish_reason ?? 'null', usage, manner) }
  }
}

/** What a choice adds; undefined where that is nothing. */
function toMessage({ delta }: QwenChoice): Message | undefined {
  const { content, reasoning_content, tool_calls } = (delta ?? {}) as Partial<Message>
  if (!content && !reasoning_content && !tool_calls) return undefined
  return { content: content ?? '', reasoning_content: reasoning_content ?? '', tool_calls: tool_calls ?? [] }
}

function joined(before: Message, fresh: Message): Message {
  const calls = [...before.tool_calls]
  for (const call of fresh.tool_calls) {
    const at = calls.findIndex(known => known.index === call.index)
    const known = calls[at]
    if (known === undefined) calls.push(call)
    else {
      const args = (known.function.arguments ?? '') + (call.function.arguments ?? '')
      calls[at] = { ...known, function: { ...known.function, arguments: args } }
    }
  }
  return {
    content: before.content + fresh.content,
    reasoning_content: before.reasoning_content + fresh.reasoning_content,
    tool_calls: calls,
  }
}

function toFrame(message: Partial<Message>, finish: string, usage: object, manner: NativeManner): object {
  return { output: toOutput(message, finish, manner), usage, request_id: QWEN_HEAD.requestId }
}

function toOutput(message: Partial<Message>, finish: string, { content: form }: NativeManner): object {
  const { content = '', reasoning_content: thoughts, tool_calls: calls = [] } = message
  if (form === 'text') return { text: content, finish_reason: finish }
  return {
    choices: [
      {
        message: {
          content: form === 'parts' ? [{ text: content }] : content,
          ...(thoughts ? { reasoning_content: thoughts } : {}),
          role: 'assistant',
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        finish_reason: finish,
      },
    ],
  }
}
