export type PlanName = 'payg' | 'coding' | 'token'
export type Region = 'singapore' | 'beijing' | 'us' | 'hongkong'

interface AnySite {
  /** The prefix of its paths, and its name in `baseUrls`. */
  readonly name: string
  /** The host whose place it takes. */
  readonly hostname: string
  /** Where the API begins there. */
  readonly base: string
}

export interface DashscopeSite extends AnySite {
  readonly kind: 'dashscope'
  readonly plan: PlanName
  readonly region: Region
}

interface OwnSite extends AnySite {
  readonly kind: 'auth' | 'portal'
}

export type Site = DashscopeSite | OwnSite

const COMPATIBLE = '/compatible-mode/v1'

function dashscope(region: Region, plan: PlanName, hostname: string, base = COMPATIBLE): DashscopeSite {
  return { kind: 'dashscope', name: `${region}/${plan}`, region, plan, hostname, base }
}

const AUTH: Site = { kind: 'auth', name: 'auth', hostname: 'chat.qwen.ai', base: '' }
const PORTAL: Site = { kind: 'portal', name: 'portal', hostname: 'portal.qwen.ai', base: '/v1' }
const SINGAPORE = dashscope('singapore', 'payg', 'dashscope-intl.aliyuncs.com')

/** Every host that is simulated. */
export const SITES: readonly Site[] = [
  AUTH,
  PORTAL,
  SINGAPORE,
  dashscope('beijing', 'payg', 'dashscope.aliyuncs.com'),
  dashscope('us', 'payg', 'dashscope-us.aliyuncs.com'),
  dashscope('hongkong', 'payg', 'cn-hongkong.dashscope.aliyuncs.com'),
  dashscope('singapore', 'coding', 'coding-intl.dashscope.aliyuncs.com', '/v1'),
  dashscope('beijing', 'coding', 'coding.dashscope.aliyuncs.com', '/v1'),
  dashscope('singapore', 'token', 'token-plan.ap-southeast-1.maas.aliyuncs.com'),
  dashscope('beijing', 'token', 'token-plan.cn-beijing.maas.aliyuncs.com'),
]

/** The words for a region and a plan that a key may have in it. */
export const REGIONS: readonly string[] = ['singapore', 'beijing', 'us', 'hongkong'] satisfies Region[]
export const PLANS: readonly string[] = ['payg', 'coding', 'token'] satisfies PlanName[]

/** A site, and the path as the site itself would see it. */
export interface Place {
  readonly site: Site
  readonly path: string
}

/**
 * Where a request may be meant to go: the host that it names, or the site whose name begins its path. Where it names
 * neither, those sites come into question whose paths do not collide.
 */
export function placesOf(host: string | undefined, path: string): readonly Place[] {
  const hostname = host?.replace(/:\d+$/, '').toLowerCase()
  const named = SITES.find(site => site.hostname === hostname)
  if (named !== undefined) return [{ site: named, path }]
  const prefixing = SITES.find(site => path.startsWith(`/${site.name}/`))
  if (prefixing !== undefined) return [{ site: prefixing, path: path.slice(prefixing.name.length + 1) }]
  return [AUTH, PORTAL, SINGAPORE].map(site => ({ site, path }))
}
