import type { ProviderDefinition } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { describeConnection } from './describe-connection.ts'
import { describeFaults } from './describe-faults.ts'
import { describeFixture } from './describe-fixture.ts'
import { readFixtures, type Fixture, type Response } from './fixtures.ts'
import { createSubject } from './subject.ts'

const hasDelta =
  (name: string) =>
  ({ chunks }: Fixture): boolean =>
    chunks.some(({ choices }) => choices.some(({ delta }) => delta[name] !== undefined))

/** What a provider's fixtures must show: capability → whether a fixture shows it. */
const CAPABILITIES = {
  text: hasDelta('content'),
  reasoning: hasDelta('reasoning_content'),
  tools: hasDelta('tool_calls'),
  usage: ({ chunks }: Fixture) => chunks.at(-1)?.usage !== undefined,
  failure: ({ failure, response }: Fixture) => failure !== undefined && response?.status === 200,
  upstream: ({ response }: Fixture) => response !== undefined,
} satisfies Record<string, (fixture: Fixture) => boolean>

export interface Conformance {
  /** A configuration of the provider as somebody would write it, with its upstream at `url`. */
  config(url: string): Readonly<Record<string, unknown>>
  /** The folder with one folder for each case. */
  readonly fixtures: URL
  /**
   * What the provider lacks → why. `reasoning`, `tools`: its answers have none; `failure`: it cannot fail in the middle
   * of an answer; `upstream`: it answers by itself.
   */
  readonly without?: Partial<Record<keyof typeof CAPABILITIES, string>>
  /**
   * Whether an answer ends with its body and nothing in it says so: cut between two of its messages, it is a shorter
   * answer. False where not given.
   */
  readonly endsWithBody?: boolean
}

/** Declares the tests that every provider must pass. To be awaited at the top of a test file. */
export async function describeProvider<Config extends { kind: string }>(
  definition: ProviderDefinition<Config>,
  { config, fixtures: folder, without = {}, endsWithBody = false }: Conformance,
): Promise<void> {
  const fixtures = await readFixtures(folder)
  const subject = createSubject(definition, config, endsWithBody)

  describe(`provider ${definition.kind}`, () => {
    test.for(Object.entries(CAPABILITIES))('shows %s, or says why not', ([name, isShown]) => {
      expect(fixtures.some(isShown)).toBe(!(name in without))
    })

    for (const fixture of fixtures) describeFixture(subject, fixture)

    // Faults are the same whatever was asked: the longest ordinary answer is where most can go wrong.
    const [ordinary] = fixtures
      .filter(({ response, failure }) => failure === undefined && response !== undefined && isStreamed(response))
      .toSorted((one, other) => other.chunks.length - one.chunks.length)
    if (ordinary === undefined) return
    describe('in place of an answer', () => {
      describeFaults(subject, ordinary)
    })
    describe('over a connection', () => {
      describeConnection(subject, ordinary)
    })
  })
}

/** Whether the answer comes bit by bit. */
function isStreamed({ format }: Response): boolean {
  return format !== 'json' && format !== 'txt'
}
