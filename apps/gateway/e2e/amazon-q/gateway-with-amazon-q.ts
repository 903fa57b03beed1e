import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { startGateway, type RunningGateway } from '../start-gateway.ts'
import { startSimulated, type SimulatedAmazonQ } from '../simulated-service.ts'

/** The key that the gateway wants of its clients. */
export const KEY = 'test-key-of-a-client-canary'
export const ADMIN_KEY = 'admin-key-0123456789-0123456789-canary'

/** Where the service is: for the configuration of a provider. */
export interface Service {
  readonly kind: 'amazon-q'
  readonly endpoint: string
  readonly authUrl: string
}

export function serviceOf({ url }: SimulatedAmazonQ): Service {
  return { kind: 'amazon-q', endpoint: url, authUrl: url }
}

export interface GatewayWithAmazonQ {
  readonly amazonQ: SimulatedAmazonQ
  readonly gateway: RunningGateway
  /** The official SDK, which asks only once. */
  client(key?: string): OpenAI
  /** Makes all accounts well again. */
  clearAccounts(): Promise<void>
}

/**
 * The gateway, with providers before the simulated service, each a process of its own. They run while the tests of the
 * file run; behind each test the service is as at its start, and all accounts are well.
 */
export function gatewayWithAmazonQ(
  providersOf: (service: Service) => object,
  config: object = {},
  env: Readonly<Record<string, string>> = {},
): GatewayWithAmazonQ {
  const running = new AsyncDisposableStack()
  let amazonQ: SimulatedAmazonQ
  let gateway: RunningGateway
  beforeAll(async () => {
    amazonQ = running.use(await startSimulated('amazon-q'))
    const providers = providersOf(serviceOf(amazonQ))
    const keys = { auth: { keys: [KEY] }, admin: { key: ADMIN_KEY } }
    gateway = running.use(await startGateway({ ...keys, providers, ...config }, env))
  })
  async function clearAccounts(): Promise<void> {
    for (const { provider, name, state } of await listAccounts(gateway)) {
      if (state !== 'ok') await askAdmin(gateway, `/${provider}/${name}/clear`, 'POST')
    }
  }
  afterEach(async () => {
    await amazonQ.control({ reset: {} })
    await clearAccounts()
  })
  afterAll(() => running.disposeAsync())
  return {
    get amazonQ() {
      return amazonQ
    },
    get gateway() {
      return gateway
    },
    client: (apiKey = KEY) => new OpenAI({ baseURL: gateway.baseUrl, apiKey, maxRetries: 0 }),
    clearAccounts,
  }
}

export interface ListedAccount {
  readonly provider: string
  readonly name: string
  readonly state: string
  readonly until: string | null
  readonly reason: string
}

/** The accounts of a running gateway, as its admin API tells of them. */
export async function listAccounts(gateway: RunningGateway): Promise<readonly ListedAccount[]> {
  const { data } = (await askAdmin(gateway, '', 'GET')) as { readonly data: readonly ListedAccount[] }
  return data
}

async function askAdmin({ origin }: RunningGateway, path: string, method: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' }
  const body = method === 'POST' ? { body: '{}' } : {}
  const response = await fetch(`${origin}/admin/accounts${path}`, { method, headers, ...body })
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}
