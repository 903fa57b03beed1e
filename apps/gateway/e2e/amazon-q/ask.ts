import { APIError, type OpenAI } from 'openai'

/** What a user of the SDK sees of one answer, as much as came. */
export interface Seen {
  readonly text: string
  readonly thoughts: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  readonly finish: string | null
  readonly usage: OpenAI.CompletionUsage | undefined
  /** What was thrown; of an error in the middle of a stream the status is undefined. */
  readonly failure: APIError | undefined
  /** The id of the request in the log, but for failures within an answer. */
  readonly requestId: string | null
}

/** Asks for one answer: as a stream unless the members say otherwise. */
export async function ask(client: OpenAI, content: string, members: object = {}): Promise<Seen> {
  const body = { model: 'amazon-q', messages: [{ role: 'user', content }], stream: true, ...members }
  return body.stream === false ? askWhole(client, body) : askStream(client, body)
}

async function askWhole(client: OpenAI, body: object): Promise<Seen> {
  try {
    const asked = client.chat.completions.create(body as OpenAI.Chat.ChatCompletionCreateParamsNonStreaming)
    const { data, request_id: requestId } = await asked.withResponse()
    const { message, finish_reason: finish } = data.choices[0]!
    const { content, reasoning_content: thoughts } = message as { content: string | null; reasoning_content?: string }
    return {
      ...NOTHING,
      text: content ?? '',
      thoughts: thoughts ?? '',
      calls: (message.tool_calls ?? []).flatMap(call => {
        return call.type === 'function' ? [{ id: call.id, ...call.function }] : []
      }),
      finish,
      usage: data.usage,
      requestId,
    }
  } catch (error) {
    return { ...NOTHING, ...toFailure(error) }
  }
}

async function askStream(client: OpenAI, body: object): Promise<Seen> {
  let [text, thoughts] = ['', '']
  let finish: string | null = null
  let usage: OpenAI.CompletionUsage | undefined
  const calls: { id: string; name: string; arguments: string }[] = []
  let failure: Partial<Seen> = {}
  try {
    const members = { stream_options: { include_usage: true }, ...body }
    const asked = client.chat.completions.create(members as OpenAI.Chat.ChatCompletionCreateParamsStreaming)
    const { data, request_id: requestId } = await asked.withResponse()
    failure = { requestId }
    for await (const chunk of data) {
      usage = chunk.usage ?? usage
      const [choice] = chunk.choices
      if (choice === undefined) continue
      const delta = choice.delta as typeof choice.delta & { reasoning_content?: string }
      text += delta.content ?? ''
      thoughts += delta.reasoning_content ?? ''
      finish = choice.finish_reason ?? finish
      for (const { index, id, function: called } of delta.tool_calls ?? []) {
        const call = (calls[index] ??= { id: '', name: '', arguments: '' })
        call.id += id ?? ''
        call.name += called?.name ?? ''
        call.arguments += called?.arguments ?? ''
      }
    }
  } catch (error) {
    failure = { ...failure, ...toFailure(error) }
  }
  return { ...NOTHING, text, thoughts, calls, finish, usage, ...failure }
}

const NOTHING = {
  text: '',
  thoughts: '',
  calls: [],
  finish: null,
  usage: undefined,
  failure: undefined,
  requestId: null,
} satisfies Seen

/** @throws what is no answer of the gateway */
function toFailure(error: unknown): Partial<Seen> {
  if (!(error instanceof APIError)) throw error
  const requestId = error.headers?.get('x-request-id')
  return { failure: error, ...(requestId != null && { requestId }) }
}
