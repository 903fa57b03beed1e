import { createId } from '@millrace/core'
import type { Members } from '../dialect.ts'
import { createCustomInput, type CustomInput } from './custom-input.ts'
import { fromRawText, toBytes, toRaw, toRawMembers } from './raw.ts'
import { createTextBuffer, type TextBuffer } from './text-buffer.ts'

export type ItemKind = 'text' | 'refusal' | 'reasoning' | 'function' | 'custom'
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

/** How one kind of output item looks; all text is raw JSON. */
interface Shape {
  readonly idPrefix: string
  /** What its events of text are called, but for `.delta` and `.done`. */
  readonly event: string
  /** Where its text stands in the event that ends it. */
  readonly member: string
  /** The part that its text stands in: what its events are called, where it stands, and how it looks. */
  readonly part?: {
    readonly event: string
    readonly place: string
    of(text: string, logprobs: readonly string[], annotations: readonly string[]): string
  }
  /** The item; `content` is the part, or the text where there are no parts, and empty before it is done. */
  of(id: string, status: ItemStatus, content: string, members: string): string
}

function message(id: string, status: ItemStatus, content: string): string {
  return `{"id":"${id}","type":"message","status":"${status}","role":"assistant","content":[${content}]}`
}

const SHAPES: Readonly<Record<ItemKind, Shape>> = {
  text: {
    idPrefix: 'msg_',
    event: 'response.output_text',
    member: 'text',
    part: {
      event: 'response.content_part',
      place: '"content_index":0',
      of: (text, logprobs, annotations) =>
        `{"type":"output_text","text":"${text}","annotations":[${annotations.join(',')}],"logprobs":[${logprobs.join(',')}]}`,
    },
    of: message,
  },
  refusal: {
    idPrefix: 'msg_',
    event: 'response.refusal',
    member: 'refusal',
    part: {
      event: 'response.content_part',
      place: '"content_index":0',
      of: text => `{"type":"refusal","refusal":"${text}"}`,
    },
    of: message,
  },
  reasoning: {
    idPrefix: 'rs_',
    event: 'response.reasoning_summary_text',
    member: 'text',
    part: {
      event: 'response.reasoning_summary_part',
      place: '"summary_index":0',
      of: text => `{"type":"summary_text","text":"${text}"}`,
    },
    of: (id, _status, content, members) => `{"id":"${id}","type":"reasoning","summary":[${content}],${members}}`,
  },
  function: {
    idPrefix: 'fc_',
    event: 'response.function_call_arguments',
    member: 'arguments',
    of: (id, status, content, members) =>
      `{"id":"${id}","type":"function_call","status":"${status}",${members},"arguments":"${content}"}`,
  },
  custom: {
    idPrefix: 'ctc_',
    event: 'response.custom_tool_call_input',
    member: 'input',
    of: (id, status, content, members) =>
      `{"id":"${id}","type":"custom_tool_call","status":"${status}",${members},"input":"${content}"}`,
  },
}

/** An item as far as it has come. */
export interface OutputItem {
  readonly kind: ItemKind
  readonly index: number
  readonly id: string
  readonly shape: Shape
  /** The members that say where its text stands. */
  readonly place: string
  /** What stands before the text in an event that adds some. */
  readonly before: Uint8Array
  readonly text: TextBuffer
  readonly logprobs: string[]
  readonly annotations: string[]
  /** What it says besides its text, raw. */
  readonly members: string
  /** The name of a function, as the event that ends its arguments says it; else empty. */
  readonly name: string
  /** What reads the text out of arguments, where they are not the text themselves. */
  readonly input: CustomInput | undefined
}

export function createOutputItem(kind: ItemKind, index: number, members: Members): OutputItem {
  const shape = SHAPES[kind]
  const id = createId(shape.idPrefix)
  const place = `"item_id":"${id}","output_index":${index}${shape.part === undefined ? '' : `,${shape.part.place}`}`
  const type = `${shape.event}.delta`
  return {
    kind,
    index,
    id,
    shape,
    place,
    before: toBytes(
      `event: ${type}\ndata: {"type":"${type}",${place},${kind === 'text' ? '"logprobs":[],' : ''}"delta":"`,
    ),
    text: createTextBuffer(),
    logprobs: [],
    annotations: [],
    members: toRawMembers(members),
    name: kind === 'function' ? `,"name":${toRaw(members['name'])}` : '',
    input: kind === 'custom' ? createCustomInput() : undefined,
  }
}

/** Whether nothing is lost if the item ends here: the arguments of a call are whole, all else may end anywhere. */
export function isSettled({ kind, text, input }: OutputItem): boolean {
  if (input !== undefined) return input.isWhole()
  if (kind !== 'function') return true
  try {
    JSON.parse(fromRawText(text.toRaw()))
    return true
  } catch {
    return false
  }
}
