import {
  createFlow,
  run,
  UpstreamError,
  type Call,
  type ChatRequest,
  type Edits,
  type Frames,
  type UpstreamReply,
} from '@millrace/core'
import { ask, orAgain, type Service } from '@millrace/openai-dialect'
import {
  readFrames,
  toUpstreamError,
  withIncrements,
  withoutOrphanTag,
  withThinkTags,
  withWholeArguments,
} from '@millrace/sse-core'
import { correctionOf } from './correction.ts'
import { QwenError, toQwenError } from './failures.ts'
import { secretsOf, type OpenAccount } from './open-account.ts'
import { watch, type Watched } from './watch.ts'
import type { QwenConfig } from './config.ts'

/** One request for a chat completion, before it is known who serves it. */
export interface Asking {
  readonly request: ChatRequest
  readonly call: Call
  readonly settings: QwenConfig
  /** The body, for the portal of sign-ins or for the API, with these members in place of the client's. */
  readonly bodyFor: (isPortal: boolean, corrections?: Edits) => Buffer
  /** What is sent with this request besides the account's headers. */
  readonly headers: Readonly<Record<string, string>>
}

const DISCONTINUED =
  'The upstream refuses a fresh token of this sign-in: the free tier behind Qwen sign-ins ended on 2026-04-15. Use an API key, the Coding Plan or the Token Plan.'

/**
 * The answer that an account gives. Before anything was given a request is repeated once: with a new token where the token
 * was refused, and with a number in range where one was not. Where the new token is refused as well, so is the sign-in.
 */
export function askAccount(account: OpenAccount, asking: Asking): Frames {
  return createFlow(async sink => {
    const { signal } = asking.call
    const service = await account.service(signal)
    const first = askService(account, service, asking, asking.bodyFor(account.isPortal))
    const frames = orAgain(first, async error => {
      const corrections = correctionOf(error, asking.request)
      if (corrections !== undefined) {
        return askService(account, service, asking, asking.bodyFor(account.isPortal, corrections))
      }
      if (account.renewed === undefined || !isRefusal(error)) return undefined
      const renewed = await account.renewed(service, signal)
      return askService(account, renewed, asking, asking.bodyFor(account.isPortal), toDiscontinued)
    })
    await run(frames, sink)
  })
}

function askService(
  account: OpenAccount,
  service: Service,
  { call, settings, headers }: Asking,
  body: Buffer,
  explain = (error: unknown): unknown => error,
): Frames {
  return createFlow(async sink => {
    let watched: Watched | undefined
    try {
      const target = { ...service, headers: { ...service.headers, ...headers } }
      watched = watch(await ask(target, 'chat/completions', body, { ...call, stream: true }))
      await run(toFrames(watched.reply, call, settings), sink)
    } catch (error) {
      const context = { isPage: watched?.isPage() ?? false, advice: account.advice, secrets: secretsOf(service) }
      throw explain(toQwenError(toReported(error, watched), context, Date.now()))
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

/** JSON in place of an answer that says why, though not in a way of which the reader knows that it is a failure. */
function toReported(error: unknown, watched: Watched | undefined): unknown {
  const isNoAnswer = error instanceof UpstreamError && error.code === 'upstream_bad_response'
  const report = isNoAnswer ? watched?.report() : undefined
  return report === undefined ? error : toUpstreamError(report)
}

function isRefusal(error: unknown): boolean {
  return error instanceof QwenError && error.verdict.state === 'auth-expired'
}

function toDiscontinued(error: unknown): unknown {
  if (!isRefusal(error)) return error
  return new QwenError('upstream_auth_failed', DISCONTINUED, { state: 'auth-expired' }, { cause: error })
}
