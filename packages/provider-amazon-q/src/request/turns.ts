import { GatewayError } from '@millrace/core'
import { readContent, type Content, type Message } from './content.ts'
import { cutAt } from './acceptable.ts'
import { readToolCall } from './tool-call.ts'
import { createToolUseIds } from './tool-use-ids.ts'
import type { Image, ToolUse } from './conversation-state.ts'
import type { ToolNames } from './tool-names.ts'

/** What the user, the tools and late instructions say between two turns of the assistant. */
export interface UserTurn {
  readonly role: 'user'
  /** The place of its first message among those of the request. */
  readonly at: number
  text: string
  readonly images: Image[]
}

export interface AssistantTurn {
  readonly role: 'assistant'
  text: string
  readonly calls: Call[]
}

/** A call of a tool, and what the turn behind it says came of it: nothing where it was never answered. */
export interface Call {
  readonly use: ToolUse
  readonly outputs: string[]
}

export type Turn = UserTurn | AssistantTurn

interface Turns {
  /**
   * The next message of the conversation. Neighbours on one side share a turn; one that says nothing leaves no trace.
   * @throws {GatewayError} for what has no place in a turn
   */
  add(message: Message, at: number): void
  /** The conversation so far: sides alternate. */
  readonly all: readonly Turn[]
}

const MAX_RESULT = 400_000
const SILENT_RESULT = 'The tool gave no output.'
const PICTURED_RESULT = 'The output is attached as images.'
const ORPHAN = 'Output of an earlier tool call:\n'

/** Messages → turns. */
export function createTurns(names: ToolNames): Turns {
  const all: Turn[] = []
  const toToolUseId = createToolUseIds()
  /** The calls of the latest turn of the assistant under the client's ids, those first that have no result yet. */
  const calls = new Map<string, Call[]>()

  function userTurn(at: number): UserTurn {
    const last = all.at(-1)
    if (last?.role === 'user') return last
    const turn: UserTurn = { role: 'user', at, text: '', images: [] }
    all.push(turn)
    return turn
  }

  function assistantTurn(): AssistantTurn {
    const last = all.at(-1)
    if (last?.role === 'assistant') return last
    const turn: AssistantTurn = { role: 'assistant', text: '', calls: [] }
    all.push(turn)
    calls.clear()
    return turn
  }

  function addAssistant({ tool_calls }: Message, { text }: Content, at: number): void {
    if (isBlank(text) && !tool_calls?.length) return
    const turn = assistantTurn()
    say(turn, text)
    for (const [place, given] of tool_calls?.entries() ?? []) {
      const { id, name, input } = readToolCall(given, `messages[${at}].tool_calls[${place}]`)
      const call = { use: { toolUseId: toToolUseId(id), name: names.toSent(name), input }, outputs: [] }
      turn.calls.push(call)
      const same = calls.get(id)
      if (same === undefined) calls.set(id, [call])
      else same.push(call)
    }
  }

  function addResult({ tool_call_id: id }: Message, { text, images }: Content, at: number): void {
    if (id == null || id === '') {
      const message = 'The result of a tool needs the id of the call that it answers.'
      throw new GatewayError('missing_required_parameter', message, { param: `messages[${at}].tool_call_id` })
    }
    const turn = userTurn(at)
    turn.images.push(...images)
    const output = toOutput(text, images.length > 0)
    const answered = calls.get(id)
    if (answered === undefined) return say(turn, ORPHAN + output)
    answered[0]!.outputs.push(output)
    if (answered.length > 1) answered.shift()
  }

  function add(message: Message, at: number): void {
    const content = readContent(message, at)
    if (message.role === 'assistant') addAssistant(message, content, at)
    else if (message.role === 'tool' || message.role === 'function') addResult(message, content, at)
    else if (!isBlank(content.text) || content.images.length > 0) {
      const turn = userTurn(at)
      say(turn, content.text)
      turn.images.push(...content.images)
    }
  }

  return { add, all }
}

function say(turn: Turn, text: string): void {
  if (isBlank(text)) return
  const words = text.toWellFormed()
  turn.text = turn.text === '' ? words : `${turn.text}\n\n${words}`
}

/** The output of a tool, which the service takes up to a certain length: the model is told what is missing. */
function toOutput(text: string, hasImages: boolean): string {
  if (isBlank(text)) return hasImages ? PICTURED_RESULT : SILENT_RESULT
  const start = cutAt(text.toWellFormed(), MAX_RESULT)
  const missing = text.length - start.length
  return missing === 0 ? start : `${start}\n[The output goes on for ${missing} characters, which are left out here.]`
}

function isBlank(text: string): boolean {
  return !/\S/.test(text)
}
