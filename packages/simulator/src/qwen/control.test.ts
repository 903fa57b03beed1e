import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { contentOf } from '../ask-simulator.ts'
import type { Reply } from '../ask-simulator.ts'
import { answerText } from '../words.ts'
import { askQwen, faultOf, KEY, postControl } from './ask-qwen.ts'
import { startQwenSimulator } from './qwen-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'

let simulator: QwenSimulator
beforeEach(async () => {
  simulator = await startQwenSimulator()
})
afterEach(() => simulator.close())

const PLAN = { site: 'singapore/coding', key: 'sk-sp-test-1' }

function ask(key = KEY, site = 'singapore/payg'): Promise<Reply> {
  return askQwen(simulator, 'qwen3-coder-plus', { key, site, stream: false })
}

async function statuses(count: number, key = KEY): Promise<number[]> {
  const seen: number[] = []
  for (let at = 0; at < count; at++) seen.push((await ask(key)).status)
  return seen
}

describe('limits', () => {
  it.each([
    ['second', 1000, 'limit_burst_rate'],
    ['minute', 60_000, 'limit_requests'],
    ['fiveHours', 5 * 3_600_000, 'insufficient_quota'],
    ['week', 7 * 86_400_000, 'insufficient_quota'],
    ['month', 31 * 86_400_000, 'insufficient_quota'],
  ] as const)('%s: run out, and come back when the clock has passed', async (window, ms, code) => {
    simulator.control.setLimits({ credential: PLAN.key, limits: { [window]: 2 } })
    const seen = [await ask(PLAN.key, PLAN.site), await ask(PLAN.key, PLAN.site), await ask(PLAN.key, PLAN.site)]
    expect(seen.map(reply => reply.status)).toEqual([200, 200, 429])
    expect(faultOf(seen[2]!)[1]).toBe(code)
    expect((await ask('sk-sp-test-2', PLAN.site)).status).toBe(200)
    simulator.control.advanceClock({ ms })
    expect((await ask(PLAN.key, PLAN.site)).status).toBe(200)
  })

  it('tokens: run out with what is asked, and come back a minute later', async () => {
    simulator.control.setLimits({ credential: KEY, limits: { tokens: 500 } })
    const messages = [{ role: 'user', content: 'The mill runs. '.repeat(100) }]
    const asking = (): Promise<Reply> => askQwen(simulator, 'qwen3-max', { members: { messages } })
    const seen = [await asking(), await asking(), await asking()]
    expect(seen.map(reply => reply.status)).toEqual([200, 200, 429])
    expect(faultOf(seen[2]!)).toEqual([429, 'insufficient_quota', expect.stringContaining('#token-limit')])
    expect(simulator.state.accounts[KEY]?.used.tokens?.count).toBeGreaterThan(750)
    simulator.control.advanceClock({ ms: 60_000 })
    expect((await asking()).status).toBe(200)
  })

  it('say until when, where that is wanted', async () => {
    simulator.control.setLimits({ credential: KEY, limits: { minute: 0 } })
    expect((await ask()).headers).not.toHaveProperty('retry-after')
    simulator.control.setRetryAfter({ form: 'seconds' })
    expect((await ask()).headers['retry-after']).toBe('60')
    simulator.control.setRetryAfter({ form: 'date' })
    simulator.control.advanceClock({ ms: 40 * 86_400_000 })
    const date = Date.parse((await ask()).headers['retry-after']!)
    expect(Math.abs(date - Date.now() - 60_000)).toBeLessThan(5000)
  })

  it('are those of the account where keys share one', async () => {
    for (const key of ['sk-test-a', 'sk-test-b']) simulator.control.setKey({ key, account: 'team' })
    simulator.control.setLimits({ credential: 'team', limits: { minute: 1 } })
    expect([(await ask('sk-test-a')).status, (await ask('sk-test-b')).status]).toEqual([200, 429])
  })
})

describe('accounts', () => {
  it('may be exhausted for a time, and come back by themselves', async () => {
    simulator.control.exhaust({ credential: KEY, error: 'token-limit', forMs: 60_000 })
    expect(faultOf(await ask())).toEqual([429, 'insufficient_quota', expect.stringContaining('#token-limit')])
    simulator.control.advanceClock({ ms: 60_000 })
    expect((await ask()).status).toBe(200)
    simulator.control.setClock({ at: '2026-03-10T12:00:00Z' })
    simulator.control.exhaust({ credential: KEY, until: '2026-03-11T00:00:00Z' })
    expect(faultOf(await ask())[2]).toBe('Free allocated quota exceeded.')
    simulator.control.setClock({ at: Date.parse('2026-03-11T00:00:00Z') })
    expect((await ask()).status).toBe(200)
  })

  it('may be exhausted or suspended until they are restored', async () => {
    simulator.control.exhaust({ credential: KEY, error: 'month-quota' })
    simulator.control.advanceClock({ ms: 365 * 86_400_000 })
    expect((await ask()).status).toBe(429)
    simulator.control.suspend({ credential: KEY })
    expect(faultOf(await ask()).slice(0, 2)).toEqual([400, 'Arrearage'])
    simulator.control.suspend({ credential: KEY, error: 'access-denied' })
    expect((await ask()).status).toBe(403)
    simulator.control.restore({ credential: KEY })
    expect((await ask()).status).toBe(200)
  })

  it('get the answers that are scripted for them, and then the usual', async () => {
    const answers = ['error=rate-limit&retryAfter=3', '', 'script=text&words=2']
    simulator.control.script({ credential: KEY, answers })
    simulator.control.suspend({ credential: KEY })
    const limited = await ask()
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '3'])
    expect(simulator.state.accounts[KEY]).toMatchObject({ answers: 2, suspended: 'arrearage' })
    const contents = [await ask(), await ask()].map(
      reply => JSON.parse(reply.text) as { choices: { message: object }[] },
    )
    expect(contents.map(body => body.choices[0]!.message)).toMatchObject([
      { content: answerText() },
      { content: 'the mill' },
    ])
    expect((await ask()).status).toBe(400)
    expect(() => simulator.control.script({ credential: KEY, answers: ['script=nothing'] })).toThrow(/no script/)
  })
})

describe('the state', () => {
  it('tells what came with each key and what came back', async () => {
    simulator.control.setLimits({ credential: KEY, limits: { minute: 2 } })
    expect([await statuses(3), await statuses(1, 'sk-sp-wrong')]).toEqual([[200, 200, 429], [401]])
    const state = (await (await fetch(new URL('/control', simulator.url))).json()) as QwenSimulator['state']
    expect(state).toMatchObject({
      credentials: {
        [KEY]: { requests: 3, statuses: { 200: 2, 429: 1 } },
        'sk-sp-wrong': { requests: 1, statuses: { 401: 1 } },
      },
      accounts: { [KEY]: { limits: { minute: 2 }, used: { minute: { count: 2 } }, exhausted: null, suspended: null } },
      refreshes: { asked: 0, openAtMost: 0 },
      tier: { closed: false },
      stats: { requests: 4, chats: 2 },
    })
    expect(Math.abs(state.now - Date.now())).toBeLessThan(5000)
  })

  it('can be waited for', async () => {
    const waiting = simulator.when(({ credentials }) => (credentials['sk-test-late']?.statuses['200'] ?? 0) > 0)
    const [reply] = await Promise.all([ask('sk-test-late'), waiting])
    expect(reply.status).toBe(200)
    const never = simulator.when(() => false)
    await Promise.all([simulator.close(), expect(never).rejects.toThrow(/closed/)])
  })

  it('has the numbers where the other simulator has them', async () => {
    await ask()
    expect(await (await fetch(new URL('/stats', simulator.url))).json()).toMatchObject({ requests: 1 })
    const reset = await fetch(new URL('/stats/reset', simulator.url), { method: 'POST' })
    expect(await reset.json()).toMatchObject({ requests: 0 })
  })
})

describe('commands from outside', () => {
  it('do all that the methods do', async () => {
    const at = '2026-03-10T12:00:00Z'
    const response = await postControl(simulator, {
      setClock: { at },
      setKey: [
        { key: 'sk-test-a', region: 'beijing' },
        { key: 'sk-test-b', account: 'team' },
      ],
      demandKnownKeys: {},
      setLimits: { credential: 'team', limits: { day: 1 } },
      exhaust: { credential: 'sk-test-a', forMs: 1000 },
      suspend: { credential: 'sk-test-c', error: 'access-denied' },
      script: { credential: 'sk-test-b', answers: ['error=capacity'] },
      setTier: { closed: true, onlyAgent: null },
      setSignIn: { refreshDelayMs: 5, refreshOmits: ['resource_url'], interval: 3 },
      scriptPolls: { answers: ['pending', 'success'] },
      scriptRefreshes: { answers: ['server-error', 'ok'] },
      issueTokens: { account: 'team', expiresIn: 60, accessToken: 'at_a' },
      expireToken: { token: 'at_a' },
      setModelList: { error: 'no-route' },
      setRetryAfter: { form: 'date' },
      advanceClock: { ms: 1000 },
      restore: { credential: 'sk-test-c' },
    })
    expect(response.status).toBe(200)
    const state = (await response.json()) as QwenSimulator['state']
    const now = Date.parse(at)
    expect(state).toMatchObject({
      accounts: { team: { limits: { day: 1 }, answers: 1 }, 'sk-test-a': { exhausted: { error: 'free-quota' } } },
      tokens: [{ accessToken: 'at_a', refreshToken: 'rt_1', account: 'team' }],
      signIn: { refreshDelayMs: 5, interval: 3 },
      tier: { closed: true },
    })
    expect(state.now - now).toBeGreaterThanOrEqual(1000)
    expect(state.now - now).toBeLessThan(10_000)
    expect([await statuses(1, 'sk-test-a'), await statuses(2, 'sk-test-b'), await statuses(1, KEY)]).toEqual([
      [401],
      [529, 429],
      [401],
    ])
    await postControl(simulator, { reset: {} })
    expect(simulator.state).toMatchObject({ accounts: {}, tokens: [], tier: { closed: false }, stats: { requests: 0 } })
    expect(await statuses(1, 'sk-test-a')).toEqual([200])
  })

  it.each([
    [{ explode: {} }, /no command "explode"; there are: setClock/],
    [{ setClock: { at: 'noon' } }, /"at" of "setClock" must be a date/],
    [{ advanceClock: {} }, /"advanceClock" needs "ms"/],
    [{ advanceClock: { ms: 1, s: 1 } }, /"advanceClock" has no "s"/],
    [{ advanceClock: 5 }, /"advanceClock" takes an object/],
    [{ exhaust: { credential: KEY, error: 'nothing' } }, /"error" of "exhaust" must be one of/],
    [{ setLimits: { credential: KEY, limits: { year: 1 } } }, /"limits" of "setLimits" must be an object with numbers/],
    [{ scriptPolls: { answers: ['maybe'] } }, /"answers" of "scriptPolls" must be a list, each of it one of/],
    [{ script: { credential: KEY, answers: ['script=nothing'] } }, /no script "nothing"/],
    [{ suspend: { credential: KEY }, explode: {} }, /no command/],
  ])('%j is refused in words, and changes nothing', async (commands, words) => {
    const response = await postControl(simulator, commands)
    const { error } = (await response.json()) as { error: { message: string } }
    expect([response.status, error.message]).toEqual([400, expect.stringMatching(words)])
    expect(await statuses(1)).toEqual([200])
  })
})

describe('the simulator as a whole', () => {
  it('answers as it is told to where nothing is asked for', async () => {
    await using terse = await startQwenSimulator({ defaultScenario: 'words=1' })
    expect(contentOf(await askQwen(terse, 'qwen3-max'))).toBe('the')
    expect(contentOf(await askQwen(terse, 'qwen3-max?words=2'))).toBe('the mill')
    await expect(startQwenSimulator({ defaultScenario: 'script=nothing' })).rejects.toThrow(/no script/)
  })

  it('is told by the header and by the prompt too', async () => {
    const headers = { 'x-simulate': 'words=1' }
    expect(contentOf(await askQwen(simulator, 'qwen3-max', { headers }))).toBe('the')
    const messages = [{ role: 'user', content: 'Run! [simulate: words=2]' }]
    expect(contentOf(await askQwen(simulator, 'qwen3-max', { members: { messages } }))).toBe('the mill')
  })

  it('logs a line for each answer', async () => {
    const lines: string[] = []
    await using talking = await startQwenSimulator({ log: line => lines.push(line) })
    await askQwen(talking, 'qwen3-max?error=capacity')
    await talking.when(({ stats }) => stats.streamsOpen === 0 && lines.length === 1)
    expect(lines[0]).toMatch(
      /^POST \/singapore\/payg\/compatible-mode\/v1\/chat\/completions "qwen3-max\?error=capacity": 529, ended after/,
    )
  })
})
