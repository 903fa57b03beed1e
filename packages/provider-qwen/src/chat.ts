import { createFlow, run, type Call, type Frames, type UpstreamBody, type UpstreamReply } from '@millrace/core'
import { ask, orAgain, type Service } from '@millrace/openai-dialect'
import { readFrames, withIncrements, withoutOrphanTag, withThinkTags, withWholeArguments } from '@millrace/sse-core'
import { QwenError, toQwenError } from './failures.ts'
import { secretsOf, type OpenAccount } from './open-account.ts'
import type { QwenConfig } from './config.ts'

/** One request for a chat completion, before it is known who serves it. */
export interface Asking {
  readonly call: Call
  readonly settings: QwenConfig
  /** The body, for the portal of sign-ins or for the API. */
  readonly bodyFor: (isPortal: boolean) => Buffer
  /** What is sent with this request besides the account's headers. */
  readonly headers: Readonly<Record<string, string>>
}

const DISCONTINUED =
  'The upstream refuses a fresh token of this sign-in: the free tier behind Qwen sign-ins ended on 2026-04-15. Use an API key, the Coding Plan or the Token Plan.'

/**
 * The answer that an account gives. A refused token is renewed once and the request repeated, before anything was given;
 * where the new token is refused as well, so is the sign-in.
 */
export function askAccount(account: OpenAccount, asking: Asking): Frames {
  return createFlow(async sink => {
    const { signal } = asking.call
    const service = await account.service(signal)
    const frames = orAgain(askService(account, service, asking), async error => {
      if (account.renewed === undefined || !isRefusal(error)) return undefined
      return askService(account, await account.renewed(service, signal), asking, toDiscontinued)
    })
    await run(frames, sink)
  })
}

function askService(
  account: OpenAccount,
  service: Service,
  { call, settings, bodyFor, headers }: Asking,
  explain = (error: unknown): unknown => error,
): Frames {
  return createFlow(async sink => {
    let page: { readonly isPage: boolean } = { isPage: false }
    try {
      const body = bodyFor(account.isPortal)
      const target = { ...service, headers: { ...service.headers, ...headers } }
      const reply = await ask(target, 'chat/completions', body, { ...call, stream: true })
      const watched = watchForPage(reply)
      page = watched
      await run(toFrames(watched.reply, call, settings), sink)
    } catch (error) {
      const context = { isPage: page.isPage, advice: account.advice, secrets: secretsOf(service) }
      throw explain(toQwenError(error, context, Date.now()))
    }
  })
}

function toFrames(reply: UpstreamReply, { head }: Call, settings: QwenConfig): Frames {
  let frames = readFrames(reply, head)
  if (settings.cumulative === 'auto') frames = withIncrements(frames)
  if (settings.thinkTags === 'split') frames = withThinkTags(frames, head)
  if (settings.orphanThinkTag === 'strip') frames = withoutOrphanTag(frames)
  return withWholeArguments(frames)
}

function isRefusal(error: unknown): boolean {
  return error instanceof QwenError && error.verdict.state === 'auth-expired'
}

function toDiscontinued(error: unknown): unknown {
  if (!isRefusal(error)) return error
  return new QwenError('upstream_auth_failed', DISCONTINUED, { state: 'auth-expired' }, { cause: error })
}

const LESS_THAN = 0x3c

/** The same answer, and, where it may be one, whether it has turned out to be a web page. */
export function watchForPage(reply: UpstreamReply): { readonly reply: UpstreamReply; readonly isPage: boolean } {
  if (reply.status === 200 && !(reply.headers['content-type'] ?? '').includes('html')) return { reply, isPage: false }
  let first: number | undefined
  const body: UpstreamBody = {
    endWithin: ms => reply.body.endWithin(ms),
    async *[Symbol.asyncIterator]() {
      for await (const read of reply.body) {
        first ??= read.find(byte => byte > 0x20)
        yield read
      }
    },
  }
  return {
    reply: { ...reply, body },
    get isPage() {
      return first === LESS_THAN
    },
  }
}
