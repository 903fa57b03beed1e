/** Where a region serves those who come with Amazon Q, or with Kiro. */
export function endpointOf(region: string, isKiro: boolean): string {
  return isKiro ? `https://runtime.${region}.kiro.dev` : `https://q.${region}.amazonaws.com`
}

/** Kiro's hosts, which have one for answers and another for all else. */
const KIRO_RUNTIME = /^https:\/\/runtime\.([a-z0-9-]+)\.kiro\.dev(?=\/|$)/

export function isKiroHost(endpoint: string): boolean {
  return KIRO_RUNTIME.test(endpoint)
}

/** Where lists are to be had, of models for instance, for answers from this endpoint. */
export function controlEndpointOf(endpoint: string): string {
  return endpoint.replace(KIRO_RUNTIME, 'https://management.$1.kiro.dev')
}
