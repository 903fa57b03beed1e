import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Reply } from '../ask-simulator.ts'
import { startAmazonQSimulator } from './amazon-q-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'
import { askAmazonQ, callAmazonQ, faultOf, textOf, TOKEN } from './ask-amazon-q.ts'
import { AMAZON_Q_COMMANDS } from './commands.ts'

let simulator: AmazonQSimulator
beforeEach(async () => {
  simulator = await startAmazonQSimulator()
})
afterEach(() => simulator.close())

function ask(token = TOKEN): Promise<Reply> {
  return askAmazonQ(simulator, '', { token })
}

async function post(commands: object): Promise<readonly [number, Record<string, unknown>]> {
  const response = await fetch(new URL('/control', simulator.url), { method: 'POST', body: JSON.stringify(commands) })
  return [response.status, (await response.json()) as Record<string, unknown>]
}

describe('limits', () => {
  it.each([
    ['second', 1000, [429, 'ThrottlingException', null]],
    ['minute', 60_000, [429, 'ThrottlingException', null]],
    ['hour', 3_600_000, [429, 'ThrottlingException', null]],
    ['day', 86_400_000, [429, 'ThrottlingException', 'DAILY_REQUEST_COUNT']],
    ['month', 31 * 86_400_000, [402, 'ServiceQuotaExceededException', 'MONTHLY_REQUEST_COUNT']],
  ] as const)('%s: run out, and come back when the clock has passed', async (window, ms, fault) => {
    simulator.control.setLimits({ credential: TOKEN, limits: { [window]: 2 } })
    const seen = [await ask(), await ask(), await ask()]
    expect(seen.slice(0, 2).map(reply => reply.status)).toEqual([200, 200])
    expect(faultOf(seen[2]!).slice(0, 3)).toEqual(fault)
    expect((await ask('aoa-test-2')).status).toBe(200)
    simulator.control.advanceClock({ ms })
    expect((await ask()).status).toBe(200)
  })

  it('say until when, where that is wanted', async () => {
    simulator.control.setLimits({ credential: TOKEN, limits: { minute: 0 } })
    expect((await ask()).headers).not.toHaveProperty('retry-after')
    simulator.control.setService({ retryAfter: 'seconds' })
    expect((await ask()).headers['retry-after']).toBe('60')
  })

  it('are those of the account, whichever token it comes with', async () => {
    const tokens = [1, 2].map(() => simulator.control.issueTokens({ account: 'pro-1' }).accessToken)
    simulator.control.setLimits({ credential: 'pro-1', limits: { day: 1 } })
    expect([(await ask(tokens[0])).status, (await ask(tokens[1])).status]).toEqual([200, 429])
  })
})

describe('an account', () => {
  it('is exhausted for some time, or until it is restored', async () => {
    simulator.control.exhaust({ credential: TOKEN, error: 'monthly-400', forMs: 5000 })
    const message = 'Maximum Request reached for this month.'
    expect(faultOf(await ask())).toEqual([400, 'ThrottlingException', 'MONTHLY_REQUEST_COUNT', message])
    simulator.control.advanceClock({ ms: 5000 })
    expect((await ask()).status).toBe(200)
    simulator.control.exhaust({ credential: TOKEN })
    expect((await ask()).status).toBe(402)
    simulator.control.restore({ credential: TOKEN })
    expect((await ask()).status).toBe(200)
  })

  it('is suspended', async () => {
    simulator.control.suspend({ credential: TOKEN })
    expect(faultOf(await ask()).slice(0, 3)).toEqual([403, 'AccessDeniedException', 'TEMPORARILY_SUSPENDED'])
    simulator.control.restore({ credential: TOKEN })
    expect((await ask()).status).toBe(200)
  })

  it.each([
    ['aoa-suspended-1', 403],
    ['aoa-pro-spent', 402],
    ['aoa-throttled-1', 429],
    ['aoa-expired', 403],
  ])('is what its name says: %s', async (token, status) => expect((await ask(token)).status).toBe(status))

  it('gets what was scripted, in turn', async () => {
    simulator.control.script({ credential: TOKEN, answers: ['error=capacity', 'script=text&words=2', ''] })
    const seen = [await ask(), await ask(), await ask()]
    expect(seen.map(reply => reply.status)).toEqual([429, 200, 200])
    expect(textOf(seen[1]!)).toBe('the mill')
    expect(() => simulator.control.script({ credential: TOKEN, answers: ['script=none'] })).toThrow(
      'There is no script',
    )
  })

  it('shows in the state what became of its requests', async () => {
    await ask()
    simulator.control.exhaust({ credential: TOKEN })
    await ask()
    await askAmazonQ(simulator, '', {
      headers: { 'amz-sdk-invocation-id': 'i', 'amz-sdk-request': 'attempt=2; max=3' },
    })
    expect(simulator.state.credentials[TOKEN]).toEqual({ requests: 3, statuses: { 200: 1, 402: 2 } })
    expect(simulator.state.calls).toMatchObject([
      { operation: 'GenerateAssistantResponse', flavour: 'json', credential: TOKEN, attempt: null, status: 200 },
      { status: 402 },
      { invocationId: 'i', attempt: 'attempt=2; max=3' },
    ])
    expect(simulator.stats).toMatchObject({ requests: 3, chats: 1 })
  })
})

describe('commands', () => {
  it('are taken as JSON, and answered with the state', async () => {
    const [status, state] = await post({
      setClock: { at: '2030-01-01T00:00:00Z' },
      issueTokens: [{ account: 'pro-1', accessToken: 'aoa-given' }, { account: 'builder-2' }],
      exhaust: { credential: 'pro-1', error: 'overage' },
    })
    expect(status).toBe(200)
    expect(state['tokens']).toMatchObject([{ accessToken: 'aoa-given', account: 'pro-1' }, { account: 'builder-2' }])
    expect((await ask('aoa-given')).status).toBe(402)
    expect(await (await fetch(new URL('/control', simulator.url))).json()).toMatchObject({ service: { strict: true } })
  })

  it.each([
    { nothing: {} },
    { exhaust: {} },
    { exhaust: { credential: 'x', error: 'none' } },
    { setService: { strict: 'yes' } },
    { failOperation: { operation: 'Nothing', error: null } },
    { setLimits: { credential: 'x', limits: { year: 1 } } },
    { script: { credential: 'x', answers: ['script=none'] } },
  ])('are refused where they make no sense: %j', async commands => expect((await post(commands))[0]).toBe(400))

  it('make everything as it was', async () => {
    const names = Object.keys(simulator.control)
    expect(Object.keys(AMAZON_Q_COMMANDS).toSorted()).toEqual(names.toSorted())
    const before = JSON.stringify({ ...simulator.state, now: 0, stats: null })
    simulator.control.setLimits({ credential: TOKEN, limits: { day: 0 } })
    simulator.control.registerClient()
    simulator.control.failOperation({ operation: 'GetUsageLimits', error: 'forbidden' })
    simulator.control.setService({ strict: false })
    await ask()
    simulator.control.reset()
    expect(JSON.stringify({ ...simulator.state, now: 0, stats: null })).toBe(before)
    expect((await ask()).status).toBe(200)
    expect((await callAmazonQ(simulator, 'GetUsageLimits', {})).status).toBe(200)
  })
})
