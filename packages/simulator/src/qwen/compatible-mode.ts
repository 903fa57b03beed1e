import { parseBody, readModel } from '../chat-request.ts'
import { toEmbeddings } from '../embeddings.ts'
import { splitModel } from '../options.ts'
import { toJsonAnswer } from '../service/route.ts'
import type { Reply } from '../service/route.ts'
import type { QwenAccount } from './accounts.ts'
import { estimateTokens } from './chat-body.ts'
import { admit, answerChat, toNotFound } from './chat.ts'
import { toWishedError } from './error-answer.ts'
import { ServiceError } from './errors.ts'
import { toModelList } from './models.ts'
import { nativeRoute } from './native.ts'
import { costOf } from './quotas.ts'
import type { Asked, Route, Routes } from './route.ts'
import type { DashscopeSite, Site } from './sites.ts'
import type { World } from './world.ts'

const MAX_BATCH = 10
const DEFAULT_DIMENSIONS = 1024
const DIMENSIONS = [64, 128, 256, 512, 768, 1024]
const EMBEDDING_MODELS: Readonly<Record<string, readonly number[]>> = {
  'text-embedding-v3': DIMENSIONS,
  'text-embedding-v4': [...DIMENSIONS, 1536, 2048],
}

/** A region and plan of DashScope. Embeddings and the native API are there for those who pay as they go. */
export function dashscopeRoutes(world: World, site: DashscopeSite): Routes {
  const keyed = (handle: (asked: Asked, account: QwenAccount) => Reply): Route => ({
    shape: () => 'compat',
    handle: asked => handle(asked, authorize(world, site, asked)),
  })
  const generation = '/api/v1/services/aigc'
  return new Map([
    [
      `POST ${site.base}/chat/completions`,
      keyed((asked, account) => answerChat(world, asked, account, asked.body, { shape: 'compat' })),
    ],
    [`GET ${site.base}/models`, keyed(({ site }) => listModels(world, site))],
    ...(site.plan === 'payg'
      ? ([
          [`POST ${site.base}/embeddings`, keyed((asked, account) => embed(world, asked, account))],
          ...(['text', 'multimodal'] as const).map(
            kind =>
              [
                `POST ${generation}/${kind}-generation/generation`,
                nativeRoute(world, kind, asked => authorize(world, site, asked)),
              ] as const,
          ),
        ] as const)
      : []),
  ])
}

/**
 * The account that pays.
 * @throws {ServiceError} the key does not count here
 */
function authorize(world: World, site: DashscopeSite, { bearer }: Asked): QwenAccount {
  world.keys.check(bearer, site)
  return world.accountOf(bearer)
}

/**
 * The list of a site's models.
 * @throws {ServiceError} there is none for now
 */
export function listModels(world: World, site: Site): Reply {
  if (world.modelListError !== null) throw new ServiceError(world.modelListError)
  return { subject: 'models', answer: toJsonAnswer(toModelList(site)) }
}

function embed(world: World, asked: Asked, account: QwenAccount): Reply {
  const body = parseBody(asked.body)
  const model = readModel(body)
  const wanted = admit(world, asked, account, { model, prompt: () => '' }, costOf(estimateTokens(body['input'])))
  const reply = { options: wanted.options, subject: model }
  if (wanted.error !== undefined) {
    return { ...reply, answer: toWishedError(wanted.error, wanted.options, 'compat', asked.requestId) }
  }

  const { name } = splitModel(model)
  const allowed = Object.hasOwn(EMBEDDING_MODELS, name) ? EMBEDDING_MODELS[name]! : undefined
  if (allowed === undefined) throw toNotFound(name)
  const { input, dimensions = DEFAULT_DIMENSIONS, encoding_format: format = 'float' } = body
  if (format !== 'float') throw new ServiceError('invalid-parameter', 'encoding_format only supports float')
  if (!allowed.includes(Number(dimensions))) {
    throw new ServiceError('invalid-parameter', `dimensions should be one of [${allowed.join(', ')}]`)
  }
  if (Array.isArray(input) && input.length > MAX_BATCH) {
    throw new ServiceError(
      'invalid-parameter',
      `batch size is invalid, it should not be larger than ${MAX_BATCH}.: input.contents`,
    )
  }
  return { ...reply, answer: toJsonAnswer({ ...toEmbeddings({ ...body, dimensions }, model), id: asked.requestId }) }
}
