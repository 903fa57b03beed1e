const DEFAULT_REGION = 'us-east-1'

/** Where accounts of other regions than those with a service of their own are served. */
const SERVED_IN: readonly (readonly [signIn: RegExp, region: string])[] = [[/^eu-/, 'eu-central-1']]

/** The region that a profile belongs to: the fourth part of its name. */
export function regionOfProfile(profileArn: string | undefined): string | undefined {
  return profileArn?.split(':')[3] || undefined
}

/** The region that serves those who sign in in this one, as far as can be told from that. */
export function regionOfSignIn(region = DEFAULT_REGION): string {
  return SERVED_IN.find(([signIn]) => signIn.test(region))?.[1] ?? DEFAULT_REGION
}

/** The keys of Kiro, which are good nowhere else. */
const KIRO_KEY = /^ksk_/

/** Where a region serves those with this token, or with another way in. */
export function endpointOf(region: string, token = ''): string {
  return KIRO_KEY.test(token) ? `https://runtime.${region}.kiro.dev` : `https://q.${region}.amazonaws.com`
}

/** Kiro's hosts, which have one for answers and another for all else. */
const KIRO_RUNTIME = /^https:\/\/runtime\.([a-z0-9-]+)\.kiro\.dev(?=\/|$)/

export function isKiro(endpoint: string): boolean {
  return KIRO_RUNTIME.test(endpoint)
}

/** Where lists of models are to be had for answers from this endpoint. */
export function controlEndpointOf(endpoint: string): string {
  return endpoint.replace(KIRO_RUNTIME, 'https://management.$1.kiro.dev')
}
