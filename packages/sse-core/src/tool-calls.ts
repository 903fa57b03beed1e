import { createId, isObject, UpstreamError, type JsonObject, type ToolCallDelta } from '@millrace/core'

const MAX_CALLS = 128
const MAX_HELD = 8 * 1024 * 1024

/** One call, as far as it is known. */
interface Slot {
  readonly upstreamIndex: number | undefined
  upstreamId: string | undefined
  name: string | undefined
  /** Dense, from 0, in the order in which the calls went out; meaningless before that. */
  index: number
  /** Arguments that came before the name. */
  held: string
  /** Whether arguments came without the name: then a name is more than a repetition. */
  nameless: boolean
  readonly nesting: Nesting
}

export interface ToolCalls {
  /** The deltas that one tool call delta of the upstream stands for: none, or an opening and a piece of arguments. */
  push(delta: unknown): ToolCallDelta[]
  /** How many calls were opened. */
  opened(): number
  /** @throws {UpstreamError} `upstream_malformed` where a call never got its name */
  end(): void
}

/**
 * Sorts the tool call deltas of one choice into calls, whatever the upstream does about indexes, ids and names: an index in
 * use that turns up with another id is a new call; ids that are missing, empty or doubled become unique ones; arguments
 * wait until the name is known, and are else handed on as they are.
 */
export function createToolCalls(): ToolCalls {
  const slots: Slot[] = []
  const ids = new Set<string>()
  let opened = 0
  let heldLength = 0

  function create(upstreamIndex: number | undefined, upstreamId: string | undefined): Slot {
    if (slots.length === MAX_CALLS) throw malformed(`more than ${MAX_CALLS} tool calls in one answer`)
    const slot: Slot = {
      upstreamIndex,
      upstreamId,
      name: undefined,
      index: -1,
      held: '',
      nameless: false,
      nesting: { depth: 0, begun: false, quoted: false, escaped: false },
    }
    slots.push(slot)
    return slot
  }

  function find(
    index: number | undefined,
    id: string | undefined,
    name: string | undefined,
    text: string,
  ): Slot | undefined {
    const candidates = index === undefined ? slots : slots.filter(slot => slot.upstreamIndex === index)
    const latest = candidates.at(-1)
    let slot = latest
    if (id !== undefined && (index === undefined || (latest?.upstreamId !== undefined && latest.upstreamId !== id))) {
      slot = candidates.findLast(candidate => candidate.upstreamId === id)
    }
    return slot !== undefined && startsAnew(slot, name, text) ? undefined : slot
  }

  function open(slot: Slot, name: string, extra: unknown): ToolCallDelta {
    slot.name = name
    slot.index = opened++
    const id = slot.upstreamId !== undefined && !ids.has(slot.upstreamId) ? slot.upstreamId : createId('call_')
    ids.add(id)
    return {
      index: slot.index,
      id,
      type: 'function',
      function: { name, arguments: '' },
      // Gemini's `thought_signature`, which it demands back with the call.
      ...(isObject(extra) ? { extra_content: extra } : undefined),
    }
  }

  return {
    opened: () => opened,
    push(delta) {
      if (!isObject(delta)) return []
      const upstreamIndex = toIndex(delta['index'])
      const upstreamId = nonEmpty(delta['id'])
      const name = nameOf(delta)
      const text = toArguments(detailsOf(delta))
      let slot = find(upstreamIndex, upstreamId, name, text)
      if (slot === undefined) {
        if (upstreamId === undefined && name === undefined && text === '') return []
        slot = create(upstreamIndex, upstreamId)
      }
      slot.upstreamId ??= upstreamId
      if (name === undefined) slot.nameless ||= slot.name !== undefined && text !== ''
      else follow(slot.nesting, slot.held + text)
      if (slot.name !== undefined) return text === '' ? [] : [{ index: slot.index, function: { arguments: text } }]
      slot.held += text
      heldLength += text.length
      if (heldLength > MAX_HELD) throw malformed('more than 8 MiB of tool arguments without a name')
      if (name === undefined) return []
      const opening = open(slot, name, delta['extra_content'])
      const held = slot.held
      slot.held = ''
      heldLength -= held.length
      return held === '' ? [opening] : [opening, { index: slot.index, function: { arguments: held } }]
    },
    end() {
      if (slots.some(slot => slot.held !== '')) throw malformed('a tool call without a name')
    },
  }
}

/** The name in a tool call delta, where it has one. */
export function nameOf(delta: JsonObject): string | undefined {
  return nonEmpty(detailsOf(delta)['name'])
}

/**
 * Whether a delta with a name opens another call rather than going on with this one: it has another name, or the call
 * has all of its arguments. (A server that repeats the name with each piece does so while they are incomplete.)
 */
function startsAnew(slot: Slot, name: string | undefined, text: string): boolean {
  if (name === undefined || slot.name === undefined) return false
  if (name !== slot.name) return true
  return text.trim() !== '' && (slot.nameless || (slot.nesting.begun && slot.nesting.depth === 0))
}

/** Where in a JSON object a text has got to. */
interface Nesting {
  depth: number
  begun: boolean
  quoted: boolean
  escaped: boolean
}

function follow(nesting: Nesting, text: string): void {
  for (const character of text) {
    if (nesting.escaped) nesting.escaped = false
    else if (character === '"') nesting.quoted = !nesting.quoted
    else if (nesting.quoted) nesting.escaped = character === '\\'
    else if (character === '{') {
      nesting.begun = true
      nesting.depth++
    } else if (character === '}') nesting.depth--
  }
}

function detailsOf(delta: JsonObject): JsonObject {
  return [delta['function'], delta['custom']].find(isObject) ?? delta
}

function toArguments(details: JsonObject): string {
  const value = details['arguments'] ?? details['input']
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

function toIndex(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const index = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= MAX_CALLS) {
    throw malformed(`a tool call with an index outside 0…${MAX_CALLS - 1}`)
  }
  return index
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function malformed(what: string): UpstreamError {
  return new UpstreamError('upstream_malformed', `The upstream sent ${what}.`)
}
