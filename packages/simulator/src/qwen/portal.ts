import { parseBody } from '../chat-request.ts'
import { splitModel } from '../options.ts'
import { toJsonAnswer } from '../service/route.ts'
import type { Reply } from '../service/route.ts'
import { admitRequest } from './accounts.ts'
import type { QwenAccount } from './accounts.ts'
import { answerChat } from './chat.ts'
import type { ChatBody } from './chat-body.ts'
import { listModels } from './compatible-mode.ts'
import { ServiceError } from './errors.ts'
import { COST_OF_SEARCH } from './quotas.ts'
import type { Asked, Route, Routes } from './route.ts'
import type { World } from './world.ts'

/** Names that the portal's one model has elsewhere, and that it does not answer to. */
const NEWER_NAMES = new Set(['qwen3.5-plus', 'qwen3.6-plus'])
const MAX_ROWS = 100
const HITS = 20

/** What tokens of the sign-in server are good for. */
export function portalRoutes(world: World): Routes {
  const signedIn = (handle: (asked: Asked, account: QwenAccount) => Reply): Route => ({
    shape: () => 'compat',
    handle: asked => handle(asked, authorize(world, asked)),
  })
  return new Map([
    ['POST /v1/chat/completions', signedIn((asked, account) => chat(world, asked, account))],
    ['GET /v1/models', signedIn(({ site }) => listModels(world, site))],
    ['POST /api/v1/indices/plugin/web_search', signedIn((asked, account) => search(world, asked, account))],
  ])
}

/**
 * The account whose token it is.
 * @throws {ServiceError} there is no such token, or its time is over
 */
function authorize(world: World, { bearer }: Asked): QwenAccount {
  const token = world.tokens.live(bearer)
  if (token === undefined) throw new ServiceError('token-expired')
  return world.accounts.named(token.account)
}

function chat(world: World, asked: Asked, account: QwenAccount): Reply {
  const { closed, onlyAgent } = world.tier
  if (closed) throw new ServiceError('token-expired')
  if (onlyAgent !== null && !asked.headers['user-agent']?.startsWith(onlyAgent)) throw new ServiceError('free-quota')
  const { model } = parseBody(asked.body)
  if (NEWER_NAMES.has(splitModel(String(model)).name)) throw new ServiceError('model-not-exist')
  return answerChat(world, asked, account, asked.body, { shape: 'compat', check: checkSystemFirst })
}

/** One system message, at the beginning and nowhere else. */
function checkSystemFirst({ messages }: ChatBody): void {
  const [first, ...rest] = messages
  if (first?.role !== 'system' || rest.some(message => message?.role === 'system'))
    throw new ServiceError('bad-request')
}

/** Web search: pages about the river's mill, whatever is asked. */
function search(world: World, { body, requestId }: Asked, account: QwenAccount): Reply {
  const { uq: query, page = 1, rows = 10 } = parseBody(body)
  if (typeof query !== 'string' || query === '') throw new ServiceError('invalid-parameter', 'uq is missing')
  if (typeof rows !== 'number' || rows < 1 || rows > MAX_ROWS) {
    throw new ServiceError('invalid-parameter', `Range of rows should be [1, ${MAX_ROWS}]`)
  }
  admitRequest(world, account, COST_OF_SEARCH)
  const from = (Number(page) - 1) * rows
  const docs = Array.from({ length: Math.max(0, Math.min(rows, HITS - from)) }, (_, at) => toHit(query, from + at + 1))
  return {
    subject: 'web_search',
    answer: toJsonAnswer({
      headers: {},
      data: { total: HITS, totalDistinct: HITS, docs, qpInfos: [] },
      success: true,
      rid: requestId,
      message: 'success',
      status: 0,
    }),
  }
}

function toHit(query: string, number: number): object {
  return {
    _id: `hit-${number}`,
    _score: 1 / number,
    title: `${query}, page ${number}`,
    url: `https://mill.example/${number}`,
    snippet: 'The mill stands by the river.',
    hostname: 'mill.example',
    timestamp: 1_780_000_000,
  }
}
