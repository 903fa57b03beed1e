import { GatewayError, type ChatChunk, type Frame, type ToolCallDelta } from '@millrace/core'
import { encodeEvent } from '@millrace/sse-core'
import { expect } from 'vitest'
import { GENERATED, type ExpectedChunk, type Fixture } from './fixtures.ts'
import { readOutcome, type Outcome, type ReplayOptions, type Subject } from './subject.ts'

/** A fixture together with the provider that must understand it. */
export interface FixtureCase {
  readonly subject: Subject
  readonly fixture: Fixture
  /** What becomes of the fixture's request, answered with these reads. */
  read(reads: Iterable<Buffer>, options?: ReplayOptions): Promise<Outcome>
  /** What becomes of it, answered with the whole response in one read. */
  readWhole(options?: ReplayOptions): Promise<Outcome>
  /** Frames as `chunks.json` has them: without what is the same in all, and with one name for all generated ids. */
  toChunks(frames: readonly Frame[]): ExpectedChunk[]
  /** Frames as a client of the chat dialect gets them, but for generated ids. */
  toText(frames: readonly Frame[]): string
  /** @throws {AssertionError} the outcome is not the one that the fixture demands */
  expectOutcome(outcome: Outcome): void
}

export function createFixtureCase(subject: Subject, fixture: Fixture): FixtureCase {
  const { response, chunks, failure } = fixture
  const knownIds = new Set(chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => idsOf(delta))))

  const read: FixtureCase['read'] = (reads, options) => readOutcome(subject.replay(fixture, reads, options).frames)

  function toChunks(frames: readonly Frame[]): ExpectedChunk[] {
    return frames.map(({ chunk }) => {
      const { id: _id, object: _object, created: _created, model: _model, usage, ...rest } = masked(chunk, knownIds)
      return { ...rest, ...(usage == null ? undefined : { usage }) } as unknown as ExpectedChunk
    })
  }

  return {
    subject,
    fixture,
    read,
    readWhole: options => read(response === undefined ? [] : [response.bytes], options),
    toChunks,
    toText(frames) {
      let text = ''
      for (const frame of frames) text += frame.bytes?.toString() ?? encodeEvent(masked(frame.chunk, knownIds))
      return text
    },
    expectOutcome(outcome) {
      if (failure === undefined && outcome.failure !== undefined) throw outcome.failure
      expect(toChunks(outcome.frames)).toEqual(chunks)
      if (failure === undefined) return
      expect(outcome.failure).toBeInstanceOf(GatewayError)
      const { code, message, param } = outcome.failure as GatewayError
      expect({ code, message, ...(param === null ? undefined : { param }) }).toEqual(failure)
    },
  }
}

function idsOf({ tool_calls: calls }: Readonly<Record<string, unknown>>): string[] {
  return Array.isArray(calls) ? calls.flatMap(({ id }: { readonly id?: string }) => id ?? []) : []
}

/** The chunk with one name for all ids of tool calls but those that are known. */
function masked(chunk: ChatChunk, knownIds: ReadonlySet<string>): ChatChunk {
  const isGenerated = ({ id }: ToolCallDelta): boolean => id !== undefined && !knownIds.has(id)
  const [choice] = chunk.choices
  const calls = choice?.delta.tool_calls
  if (choice === undefined || !calls?.some(isGenerated)) return chunk
  const tool_calls = calls.map(call => (isGenerated(call) ? Object.assign({ ...call }, { id: GENERATED }) : call))
  return { ...chunk, choices: [{ ...choice, delta: { ...choice.delta, tool_calls } }, ...chunk.choices.slice(1)] }
}
