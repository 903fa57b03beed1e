import { parseJson, type ChatChunk, type Frame, type Frames } from '@millrace/core'
import { perChoice, type ChoiceOperator } from './per-choice.ts'
import { TextFrame } from './template.ts'

/** More of one choice's arguments is not kept to be looked at, and is taken for whole. */
const MAX_UNITS = 8 * 1024 * 1024

/**
 * Ends a choice with `length` where the upstream says that tools were called, but the arguments of a call are no JSON: it
 * has come to its limit in the middle of them. A call without arguments is whole.
 */
export function withWholeArguments(frames: Frames): Frames {
  return perChoice(frames, createChoice)
}

function createChoice(): ChoiceOperator {
  const calls: string[][] = []
  let units = 0

  function add(call: number, text: string): void {
    units += text.length
    if (units <= MAX_UNITS) (calls[call] ??= []).push(text)
  }

  function isCut(): boolean {
    // A list without holes: calls are numbered as they come, but one may have no arguments.
    return units <= MAX_UNITS && calls.some(pieces => parseJson(pieces.join('')) === undefined)
  }

  return {
    release: () => [],
    push(frame) {
      if (frame instanceof TextFrame) {
        if (frame.channel === 'arguments') add(frame.call, frame.text)
        return frame
      }
      const [choice] = frame.chunk.choices
      for (const call of choice?.delta.tool_calls ?? []) {
        if (call.function.arguments) add(call.index, call.function.arguments)
      }
      return choice?.finish_reason === 'tool_calls' && isCut() ? withLength(frame.chunk) : frame
    },
  }
}

function withLength(chunk: ChatChunk): Frame {
  return {
    chunk: { ...chunk, choices: chunk.choices.map(choice => ({ ...choice, finish_reason: 'length' as const })) },
  }
}
