import { createId, UpstreamError, type ToolCallDelta } from '@millrace/core'
import { isObject, parseJson } from './json.ts'
import type { TextFrame } from './template.ts'

const MAX_CALLS = 128
const MAX_ARGUMENTS = 8 * 1024 * 1024

interface Slot {
  /** Dense, from 0, in order of first appearance. */
  readonly index: number
  readonly upstreamIndex: number | undefined
  upstreamId: string | undefined
  name: string | undefined
  /** All of the arguments so far. */
  readonly pieces: (string | TextFrame)[]
}

export interface ToolCalls {
  /** The deltas that one tool call delta of the upstream stands for: none, or an opening and a piece of arguments. */
  push(delta: unknown): ToolCallDelta[]
  /** A further piece of the arguments of the call with this index, which went out already. */
  append(index: number, piece: TextFrame): void
  /** How many calls were opened. */
  readonly opened: number
  /** @throws {UpstreamError} `upstream_malformed` where a call never got its name */
  end(): void
}

/**
 * Sorts the tool call deltas of one choice into calls, whatever the upstream does about indexes, ids and names
 * (wire/openai.md §6.3 rule 11): an index in use that turns up with another id is a new call; ids that are missing,
 * empty or doubled become unique ones; arguments wait until the name is known, and are else handed on as they are.
 */
export function createToolCalls(): ToolCalls {
  const slots: Slot[] = []
  const ids = new Set<string>()
  let opened = 0
  let bytes = 0

  function open(upstreamIndex: number | undefined, upstreamId: string | undefined): Slot {
    if (slots.length === MAX_CALLS) throw malformed(`more than ${MAX_CALLS} tool calls in one answer`)
    const slot: Slot = { index: slots.length, upstreamIndex, upstreamId, name: undefined, pieces: [] }
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

  return {
    get opened() {
      return opened
    },
    push(delta) {
      if (!isObject(delta)) return []
      const details = isObject(delta['function'])
        ? delta['function']
        : isObject(delta['custom'])
          ? delta['custom']
          : delta
      const upstreamIndex = toIndex(delta['index'])
      const upstreamId = nonEmpty(delta['id'])
      const name = nonEmpty(details['name'])
      const text = toArguments(details['arguments'] ?? details['input'])
      let slot = find(upstreamIndex, upstreamId, name, text)
      if (slot === undefined) {
        if (upstreamId === undefined && name === undefined && text === '') return []
        slot = open(upstreamIndex, upstreamId)
      }
      slot.upstreamId ??= upstreamId
      if (text !== '') {
        bytes += text.length
        if (bytes > MAX_ARGUMENTS) throw malformed('tool arguments of more than 8 MiB')
        slot.pieces.push(text)
      }
      if (slot.name !== undefined) {
        return text === '' ? [] : [{ index: slot.index, function: { arguments: text } }]
      }
      if (name === undefined) return []
      slot.name = name
      opened++
      const id = slot.upstreamId !== undefined && !ids.has(slot.upstreamId) ? slot.upstreamId : createId('call_')
      ids.add(id)
      const opening: ToolCallDelta = { index: slot.index, id, type: 'function', function: { name, arguments: '' } }
      const held = joined(slot)
      return held === '' ? [opening] : [opening, { index: slot.index, function: { arguments: held } }]
    },
    append(index, piece) {
      bytes += piece.bytes.length
      if (bytes > MAX_ARGUMENTS) throw malformed('tool arguments of more than 8 MiB')
      slots[index]!.pieces.push(piece)
    },
    end() {
      if (slots.some(slot => slot.name === undefined && slot.pieces.length > 0))
        throw malformed('a tool call without a name')
    },
  }
}

/**
 * Whether a delta with a name opens another call rather than going on with this one: the call has its whole arguments
 * already, and there are more. (A server that repeats the name with each piece does so while they are incomplete.)
 */
function startsAnew(slot: Slot, name: string | undefined, text: string): boolean {
  if (name === undefined || slot.name === undefined) return false
  if (text.trim() === '') return name !== slot.name
  return name !== slot.name || isObject(parseJson(joined(slot)))
}

function joined(slot: Slot): string {
  return slot.pieces.map(piece => (typeof piece === 'string' ? piece : piece.text)).join('')
}

function toIndex(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const index = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= MAX_CALLS) {
    throw malformed(`a tool call with an index outside 0…${MAX_CALLS - 1}`)
  }
  return index
}

function toArguments(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function malformed(what: string): UpstreamError {
  return new UpstreamError('upstream_malformed', `The upstream sent ${what}.`)
}
