import { isDeepStrictEqual } from 'node:util'
import { readNamedEvents } from './named-events.ts'
import { ResponseEvent, type ContractResponse, type ResponseItem } from './responses-events.ts'

type ItemEvent = Exclude<ResponseEvent, { response: ContractResponse }>
type Say = (breach: string) => void

/** The events of each type of item in their order, without `response.`; those with a plus come any number of times. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  output_text: [
    'content_part.added',
    'output_text.delta+',
    'output_text.done',
    'content_part.done',
    'output_item.done',
  ],
  refusal: ['content_part.added', 'refusal.delta+', 'refusal.done', 'content_part.done', 'output_item.done'],
  reasoning: [
    'reasoning_summary_part.added',
    'reasoning_summary_text.delta+',
    'reasoning_summary_text.done',
    'reasoning_summary_part.done',
    'output_item.done',
  ],
  function_call: ['function_call_arguments.delta+', 'function_call_arguments.done', 'output_item.done'],
  custom_tool_call: ['custom_tool_call_input.delta+', 'custom_tool_call_input.done', 'output_item.done'],
}

/** The item that is open. */
interface Open {
  readonly item: ResponseItem
  readonly index: number
  /** What may come next; undefined until it is known what a message is made of. */
  order: readonly string[] | undefined
  text: string
  annotations: number
}

/**
 * Every way in which the text of a stream is not what a strict client of OpenAI's Responses takes, each as
 * `event N: what`, in order; none for a good stream. Knows nothing of the code that wrote it.
 *
 * @param whole whether it has to come to the good end; else to the bad one, which is `response.failed`
 */
export function breachesOfResponses(stream: string, { whole }: { readonly whole: boolean }): string[] {
  const breaches: string[] = []
  const { events, fault } = readNamedEvents(stream)
  if (fault !== undefined) breaches.push(fault)
  const done: ResponseItem[] = []
  const ids = new Set<string>()
  let first: ContractResponse | undefined
  let open: Open | undefined
  let number = 0
  const say: Say = breach => void breaches.push(`event ${number}: ${breach}`)

  function takeResponse({ type, response }: Exclude<ResponseEvent, ItemEvent>): void {
    const status = type.slice('response.'.length)
    first ??= response
    for (const name of ['id', 'created_at', 'model'] as const) {
      if (response[name] !== first[name]) say(`${name} is not what it was`)
    }
    if (response.status !== (number < 2 ? 'in_progress' : status)) say(`${type} with the status ${response.status}`)
    if (!isDeepStrictEqual(response.output, done)) say('the output is not what the items said')
    if ((response.error !== null) !== (status === 'failed')) say('an error without failure, or the other way round')
    if ((response.incomplete_details !== null) !== (status === 'incomplete')) say('the reason for being incomplete')
    if ((response.usage !== null) !== (status === 'completed' || status === 'incomplete')) say('the usage')
    if (number >= 2 && status !== 'failed' && open !== undefined) say(`the end while item ${open.index} is open`)
  }

  function takeItem(event: ItemEvent): void {
    if (event.type === 'response.output_item.added') {
      const { item, output_index: index } = event
      if (open !== undefined) say(`item ${index} begins while item ${open.index} is open`)
      if (index !== done.length) say(`item ${index} comes where ${done.length} is due`)
      if (ids.has(item.id)) say(`item ${index} has the id of another`)
      if (contentOf(item).length > 0 || textOf(item) !== '') say(`item ${index} begins with something in it`)
      if ('status' in item && item.status !== 'in_progress') say(`item ${index} begins as ${item.status}`)
      ids.add(item.id)
      open = { item, index, order: ORDER[item.type], text: '', annotations: 0 }
      return
    }
    if (open === undefined || event.output_index !== open.index) {
      return say(`${event.type} of item ${event.output_index}, which is not open`)
    }
    if ('item_id' in event && event.item_id !== open.item.id) say(`the id of another item than ${open.index}`)
    if (event.type === 'response.content_part.added') open.order ??= ORDER[event.part.type]
    if (event.type === 'response.output_text.annotation.added') {
      if (event.annotation_index !== open.annotations++) say('the number of an annotation')
      return
    }
    advance(open, event.type.slice('response.'.length), say)
    if ('delta' in event) open.text += event.delta
    else if (!event.type.endsWith('.added') && textOf(event) !== open.text) say('the text is not what the deltas said')
    if (event.type === 'response.output_item.done') finish(open, event.item)
  }

  function finish({ item: begun, annotations }: Open, item: ResponseItem): void {
    const names = ['id', 'type', 'call_id', 'name', 'namespace'] as const
    const said = (of: Readonly<Record<string, unknown>>): unknown[] => names.map(name => of[name])
    if (!isDeepStrictEqual(said(begun), said(item))) say('the item is another one than the one that began')
    if ('status' in item && item.status === 'in_progress') say('the item is done and in progress')
    const [part] = contentOf(item)
    if (part?.type === 'output_text' && part.annotations.length !== annotations) say('the number of annotations')
    done.push(item)
    open = undefined
  }

  for (const [at, { name, data }] of events.entries()) {
    number = at
    const { data: event, error } = ResponseEvent.safeParse(data)
    if (event === undefined) {
      say(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
      continue
    }
    if (event.type !== name) say(`is called "${name}" and is a ${event.type}`)
    if (event.sequence_number !== at) say(`has the number ${event.sequence_number}`)
    checkPlace(event.type, at, events.length, say)
    if ('response' in event) takeResponse(event)
    else takeItem(event)
  }
  const last = events.at(-1)?.name
  const isGood = last === 'response.completed' || last === 'response.incomplete'
  if (whole ? !isGood : last !== 'response.failed') breaches.push(`The end is ${last ?? 'nothing'}.`)
  return breaches
}

/** The two events that begin a stream, and those of which one ends it, come nowhere else. */
function checkPlace(type: ResponseEvent['type'], at: number, length: number, say: Say): void {
  const opening = ['response.created', 'response.in_progress'][at]
  const isEnding = ['response.completed', 'response.incomplete', 'response.failed'].includes(type)
  if (opening !== undefined && type !== opening) say(`${type} where ${opening} is due`)
  if (opening === undefined && (type === 'response.created' || type === 'response.in_progress')) say(`${type} again`)
  if (isEnding && at !== length - 1) say(`something follows ${type}`)
}

/** Goes on to the event in the order of the item. */
function advance(open: Open, event: string, say: Say): void {
  const order = open.order ?? []
  const at = order.findIndex((due, position) => {
    const isRepeated = due.endsWith('+')
    return (isRepeated ? due.slice(0, -1) : due) === event && order.slice(0, position).every(skip => skip.endsWith('+'))
  })
  if (at === -1) return say(`${event} where ${order[0] ?? 'nothing'} is due`)
  open.order = order.slice(order[at]!.endsWith('+') ? at : at + 1)
}

function contentOf(item: ResponseItem) {
  return item.type === 'message' ? item.content : item.type === 'reasoning' ? item.summary : []
}

/** The text in an item, a part of one, or the event that ends either. */
function textOf(holder: object): string {
  const { text, refusal, arguments: said, input, item, part, content, summary } = holder as Record<string, unknown>
  const inner = item ?? part ?? (content as unknown[] | undefined)?.[0] ?? (summary as unknown[] | undefined)?.[0]
  return typeof inner === 'object' && inner !== null ? textOf(inner) : String(text ?? refusal ?? said ?? input ?? '')
}
