import {
  createPool,
  operableAccounts,
  runThroughAccounts,
  withAccount,
  type Lease,
  type Pool,
} from '@millrace/accounts'
import {
  createFlow,
  GatewayError,
  isObject,
  type Call,
  type ChatRequest,
  type Edits,
  type EmbeddingsCall,
  type EmbeddingsRequest,
  type EmbeddingsResult,
  type Frames,
  type Provider,
  type ProviderDeps,
  type RelayCall,
} from '@millrace/core'
import { readEmbeddings } from '@millrace/openai-dialect'
import { askAccount, type Asking } from './chat.ts'
import { accountsOf, mistakesIn, type QwenConfig } from './config.ts'
import { toQwenError } from './failures.ts'
import { listModels } from './list-models.ts'
import { openAccount, secretsOf, type OpenAccount } from './open-account.ts'
import { relayThrough } from './relay.ts'
import { toQwenBody } from './request.ts'

/** How many texts Qwen makes embeddings of at once. */
const MAX_INPUTS = 10

/** @throws {Error} the settings do not go together; the message says how */
export function openQwen(settings: QwenConfig, deps: ProviderDeps): Provider {
  const [mistake] = mistakesIn(settings)
  if (mistake !== undefined) throw new Error(`${mistake.path.join('.')} ${mistake.message}`)
  const accounts = new Map(
    accountsOf(settings).map(account => [account.name, openAccount(account, { settings, deps })]),
  )
  const opened = [...accounts.values()]
  const { messagesUrl } = settings
  const { name: provider = settings.kind, states, onAccountChange: onChange } = deps
  const pool = createPool({ provider, accounts: opened.map(({ spec }) => spec), states, onChange })
  const accountOf = (lease: Lease): OpenAccount => accounts.get(lease.name)!

  function toAsking(request: ChatRequest, call: Call): Asking {
    const rules = { dummyTool: settings.dummyTool, request: settings.request }
    const bodies = new Map<boolean, Buffer>()
    function bodyFor(isPortal: boolean, corrections?: Edits): Buffer {
      if (corrections !== undefined) return toQwenBody(request, call, { ...rules, isPortal }, corrections)
      const body = bodies.get(isPortal) ?? toQwenBody(request, call, { ...rules, isPortal })
      bodies.set(isPortal, body)
      return body
    }
    // What Qwen cannot do shows before an account is taken for it.
    bodyFor(opened.every(({ isPortal }) => isPortal))
    return { request, call, settings, bodyFor, headers: usesStorage(request) ? STORAGE_HEADERS : {} }
  }

  function chat(request: ChatRequest, call: Call): Frames {
    return createFlow(async sink => {
      const asking = toAsking(request, call)
      const { caller, signal, onAccount } = call
      const options = { sticky: stickyOf(request, call), caller, signal, onAccount }
      await runThroughAccounts(pool, options, lease => askAccount(accountOf(lease), asking), sink)
    })
  }

  async function embeddings(request: EmbeddingsRequest, call: EmbeddingsCall): Promise<EmbeddingsResult> {
    const unsuited = new Set(opened.filter(({ hasEmbeddings }) => !hasEmbeddings).map(({ spec }) => spec.name))
    if (unsuited.size === opened.length) {
      const message = 'Qwen makes embeddings for pay-as-you-go keys only, and this gateway holds none.'
      throw new GatewayError('model_not_found', message, { param: 'model' })
    }
    const { session: sticky, caller, signal, onAccount } = call
    const options = { sticky, caller, signal, onAccount }
    return withAccount(without(pool, unsuited), options, async lease => {
      const account = accountOf(lease)
      const service = await account.service(call.signal)
      try {
        const rules = { ...settings.request, maxInputs: MAX_INPUTS, tokens: false }
        return await readEmbeddings(service, request, call, rules)
      } catch (error) {
        throw toQwenError(error, { advice: account.advice, secrets: secretsOf(service) }, Date.now())
      }
    })
  }

  const signIns = new Set(opened.filter(({ isPortal }) => isPortal).map(({ spec }) => spec.name))

  function relayTo(url: string, call: RelayCall): AsyncIterable<Buffer> {
    const { session: sticky, caller, signal, onAccount } = call
    const options = { sticky, caller, signal, onAccount }
    return createFlow(sink =>
      runThroughAccounts(without(pool, signIns), options, lease => relayThrough(accountOf(lease), url, call), sink),
    )
  }

  return {
    chat,
    models: signal => listModels(opened, signal),
    embeddings,
    // The portal of sign-ins does not speak it.
    ...(messagesUrl !== undefined &&
      signIns.size < opened.length && { relayMessages: call => relayTo(messagesUrl, call) }),
    accounts: operableAccounts(pool, (name, signal) => {
      const account = accounts.get(name)!
      return askAccount(account, toAsking(...tinyRequest(account.probeModel, signal)))
    }),
  }
}

/** The pool as if it had no accounts of these names. */
function without(pool: Pool, names: ReadonlySet<string>): Pool {
  return {
    ...pool,
    lease: ({ exclude = [], ...options } = {}) => pool.lease({ ...options, exclude: new Set([...names, ...exclude]) }),
  }
}

/** What belongs together: the gateway's own word for it, else what clients say. */
function stickyOf({ user, prompt_cache_key: cacheKey, metadata }: ChatRequest, { session }: Call): string | undefined {
  const conversation = isObject(metadata) ? metadata['sessionId'] : undefined
  return [session, user, cacheKey, conversation].find(key => typeof key === 'string' && key !== '') as
    | string
    | undefined
}

const STORAGE_HEADERS = { 'x-dashscope-ossresourceresolve': 'enable' }

/** Whether media are in the service's own storage. */
function usesStorage({ messages }: ChatRequest): boolean {
  return messages.some(
    ({ content }) => Array.isArray(content) && content.some(part => Object.values(part).some(isStored)),
  )
}

function isStored(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isStored)
  const url = isObject(value) ? value['url'] : value
  return typeof url === 'string' && url.startsWith('oss://')
}

function tinyRequest(model: string, signal: AbortSignal): [ChatRequest, Call] {
  const head = { id: 'probe', created: 0, model, includeUsage: false }
  const request = { model, max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }
  return [request, { model, head, stream: true, signal, requestId: 'probe' }]
}
