import type { z } from 'zod'
import type { AccountChange, Accounts, AccountStates } from './accounts.ts'
import type { ChatRequest, ChunkHead, Frames, Usage } from './chat.ts'
import type { EmbeddingsRequest, EmbeddingsResult } from './embeddings.ts'
import type { JsonSource } from './json-source.ts'
import type { SignIn } from './login.ts'
import type { Timeouts, Upstream } from './upstream.ts'

/** One request on its way through a provider. */
export interface Call {
  /** The model in the provider's own vocabulary; empty where the provider has to choose. */
  readonly model: string
  readonly head: ChunkHead
  /** Whether the client wants a stream. A hint: whatever the upstream sends becomes frames. */
  readonly stream: boolean
  /** The received bytes of the request, where `request` says exactly what they say. */
  readonly source?: JsonSource
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal
  readonly requestId: string
  /** What belongs together, such as a conversation: where it can, a provider serves it with the same account. */
  readonly session?: string
  /** Whose request it is, by the name of the key that it came with: some accounts serve only their owner. */
  readonly caller?: string
  /** Told the name of the account before each attempt; the last one told is the one that serves. */
  readonly onAccount?: (name: string) => void
}

/** A request for embeddings on its way through a provider: what does not belong to chat alone. */
export type EmbeddingsCall = Omit<Call, 'head' | 'stream'>

/** A request in Anthropic's Messages on its way to an upstream that speaks that itself. */
export interface RelayCall extends Omit<Call, 'head' | 'source'> {
  /** The request as it came. */
  readonly source: JsonSource
  /** The client's headers that belong to the dialect, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Told what the upstream says of its usage, whenever it does; the last word counts. */
  readonly onUsage: (usage: Usage) => void
}

export interface Model {
  readonly id: string
  /** Unix time, seconds. */
  readonly created?: number
  readonly owned_by?: string
}

export interface Provider {
  /**
   * One upstream call, lazily: nothing happens before the first `next()`, nothing is yielded before the upstream has
   * begun to answer, and no batch is empty. Frames come in wire order and keep the stream contract: role first, one
   * finish per choice, usage last. Returns when the answer is whole, throws {@link UpstreamError} when it is not.
   * Leaving the loop or aborting `call.signal` closes the connection.
   */
  chat(request: ChatRequest, call: Call): Frames
  /**
   * Where the upstream speaks Anthropic's Messages itself: its answer, byte for byte. A stream comes in whole events, without
   * the one that reports a failure; a whole answer in one piece. Lazy, and ends, as `chat` does.
   */
  relayMessages?(call: RelayCall): AsyncIterable<Buffer>
  /** The models the upstream offers. @throws {UpstreamError} */
  models(signal: AbortSignal): Promise<readonly Model[]>
  /** The embeddings of all inputs, in their order; undefined where the upstream makes none. @throws {UpstreamError} */
  embeddings?(request: EmbeddingsRequest, call: EmbeddingsCall): Promise<EmbeddingsResult>
  /** Its credentials, where it has several or such as expire. */
  readonly accounts?: Accounts
  /** What answers where the configuration names no default model; empty where the upstream chooses by itself. */
  readonly defaultModel?: string
  /**
   * What the upstream cannot do, so that the gateway does it in its place: ends answers at stop sequences; counts tokens,
   * where its answers may tell no usage.
   */
  readonly lacks?: { readonly stop?: boolean; readonly usage?: boolean }
}

/** All a provider may reach outside itself; tests hand in their own. */
export interface ProviderDeps {
  /** What the configuration calls the provider; its kind where nothing calls it. */
  readonly name?: string
  readonly upstream: Upstream
  readonly timeouts: Timeouts
  /** Where the states of accounts outlive the process; without it they do not. */
  readonly states?: AccountStates | undefined
  /** Told in words what whoever runs the gateway should know and no answer shows. */
  readonly onNotice?: ((message: string) => void) | undefined
  readonly onAccountChange?: ((change: AccountChange) => void) | undefined
}

/** What is wrong with a provider's configuration, and where in it. */
export interface ConfigMistake {
  readonly path: readonly (string | number)[]
  /** Goes on from the name of the setting, as in "must be …". */
  readonly message: string
}

export interface ProviderDefinition<Config extends { kind: string } = { kind: string }> {
  readonly kind: Config['kind']
  /**
   * Strict, described, plain data without transforms; all its errors are shown to whoever wrote the configuration. The
   * gateway adds members of its own to `shape`, so what is to be checked is checked member by member.
   */
  readonly config: z.ZodType<Config> & { readonly shape: z.core.$ZodShape }
  /** What no member shows alone: settings that are good each, and do not go together. `open` refuses them, too. */
  mistakesIn?(config: Config): readonly ConfigMistake[]
  /** A provider from its configuration. Opens nothing: connections belong to `deps.upstream`. */
  // A method, since only then a definition of one kind fits into a list of definitions of all kinds.
  open(config: Config, deps: ProviderDeps): Provider
  /** Where accounts can be signed in to. */
  readonly signIn?: SignIn<Config>
}

/** The definition as given; a place for the types to meet. */
export function defineProvider<Config extends { kind: string }>(
  definition: ProviderDefinition<Config>,
): ProviderDefinition<Config> {
  return definition
}
