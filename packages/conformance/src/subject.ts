import {
  parseJsonSource,
  run,
  type ChunkHead,
  type Frame,
  type Frames,
  type Provider,
  type ProviderDefinition,
  type Timeouts,
  type Upstream,
} from '@millrace/core'
import { createReplay, type Ending, type Replay } from './replay.ts'
import type { Fixture } from './fixtures.ts'

export const HEAD: ChunkHead = {
  id: 'chatcmpl-conformance',
  created: 1_800_000_000,
  model: 'as/asked-for',
  includeUsage: true,
}

/** Clocks that no test runs into. */
const PATIENT: Timeouts = { connect: 60_000, firstByte: 60_000, idle: 60_000, total: 60_000 }

/** Where a provider is told its upstream is, when there is none. */
const NOWHERE = 'http://upstream.invalid/v1'

interface ChatOptions {
  readonly signal?: AbortSignal
  readonly head?: ChunkHead
  /** Whether the client wants a stream; true where not given. */
  readonly stream?: boolean
  /** Whether the provider gets the request's bytes; true where not given. */
  readonly source?: boolean
}

export interface ReplayOptions extends ChatOptions {
  /** `end` where not given. */
  readonly ending?: Ending
}

/** The provider under test. */
export interface Subject {
  /** Settings that are secret: no error may repeat them. */
  readonly secrets: readonly string[]
  /** Whether nothing in an answer says that it ends. */
  readonly endsWithBody: boolean
  open(
    upstream: Upstream,
    options?: { readonly url?: string; readonly timeouts?: Timeouts; readonly fixture?: Fixture },
  ): Provider
  /** The fixture's request, put to a provider. */
  chat(provider: Provider, fixture: Fixture, options?: ChatOptions): Frames
  /** The fixture's request, answered with its response in the given reads. */
  replay(
    fixture: Fixture,
    reads: Iterable<Buffer>,
    options?: ReplayOptions,
  ): { readonly frames: Frames; readonly replay: Replay }
}

export function createSubject<Config extends { kind: string }>(
  definition: ProviderDefinition<Config>,
  toConfig: (url: string) => Readonly<Record<string, unknown>>,
  endsWithBody: boolean,
): Subject {
  const parse = (url: string, fixture?: Fixture): Config =>
    definition.config.parse({ ...toConfig(url), ...fixture?.config })
  const configs = new Map<Fixture, Config>()
  const sources = new Map<Fixture, Buffer>()

  function configOf(fixture: Fixture): Config {
    let config = configs.get(fixture)
    if (config === undefined) configs.set(fixture, (config = parse(NOWHERE, fixture)))
    return config
  }

  function sourceOf(fixture: Fixture): Buffer {
    let source = sources.get(fixture)
    if (source === undefined) sources.set(fixture, (source = Buffer.from(JSON.stringify(fixture.request))))
    return source
  }

  const subject: Subject = {
    endsWithBody,
    secrets: Object.entries(toConfig(NOWHERE)).flatMap(([name, value]) =>
      /key|token|secret|password/i.test(name) && typeof value === 'string' ? [value] : [],
    ),
    open: (upstream, { url, timeouts = PATIENT, fixture } = {}) =>
      definition.open(url === undefined && fixture !== undefined ? configOf(fixture) : parse(url ?? NOWHERE, fixture), {
        upstream,
        timeouts,
      }),
    chat: (provider, fixture, { signal, head = HEAD, stream = true, source = false } = {}) =>
      provider.chat(fixture.request, {
        model: fixture.model,
        head,
        stream,
        signal: signal ?? new AbortController().signal,
        requestId: 'req_conformance',
        ...(source ? { source: parseJsonSource(sourceOf(fixture)) } : undefined),
      }),
    replay(fixture, reads, { ending = 'end', ...options } = {}) {
      const { status = 200, headers = {} } = fixture.response ?? {}
      const replay = createReplay({ status, headers, reads, ending })
      return { replay, frames: subject.chat(subject.open(replay, { fixture }), fixture, options) }
    },
  }
  return subject
}

/** What became of a call. */
export interface Outcome {
  readonly frames: readonly Frame[]
  /** What was thrown; undefined where the answer was whole. */
  readonly failure: unknown
}

/** All frames up to the end, whichever. @throws {Error} a batch is empty */
export async function readOutcome(frames: Frames): Promise<Outcome> {
  const taken: Frame[] = []
  let emptyBatch = false
  let failure: unknown
  try {
    await run(frames, batch => {
      emptyBatch ||= batch.length === 0
      for (const frame of batch) taken.push(frame)
    })
  } catch (error) {
    failure = error
  }
  if (emptyBatch) throw new Error('The provider gave an empty batch.')
  return { frames: taken, failure }
}
