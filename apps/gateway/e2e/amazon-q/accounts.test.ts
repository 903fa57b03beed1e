import { describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { gatewayWithAmazonQ, KEY, listAccounts, type ListedAccount } from './gateway-with-amazon-q.ts'

const ALICE = 'key-of-alice-0123456789-canary'
const BEN = 'key-of-ben-0123456789-canary'

const token = (name: string): { name: string; accessToken: string } => ({ name, accessToken: `aoa-canary-${name}` })
const iam = (secretAccessKey: string): object => ({
  name: 'iam',
  aws: { accessKeyId: 'AKIDTEST', secretAccessKey },
})

const world = gatewayWithAmazonQ(
  service => {
    // No region has a list of its own: none is asked while the gateway starts.
    const quiet = { ...service, models: ['claude-sonnet-4.5'] }
    return {
      'amazon-q': { ...service, accessToken: 'aoa-canary' },
      rest: { ...service, accessToken: 'aoa-canary', flavour: 'rest' },
      kiro: { ...quiet, accessToken: 'ksk_canary_of_kiro' },
      iam: { ...quiet, accounts: [iam('test-secret')] },
      stranger: { ...quiet, accounts: [iam('canary-of-a-wrong-secret')] },
      pair: { ...quiet, accounts: [token('first'), token('second')] },
      trio: { ...quiet, accounts: [token('a-suspended'), token('b-throttled'), token('c-well')] },
      personal: { ...quiet, accounts: [{ ...token('alice'), owner: 'alice' }] },
      mixed: {
        ...quiet,
        accounts: [
          { ...token('hers'), owner: 'alice' },
          { ...token('lent'), owner: 'ben', shared: true },
        ],
      },
    }
  },
  { auth: { keys: [KEY, { name: 'alice', key: ALICE }, { name: 'ben', key: BEN }] } },
  { DEBUG_STREAMING: 'true' },
)

/** Who served a request; the empty text where it failed. */
async function askWho(model: string, key = KEY): Promise<string> {
  const { requestId, failure } = await ask(world.client(key), 'Who?', { model })
  const { account } = await world.gateway.access(requestId)
  return failure === undefined ? String(account) : ''
}

async function stateOf(provider: string, name: string): Promise<ListedAccount> {
  const accounts = await listAccounts(world.gateway)
  return accounts.find(account => account.provider === provider && account.name === name)!
}

const chats = async (): Promise<number> => (await world.amazonQ.state()).stats.chats

describe('ways to ask', () => {
  test.for([
    ['amazon-q', 'GenerateAssistantResponse', 'json'],
    ['rest', 'GenerateAssistantResponse', 'rest'],
    ['kiro', 'GenerateAssistantResponse', 'json'],
    ['iam', 'SignedSendMessage', 'json'],
  ])('%s: %s, as %s', async ([model, operation, flavour]) => {
    for (const stream of [true, false]) {
      const seen = await ask(world.client(), '[say The mill runs.]', { model, stream })
      expect(seen).toMatchObject({ text: 'The mill runs.', finish: 'stop', failure: undefined })
    }
    const { calls } = await world.amazonQ.state()
    // Before them the gateway may have asked for its models.
    expect(calls.slice(-2)).toMatchObject([
      { operation, flavour, status: 200 },
      { operation, flavour, status: 200 },
    ])
  })

  test('a signature that is wrong is told without the secret', async () => {
    const { failure } = await ask(world.client(), 'Hello', { model: 'stranger' })
    expect(failure).toMatchObject({ status: 502, code: 'upstream_auth_failed' })
    expect(await stateOf('stranger', 'iam')).toMatchObject({ state: 'auth-expired' })
  })

  test('a signature counts by the clock of the service', async () => {
    await world.amazonQ.control({ advanceClock: { ms: 600_000 } })
    expect(await askWho('iam')).toBe('iam')
    expect(await chats()).toBe(1)
  })

  test('models are listed, and may be spelt as elsewhere', async () => {
    const listed = await Array.fromAsync(world.client().models.list())
    expect(listed.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['amazon-q/claude-sonnet-4.5', 'rest/claude-haiku-4.5', 'kiro/claude-sonnet-4.5']),
    )
    for (const name of ['claude-sonnet-4.5', 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'claude-4.5-sonnet']) {
      expect(await ask(world.client(), 'Hello', { model: `amazon-q/${name}` })).toMatchObject({ failure: undefined })
      const { lastRequest } = (await world.amazonQ.state()).stats
      expect(lastRequest!.body).toContain('"modelId":"claude-sonnet-4.5"')
    }
  })

  test('some models are there for Kiro only', async () => {
    const seen = await ask(world.client(), 'Hello', { model: 'kiro/claude-sonnet-4.6' })
    expect(seen).toMatchObject({ finish: 'stop', failure: undefined })
    const { failure } = await ask(world.client(), 'Hello', { model: 'amazon-q/claude-sonnet-4.6' })
    expect(failure).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  })
})

describe('an account that is out', () => {
  test('when one is throttled nobody notices', async () => {
    await world.amazonQ.control({ exhaust: { credential: 'aoa-canary-first', error: 'throttled' } })
    for (let round = 0; round < 5; round++) expect(await askWho('pair')).toBe('second')
    expect(await stateOf('pair', 'first')).toMatchObject({ state: 'rate-limited' })
    expect((await world.amazonQ.state()).credentials['aoa-canary-first']).toMatchObject({ statuses: { 429: 1 } })
    const line = await world.gateway.line(({ msg, to }) => msg === 'account' && to === 'rate-limited')
    expect(line).toMatchObject({ provider: 'pair', account: 'first', from: 'ok' })
  })

  test.for(['monthly', 'monthly-400', 'monthly-429', 'overage'])(
    'a spent month is asked about once, the next account serves, and it stays out until the month is over: %s',
    async error => {
      await world.amazonQ.control({ exhaust: { credential: 'aoa-canary-first', error } })
      for (let round = 0; round < 4; round++) expect(await askWho('pair')).toBe('second')
      const { credentials } = await world.amazonQ.state()
      const [status = ''] = Object.keys(credentials['aoa-canary-first']!.statuses)
      expect(credentials['aoa-canary-first']!.statuses).toEqual({ [status]: 1 })
      const { state, until, reason } = await stateOf('pair', 'first')
      expect([state, reason]).toEqual(['quota-exhausted', expect.stringContaining('quota for this month')])
      const now = new Date()
      expect(Date.parse(until!)).toBeCloseTo(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1), -3)
    },
  )

  test('when all have spent their month, callers are told until when, and nobody is asked again', async () => {
    for (const name of ['first', 'second']) {
      await world.amazonQ.control({ exhaust: { credential: `aoa-canary-${name}` } })
    }
    const { failure } = await ask(world.client(), 'Hello', { model: 'pair' })
    expect(failure).toMatchObject({ status: 429, code: 'insufficient_quota', type: 'insufficient_quota' })
    expect(failure!.message).toMatch(
      /first has used up its quota, to be tried again at \d{4}-\d\d-\d\dT(?:00:00:00|23:59:59)Z/,
    )
    expect(failure!.headers?.get('x-should-retry')).toBe('false')
    // Clients would wait for as long as that without a word.
    expect(failure!.headers?.get('retry-after')).toBeNull()
    const before = await chats()
    for (let round = 0; round < 3; round++) expect(await askWho('pair')).toBe('')
    expect(await chats()).toBe(before)
  })

  test('a spent day ends at midnight', async () => {
    await world.amazonQ.control({ exhaust: { credential: 'aoa-canary-first', error: 'daily' } })
    expect(await askWho('pair')).toBe('second')
    const { until } = await stateOf('pair', 'first')
    const now = new Date()
    const midnight = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)
    expect(Date.parse(until!)).toBeCloseTo(midnight, -3)
  })

  test('one that is suspended has words for whoever asks, and no name of a person in them', async () => {
    await world.amazonQ.control({ suspend: { credential: 'aoa-canary' } })
    const { failure } = await ask(world.client(), 'Hello')
    expect(failure).toMatchObject({ status: 502, code: 'upstream_auth_failed' })
    expect(failure!.message).toMatch(/has suspended the account.*only its support can undo that/)
    expect(failure!.message).not.toContain('d-0000000000')
    expect(await stateOf('amazon-q', 'default')).toMatchObject({ state: 'suspended', until: null })
    expect(await askWho('amazon-q')).toBe('')
    expect(await chats()).toBe(0)
  })

  test('a request finds the third account behind two that are out', async () => {
    expect(await askWho('trio')).toBe('c-well')
    const states = (await listAccounts(world.gateway)).filter(({ provider }) => provider === 'trio')
    expect(states.map(({ state }) => state)).toEqual(['suspended', 'rate-limited', 'ok'])
  })

  test('one whose model is short of capacity stays well', async () => {
    const content = '[simulate: error=capacity]'
    const { failure } = await ask(world.client(), content, { model: 'pair' })
    expect(failure).toMatchObject({ status: 503, code: 'upstream_overloaded' })
    expect(await stateOf('pair', 'first')).toMatchObject({ state: 'ok' })
  })

  test('after the first words nothing is repeated', async () => {
    const content = '[simulate: script=exception&error=throttled&as=name]'
    const seen = await ask(world.client(), content, { model: 'pair' })
    expect(seen).toMatchObject({ text: 'the mill stands', failure: { code: 'rate_limit_exceeded' } })
    expect(await chats()).toBe(1)
  })

  test('before them the next account answers, though the first had begun to', async () => {
    const content = '[simulate: script=exception&error=throttled&as=name&at=opened&times=1]'
    for (const stream of [true, false]) {
      await world.amazonQ.control({ reset: {} })
      await world.clearAccounts()
      const seen = await ask(world.client(), content, { model: 'pair', stream })
      expect(seen).toMatchObject({ finish: 'stop', failure: undefined })
      expect(await chats()).toBe(2)
    }
  })
})

describe('a personal account', () => {
  test('serves its owner, and is refused to everybody else', async () => {
    expect(await askWho('personal', ALICE)).toBe('alice')
    for (const key of [BEN, KEY]) {
      for (const stream of [true, false]) {
        const { failure } = await ask(world.client(key), 'Hello', { model: 'personal', stream })
        expect(failure).toMatchObject({ status: 403, code: 'account_not_shared', type: 'permission_error' })
        expect(failure!.message).toContain('The accounts of personal serve only their owners.')
        expect(failure!.message).not.toContain('alice')
      }
    }
    expect(await chats()).toBe(1)
  })

  test('that is shared serves all', async () => {
    for (const key of [BEN, KEY]) expect(await askWho('mixed', key)).toBe('lent')
    expect(new Set([await askWho('mixed', ALICE), await askWho('mixed', ALICE)])).toEqual(new Set(['hers', 'lent']))
  })

  test('that is out is no reason to serve its owner from another one', async () => {
    await world.amazonQ.control({ exhaust: { credential: 'aoa-canary-alice', error: 'throttled' } })
    const { failure } = await ask(world.client(ALICE), 'Hello', { model: 'personal' })
    expect(failure).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
  })
})

test('no token, key or secret is ever written, whatever the service repeats', async () => {
  const words = 'Bearer aoa-canary-first is not good'
  const answers = ['invalid-token', 'throttled', 'suspended', 'internal'].map(
    error => `error=${error}&message=${words}`,
  )
  answers.push(`script=exception&as=name&error=throttled&message=${words}`)
  const told: string[] = []
  for (const answer of answers) {
    await world.clearAccounts()
    await world.amazonQ.control({
      script: { credential: 'aoa-canary-first', answers: [answer] },
      exhaust: { credential: 'aoa-canary-second', error: 'throttled' },
    })
    const { failure } = await ask(world.client(), 'Hello', { model: 'pair' })
    told.push(failure!.message, JSON.stringify(failure!.error), JSON.stringify(await listAccounts(world.gateway)))
  }
  for (const model of ['iam', 'stranger', 'kiro']) await ask(world.client(), 'Hello', { model })
  const trace = world.gateway.errors()
  expect(trace).toContain('→ upstream')
  const written = [JSON.stringify(world.gateway.log), trace, ...told]
  expect(written.join().split('is not good').length).toBeGreaterThan(answers.length)
  for (const text of written) expect(/canary|test-secret/.exec(text)?.[0]).toBeUndefined()
})
