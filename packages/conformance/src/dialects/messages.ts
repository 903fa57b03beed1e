import { z } from 'zod'
import { readNamedEvents } from './named-events.ts'

const count = z.int().min(0)
const index = z.int().min(0)
const text = z.string().min(1)

const usage = z.strictObject({
  input_tokens: count,
  output_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
})

const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.literal('') }),
  // A signature that Anthropic's servers did not make would be a forged one.
  z.strictObject({ type: z.literal('thinking'), thinking: z.literal(''), signature: z.literal('') }),
  z.strictObject({ type: z.literal('tool_use'), id: text, name: text, input: z.strictObject({}) }),
])

const delta = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text_delta'), text }),
  z.strictObject({ type: z.literal('thinking_delta'), thinking: text }),
  z.strictObject({ type: z.literal('input_json_delta'), partial_json: text }),
])

/** The type of block that each delta belongs into. */
const BELONGS = { text_delta: 'text', thinking_delta: 'thinking', input_json_delta: 'tool_use' } as const

const event = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message_start'),
    message: z.strictObject({
      id: z.string().regex(/^msg_\w+$/),
      type: z.literal('message'),
      role: z.literal('assistant'),
      model: text,
      content: z.tuple([]),
      stop_reason: z.null(),
      stop_sequence: z.null(),
      usage,
    }),
  }),
  z.strictObject({ type: z.literal('ping') }),
  z.strictObject({ type: z.literal('content_block_start'), index, content_block: block }),
  z.strictObject({ type: z.literal('content_block_delta'), index, delta }),
  z.strictObject({ type: z.literal('content_block_stop'), index }),
  z.strictObject({
    type: z.literal('message_delta'),
    delta: z.strictObject({
      stop_reason: z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'refusal']),
      stop_sequence: z.string().nullable(),
    }),
    usage,
  }),
  z.strictObject({ type: z.literal('message_stop') }),
  z.strictObject({ type: z.literal('error'), error: z.strictObject({ type: text, message: text }) }),
])
type Event = z.infer<typeof event>
type Of<Type extends Event['type']> = Extract<Event, { type: Type }>

interface Block {
  readonly type: z.infer<typeof block>['type']
  readonly id: string | undefined
  json: string
  isOpen: boolean
}

/**
 * Every way in which the text of a stream is not what a strict client of Anthropic's Messages takes, each as
 * `event N: what`, in order; none for a good stream. Knows nothing of the code that wrote it.
 *
 * @param whole whether it has to come to the good end; else to the bad one, which is an error event
 */
export function breachesOfMessages(stream: string, { whole }: { readonly whole: boolean }): string[] {
  const breaches: string[] = []
  const { events, fault } = readNamedEvents(stream)
  if (fault !== undefined) breaches.push(fault)
  const blocks: Block[] = []
  let stopReason: string | undefined
  let number = 0
  const say = (breach: string): void => void breaches.push(`event ${number}: ${breach}`)

  const rules: { readonly [Type in Event['type']]: (event: Of<Type>, at: number) => void } = {
    message_start(_event, at) {
      if (at > 0) say('the message starts twice, or not first')
    },
    ping() {},
    content_block_start({ index: at, content_block: opened }) {
      if (at !== blocks.length) say(`block ${at} comes where ${blocks.length} is due`)
      if (blocks.some(({ isOpen }) => isOpen)) say(`block ${at} starts before the last one stopped`)
      const id = opened.type === 'tool_use' ? opened.id : undefined
      if (id !== undefined && blocks.some(other => other.id === id)) say(`block ${at} has the id of another`)
      blocks.push({ type: opened.type, id, json: '', isOpen: true })
    },
    content_block_delta({ index: at, delta: piece }) {
      const grown = blocks[at]
      if (grown === undefined || !grown.isOpen) return say(`block ${at} goes on while it is not open`)
      if (BELONGS[piece.type] !== grown.type) say(`a ${piece.type} in a block of ${grown.type}`)
      if (piece.type === 'input_json_delta') grown.json += piece.partial_json
    },
    content_block_stop({ index: at }) {
      const stopped = blocks[at]
      if (stopped === undefined || !stopped.isOpen) return say(`block ${at} stops while it is not open`)
      stopped.isOpen = false
    },
    message_delta({ delta: { stop_reason: reason } }) {
      if (stopReason !== undefined) say('a second reason to stop')
      stopReason = reason
      if (blocks.some(({ isOpen }) => isOpen)) say('a reason to stop while a block is open')
      const calls = blocks.filter(({ type }) => type === 'tool_use')
      if (reason === 'tool_use' && calls.length === 0) say('no tool was called, and the reason is "tool_use"')
      if (reason === 'end_turn' && calls.length > 0) say('tools were called, and the reason is "end_turn"')
      if (reason === 'max_tokens' || reason === 'refusal') return
      for (const { id, json } of calls) if (!isObject(json)) say(`the input of ${id} is no JSON object`)
    },
    message_stop(_event, at) {
      if (stopReason === undefined) say('the message stops without a reason')
      if (at !== events.length - 1) say('something follows the end')
    },
    error(_event, at) {
      if (at !== events.length - 1) say('something follows the error')
    },
  }

  for (const [at, { name, data }] of events.entries()) {
    number = at
    const { data: read, error } = event.safeParse(data)
    if (read === undefined) {
      say(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
      continue
    }
    if (read.type !== name) say(`is called "${name}" and is a ${read.type}`)
    if (at === 0 && read.type !== 'message_start' && read.type !== 'error') say('the message does not start first')
    ;(rules[read.type] as (event: Event, at: number) => void)(read, at)
  }
  const last = whole ? 'message_stop' : 'error'
  if (events.at(-1)?.name !== last) breaches.push(`The end is no ${last}.`)
  return breaches
}

/** Whether the input of a call is good; where nothing came, the empty one that it began with counts. */
function isObject(json: string): boolean {
  if (json === '') return true
  try {
    const input: unknown = JSON.parse(json)
    return typeof input === 'object' && input !== null && !Array.isArray(input)
  } catch {
    return false
  }
}
