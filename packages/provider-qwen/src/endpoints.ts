export const REGIONS = ['singapore', 'beijing', 'us', 'hongkong'] as const
export type Region = (typeof REGIONS)[number]

export const PLANS = ['payg', 'coding', 'token'] as const
export type Plan = (typeof PLANS)[number]

/** The region of a key that is given without one: that of the international console, where most keys are from. */
export const DEFAULT_REGION: Region = 'singapore'

/** What keys of the Coding Plan and of the Token Plan begin with, and no other. */
const PLAN_KEY = 'sk-sp-'

/** Where each plan is to be had, and the root of its API there. */
const BASE_URLS: Readonly<Record<Plan, Readonly<Partial<Record<Region, string>>>>> = {
  payg: {
    singapore: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    beijing: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    us: 'https://dashscope-us.aliyuncs.com/compatible-mode/v1',
    hongkong: 'https://cn-hongkong.dashscope.aliyuncs.com/compatible-mode/v1',
  },
  coding: {
    singapore: 'https://coding-intl.dashscope.aliyuncs.com/v1',
    beijing: 'https://coding.dashscope.aliyuncs.com/v1',
  },
  token: {
    singapore: 'https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1',
    beijing: 'https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1',
  },
}

const PLAN_NAMES: Readonly<Record<Plan, string>> = {
  payg: 'pay-as-you-go',
  coding: 'the Coding Plan',
  token: 'the Token Plan',
}

/** The root of the API for keys of a plan and region; undefined where the plan is not to be had there. */
export function baseUrlOf(plan: Plan, region: Region): string | undefined {
  return BASE_URLS[plan][region]
}

/** The regions in which a plan is to be had. */
export function regionsOf(plan: Plan): readonly Region[] {
  return REGIONS.filter(region => region in BASE_URLS[plan])
}

/** The plan that a key is of where nothing says so: of the two whose keys look alike, the one that more people have. */
export function planOfKey(apiKey: string): Plan {
  return apiKey.startsWith(PLAN_KEY) ? 'coding' : 'payg'
}

/** Why a key may be refused that is good elsewhere, and what to write into the configuration. */
export function adviceFor(apiKey: string, plan: Plan, region: Region): string {
  const isPlanKey = apiKey.startsWith(PLAN_KEY)
  const asked = `It was asked for ${PLAN_NAMES[plan]} in ${region}, and a key is good only for the plan and region it was made in.`
  if (isPlanKey && plan === 'payg') {
    return `${asked} Keys that begin with ${PLAN_KEY} are of the Coding Plan or the Token Plan: set \`plan: coding\` or \`plan: token\`.`
  }
  if (!isPlanKey && plan !== 'payg') {
    return `${asked} Keys of that plan begin with ${PLAN_KEY}, which this one does not: set \`plan: payg\`, or take the key of the plan.`
  }
  const regions = regionsOf(plan).filter(other => other !== region)
  const plans = isPlanKey ? `, or \`plan: ${plan === 'coding' ? 'token' : 'coding'}\`` : ''
  return `${asked} If it is from another: set \`region: ${regions.join('` or `')}\`${plans}.`
}

/** Where tokens of a sign-in are good when nothing says otherwise. */
const PORTAL_URL = 'https://portal.qwen.ai/v1'

/** Hosts that a sign-in may send its token to. */
const TOKEN_HOSTS = /(?:^|\.)(?:qwen\.ai|aliyuncs\.com)$/

/**
 * The root of the API that a sign-in names, which may be a bare host; without one the portal. Its host has to be one of
 * Qwen's, or that of the sign-in server at `authUrl`.
 * @throws {Error} it is no address to which a token may be sent; the message may be shown
 */
export function baseUrlOfResource(resource: string | undefined, authUrl: string): string {
  if (!resource) return PORTAL_URL
  const url = URL.parse(resource.startsWith('http') ? resource : `https://${resource}`)
  const isTrusted =
    url !== null &&
    (url.origin === new URL(authUrl).origin || (url.protocol === 'https:' && TOKEN_HOSTS.test(url.hostname)))
  if (!isTrusted) {
    throw new Error('the sign-in names a server that is not known as one of Qwen: set `baseUrl` if it is right')
  }
  const path = url.pathname.replace(/\/+$/, '')
  return `${url.origin}${path.endsWith('/v1') ? path : `${path}/v1`}`
}
