import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startAmazonQSimulator } from './amazon-q-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'
import { askAmazonQ, callAmazonQ, callHeaders, TOKEN } from './ask-amazon-q.ts'

let simulator: AmazonQSimulator
beforeAll(async () => {
  simulator = await startAmazonQSimulator()
})
afterEach(() => simulator.control.reset())
afterAll(() => simulator.close())

interface ModelPage {
  readonly models: readonly { readonly modelId: string }[]
  readonly defaultModel: { readonly modelId: string }
  readonly nextToken: string | null
}

/** The ids of all models, page by page. */
async function pagesOf(origin: string, more: object = {}): Promise<string[][]> {
  const pages: string[][] = []
  let nextToken: string | null | undefined
  do {
    const { body } = await callAmazonQ(simulator, 'ListAvailableModels', { origin, nextToken, ...more })
    const page = body as unknown as ModelPage
    pages.push(page.models.map(model => model.modelId))
    nextToken = page.nextToken
  } while (nextToken !== null)
  return pages
}

/** By the path. */
async function get(path: string, token = TOKEN): Promise<unknown> {
  const response = await fetch(new URL(path, simulator.url), { headers: callHeaders('', token, 'rest') })
  return response.json()
}

describe('models', () => {
  it('come page by page, and more of them for Kiro', async () => {
    const kiro = await pagesOf('KIRO_CLI')
    expect(kiro.map(page => page.length)).toEqual([5, 5, 5, 2])
    expect(new Set(kiro.flat()).size).toBe(17)
    expect(await pagesOf('CLI')).toEqual([kiro.flat().slice(0, 5)])
    expect((await pagesOf('CLI', { maxResults: 2 })).map(page => page.length)).toEqual([2, 2, 1])
    simulator.control.setService({ modelPageSize: 100 })
    expect(await pagesOf('KIRO_CLI')).toEqual([kiro.flat()])
  })

  it('are the same by their path', async () => {
    const { body } = await callAmazonQ(simulator, 'ListAvailableModels', { origin: 'KIRO_CLI' })
    expect(await get('/ListAvailableModels?origin=KIRO_CLI')).toEqual(body)
    expect(await get('/List-Available-Models?origin=KIRO_CLI')).toEqual(body)
    expect(body).toMatchObject({
      defaultModel: { modelId: 'auto' },
      models: [
        {
          modelId: 'claude-sonnet-4.5',
          modelName: 'Claude Sonnet 4.5',
          rateMultiplier: 1.3,
          rateUnit: 'Credit',
          tokenLimits: { maxInputTokens: 200_000, maxOutputTokens: 64_000 },
          supportedInputTypes: ['TEXT', 'IMAGE'],
        },
        {},
        {},
        {},
        {},
      ],
    })
  })

  it.each([
    {},
    { origin: 'MILL' },
    { origin: 'CLI', maxResults: 0 },
    { origin: 'CLI', maxResults: 101 },
    { origin: 'CLI', nextToken: 'x' },
  ])('are refused with %j', async parameters =>
    expect((await callAmazonQ(simulator, 'ListAvailableModels', parameters)).status).toBe(400),
  )

  it('may fail', async () => {
    simulator.control.failOperation({ operation: 'ListAvailableModels', error: 'unknown-operation' })
    expect((await callAmazonQ(simulator, 'ListAvailableModels', { origin: 'CLI' })).status).toBe(404)
    expect((await askAmazonQ(simulator, '')).status).toBe(200)
    simulator.control.failOperation({ operation: 'ListAvailableModels', error: null })
    expect((await callAmazonQ(simulator, 'ListAvailableModels', { origin: 'CLI' })).status).toBe(200)
  })
})

describe('profiles', () => {
  it('are those of an organisation, page by page', async () => {
    const first = await callAmazonQ(simulator, 'ListAvailableProfiles', { maxResults: 1 }, 'aoa-pro-1')
    expect(first.body).toMatchObject({ profiles: [{ arn: expect.stringMatching(/^arn:.*001$/) as string }] })
    const { nextToken } = first.body
    const second = await callAmazonQ(simulator, 'ListAvailableProfiles', { nextToken }, 'aoa-pro-1')
    expect(second.body).toMatchObject({
      profiles: [{ arn: expect.stringMatching(/^arn:.*002$/) as string }],
      nextToken: null,
    })
  })

  it('are not for Builder IDs', async () => {
    const { status, body } = await callAmazonQ(simulator, 'ListAvailableProfiles', {})
    expect([status, body['message']]).toEqual([403, 'AWS Builder ID is not supported for this operation.'])
  })

  it('are there by their path', async () => {
    const init = { method: 'POST', headers: callHeaders('', 'aoa-social-1', 'rest'), body: '{}' }
    const response = await fetch(new URL('/ListAvailableProfiles', simulator.url), init)
    expect(await response.json()).toMatchObject({ profiles: [{ profileName: 'Simulated 1' }] })
  })
})

describe('usage', () => {
  it('counts the chats of a month, up to the limit', async () => {
    simulator.control.setClock({ at: '2026-03-30T00:00:00Z' })
    simulator.control.setLimits({ credential: TOKEN, limits: { month: 2 } })
    await askAmazonQ(simulator, '')
    const reset = Date.parse('2026-04-01T00:00:00Z') / 1000
    const { body } = await callAmazonQ(simulator, 'GetUsageLimits', {})
    expect(body).toMatchObject({
      limits: [{ type: 'AGENTIC_REQUEST', currentUsage: 1, totalUsageLimit: 2, percentUsed: 50 }],
      nextDateReset: reset,
      daysUntilReset: 2,
      usageBreakdownList: [{ currentUsage: 1, usageLimit: 2, nextDateReset: reset }],
      subscriptionInfo: { subscriptionTitle: 'FREE TIER' },
    })
    const sent = await get('/getUsageLimits?origin=CLI&isEmailRequired=false')
    expect(sent).toMatchObject({ limits: [{ currentUsage: 1 }] })
    simulator.control.advanceClock({ ms: 2 * 86_400_000 })
    expect(await get('/Get-Usage-Limits')).toMatchObject({ limits: [{ currentUsage: 0 }] })
  })

  it('is all of it while the month is used up', async () => {
    simulator.control.exhaust({ credential: TOKEN })
    expect(await get('/getUsageLimits')).toMatchObject({ limits: [{ currentUsage: 1000, percentUsed: 100 }] })
  })
})
