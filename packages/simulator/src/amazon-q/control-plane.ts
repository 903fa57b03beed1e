import { DAY_MS, endOfMonth } from '../service/quotas.ts'
import type { Reply } from '../service/route.ts'
import { kindOf } from './accounts.ts'
import type { AmazonQAccount } from './accounts.ts'
import { ServiceError } from './exceptions.ts'
import { modelsFor, ORIGINS, USUAL_MODEL } from './models.ts'
import type { AmazonQModel } from './models.ts'
import { parametersOf, toJsonReply } from './route.ts'
import type { Asked } from './route.ts'
import type { World } from './world.ts'

const MAX_MODELS = 100
const MAX_PROFILES = 10
/** Requests in a month, where the account has no limit. */
const USUAL_LIMIT = 1000

type Parameters = Readonly<Record<string, unknown>>

/** @throws {ServiceError} a parameter is missing or not valid */
export function listModels(world: World, asked: Asked): Reply {
  const parameters = parametersOf(asked)
  const origin = parameters['origin']
  if (typeof origin !== 'string' || !ORIGINS.includes(origin)) throw new ServiceError('invalid-parameter')
  const models = modelsFor(origin)
  const { items, nextToken } = toPage(models.map(toListed), parameters, MAX_MODELS, world.service.modelPageSize)
  const usual = models.find(model => model.id === 'auto') ?? USUAL_MODEL
  return toJsonReply(asked.flavour, { models: items, defaultModel: { modelId: usual.id }, nextToken })
}

function toListed({ id, maxInputTokens, maxOutputTokens, rate, images }: AmazonQModel): object {
  const modelName = id.replaceAll('-', ' ').replace(/\b[a-z]/g, letter => letter.toUpperCase())
  return {
    modelId: id,
    modelName,
    description: `${modelName}, simulated`,
    rateMultiplier: rate,
    rateUnit: 'Credit',
    tokenLimits: { maxInputTokens, maxOutputTokens },
    supportedInputTypes: images ? ['TEXT', 'IMAGE'] : ['TEXT'],
    supportsPromptCache: id.startsWith('claude'),
  }
}

/** @throws {ServiceError} the account has no profiles, or a parameter is not valid */
export function listProfiles(_: World, asked: Asked, account: AmazonQAccount): Reply {
  const { listed } = kindOf(account)
  if (listed === null) throw new ServiceError('builder-id')
  const profiles = listed.map((arn, at) => ({ arn, profileName: `Simulated ${at + 1}`, status: 'ACTIVE' }))
  const { items, nextToken } = toPage(profiles, parametersOf(asked), MAX_PROFILES, MAX_PROFILES)
  return toJsonReply(asked.flavour, { profiles: items, nextToken })
}

/** One page of a list, and the token of the next; null behind the last. */
function toPage<Item>(
  items: readonly Item[],
  { maxResults, nextToken }: Parameters,
  most: number,
  usual: number,
): { readonly items: readonly Item[]; readonly nextToken: string | null } {
  const wanted = maxResults === undefined ? most : Number(maxResults)
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > most) throw new ServiceError('invalid-parameter')
  const from = nextToken === undefined || nextToken === null ? 0 : Number(/^page-(\d+)$/.exec(String(nextToken))?.[1])
  if (Number.isNaN(from)) throw new ServiceError('invalid-parameter')
  const to = from + Math.min(wanted, usual)
  return { items: items.slice(from, to), nextToken: to < items.length ? `page-${to}` : null }
}

/** How much the account has used of its month. */
export function usageLimits({ clock, accounts }: World, asked: Asked, account: AmazonQAccount): Reply {
  const { title, name } = kindOf(account)
  const now = clock.now()
  const { month } = account.quota.used
  const limit = account.quota.limits.month ?? USUAL_LIMIT
  const isOut = accounts.refusal(account)?.error.startsWith('monthly') === true
  const counted = month !== undefined && now < month.endsAt ? month.count : 0
  const used = isOut ? Math.max(limit, counted) : counted
  const nextDateReset = endOfMonth(now) / 1000
  return toJsonReply(asked.flavour, {
    limits: [
      {
        type: 'AGENTIC_REQUEST',
        currentUsage: used,
        totalUsageLimit: limit,
        percentUsed: limit === 0 ? 100 : (used / limit) * 100,
      },
    ],
    nextDateReset,
    daysUntilReset: Math.ceil((nextDateReset * 1000 - now) / DAY_MS),
    usageBreakdownList: [
      {
        resourceType: name === 'builder' || name === 'pro' ? 'AGENTIC_REQUEST' : 'CREDIT',
        displayName: 'Request',
        displayNamePlural: 'Requests',
        unit: 'INVOCATIONS',
        currentUsage: used,
        currentUsageWithPrecision: used,
        usageLimit: limit,
        usageLimitWithPrecision: limit,
        currentOverages: 0,
        overageRate: 0.04,
        overageCharges: 0,
        overageCap: 0,
        currency: 'USD',
        nextDateReset,
      },
    ],
    subscriptionInfo: { type: 'SIMULATED', subscriptionTitle: title, upgradeCapability: 'UPGRADE_CAPABLE' },
    overageConfiguration: { overageStatus: 'DISABLED' },
    userInfo: { userId: `d-0000000000.${account.name}`, email: null },
  })
}
