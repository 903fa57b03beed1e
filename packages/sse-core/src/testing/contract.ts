import { expect } from 'vitest'
import type { ChatChunk, ChunkHead } from '@millrace/core'

const REASONS = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call']

/** Checks the grammar of a stream (stream-contract §2), up to its end where it is whole. */
export function expectContract(chunks: readonly ChatChunk[], head: ChunkHead, whole: boolean): void {
  const opened = new Set<number>()
  const ended = new Set<number>()
  const calls = new Map<number, Set<string>>()
  for (const [at, chunk] of chunks.entries()) {
    expect(chunk).toMatchObject({
      id: head.id,
      object: 'chat.completion.chunk',
      created: head.created,
      model: head.model,
    })
    if (chunk.choices.length === 0) {
      expect(at).toBe(chunks.length - 1)
      for (const name of ['prompt_tokens', 'completion_tokens', 'total_tokens']) {
        expect(Number.isSafeInteger(chunk.usage?.[name])).toBe(true)
        expect(chunk.usage?.[name]).toBeGreaterThanOrEqual(0)
      }
      continue
    }
    expect(chunk.usage).toBe(head.includeUsage ? null : undefined)
    expect(chunk.choices).toHaveLength(1)
    const { index, delta, finish_reason } = chunk.choices[0]!
    expect(ended).not.toContain(index)
    expect(delta.role).toBe(opened.has(index) ? undefined : 'assistant')
    opened.add(index)
    if (delta.role === undefined) expect(delta.content).not.toBe('')
    expect(delta.content).not.toBeNull()
    expect(Boolean(delta.content) && Boolean(delta.reasoning_content)).toBe(false)
    if (finish_reason === null) {
      const known = calls.get(index) ?? new Set()
      calls.set(index, known)
      for (const call of delta.tool_calls ?? []) {
        if (call.id === undefined) {
          expect(call.index).toBeLessThan(known.size)
          expect(call.type).toBeUndefined()
          expect(call.function.name).toBeUndefined()
        } else {
          expect(call).toMatchObject({ index: known.size, type: 'function', function: { arguments: '' } })
          expect(call.function.name).toMatch(/./)
          expect(known).not.toContain(call.id)
          known.add(call.id)
        }
      }
    } else {
      expect(REASONS).toContain(finish_reason)
      expect(delta).toEqual({})
      if (finish_reason === 'stop') expect(calls.get(index)?.size ?? 0).toBe(0)
      ended.add(index)
    }
  }
  expect(ended).toEqual(whole ? opened : new Set())
  if (whole) expect(ended.size).toBeGreaterThan(0)
}
