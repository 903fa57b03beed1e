import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Call, Provider, Upstream, UpstreamRequest } from '@millrace/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { amazonQ } from './index.ts'
import { createScriptedUpstream, type Answer } from './testing/scripted-upstream.ts'
import { event, saying } from './testing/messages.ts'

const TIMEOUTS = { connect: 1000, firstByte: 1000, idle: 1000, total: 10_000 }
const HEAD = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'amazon-q', includeUsage: true }
const ARN = 'arn:aws:codewhisperer:eu-central-1:123456789012:profile/AAAABBBBCCCC'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const GOOD: Answer = { body: saying('Hi') }
const THROTTLED: Answer = { status: 429, body: { message: 'Too many requests.', reason: null } }
const signal = new AbortController().signal

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-amazon-q-'))
})
afterAll(() => rm(folder, { recursive: true }))

function open(upstream: Upstream, settings: object): Provider {
  const config = amazonQ.config.parse({ kind: 'amazon-q', ...settings })
  return amazonQ.open(config, { name: 'team', upstream, timeouts: TIMEOUTS })
}

async function chat(provider: Provider, call: Partial<Call> = {}): Promise<string> {
  const request = { model: 'amazon-q', messages: [{ role: 'user' as const, content: 'Hello' }] }
  const asked = { model: '', head: HEAD, stream: true, signal, requestId: 'req_test', ...call }
  let text = ''
  for await (const batch of provider.chat(request, asked)) {
    for (const { chunk } of batch) text += chunk.choices[0]?.delta.content ?? ''
  }
  return text
}

/** The one request that a chat comes to. */
async function askedOf(settings: object, call: Partial<Call> = {}): Promise<UpstreamRequest & { readonly json: Sent }> {
  const upstream = createScriptedUpstream(() => GOOD)
  expect(await chat(open(upstream, settings), call)).toBe('Hi')
  expect(upstream.asked).toHaveLength(1)
  const [request] = upstream.asked
  return { ...request!, json: JSON.parse(String(request!.body)) as Sent }
}

const idOf = async (call: Partial<Call>): Promise<string> =>
  (await askedOf({ accessToken: 'test-token' }, call)).json.conversationState.conversationId

interface Sent {
  readonly profileArn?: string
  readonly agentMode?: string
  readonly conversationState: {
    readonly conversationId: string
    readonly currentMessage: { readonly userInputMessage: { readonly origin: string; readonly modelId?: string } }
  }
}

describe('a request', () => {
  test('names its operation in a header', async () => {
    const { method, url, headers, json } = await askedOf({ accessToken: 'test-token' })
    expect({ method, url: url.href }).toEqual({ method: 'POST', url: 'https://q.us-east-1.amazonaws.com/' })
    expect(headers).toMatchObject({
      authorization: 'Bearer test-token',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonCodeWhispererStreamingService.GenerateAssistantResponse',
      'user-agent': expect.stringMatching(/^Millrace\//),
      'x-amzn-codewhisperer-optout': 'true',
      'amz-sdk-invocation-id': expect.stringMatching(UUID),
      'amz-sdk-request': 'attempt=1; max=3',
    })
    expect(json).toMatchObject({ agentMode: 'vibe' })
    expect(json.conversationState.currentMessage.userInputMessage).toEqual({ content: 'Hello', origin: 'CLI' })
  })

  test('names its operation in the path', async () => {
    const { url, headers, json } = await askedOf({ accessToken: 'test-token', flavour: 'rest' })
    expect(url.href).toBe('https://q.us-east-1.amazonaws.com/generateAssistantResponse')
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-amzn-kiro-agent-mode': 'vibe' })
    expect(headers).not.toHaveProperty('x-amz-target')
    expect(json).not.toHaveProperty('agentMode')
  })

  test('has the headers of the configuration, but for those that authorise it', async () => {
    const headers = { 'User-Agent': 'test-agent/1.0', 'X-Extra': 'yes', Authorization: 'no' }
    const request = await askedOf({ accessToken: 'test-token', headers, optOut: false })
    expect(request.headers).toMatchObject({
      'user-agent': 'test-agent/1.0',
      'x-extra': 'yes',
      'x-amzn-codewhisperer-optout': 'false',
      authorization: 'Bearer test-token',
    })
  })

  test('belongs to a conversation that is the same as long as the session is', async () => {
    const [one, again, other] = await Promise.all(['s', 's', 't'].map(session => idOf({ session })))
    expect(one).toMatch(UUID)
    expect(again).toBe(one)
    expect(other).not.toBe(one)
    expect(await idOf({ requestId: 'req_1' })).not.toBe(await idOf({ requestId: 'req_2' }))
  })

  const token = { name: 'a', accessToken: 'test-token' }
  test.each<[settings: object, place: string, origin: string]>([
    [{ accessToken: 'test-token', region: 'eu-central-1' }, 'https://q.eu-central-1.amazonaws.com/', 'CLI'],
    [{ accounts: [{ ...token, profileArn: ARN }] }, 'https://q.eu-central-1.amazonaws.com/', 'CLI'],
    [{ accounts: [{ ...token, profileArn: ARN, region: 'us-east-1' }] }, 'https://q.us-east-1.amazonaws.com/', 'CLI'],
    [{ accessToken: 'ksk_test-key' }, 'https://runtime.us-east-1.kiro.dev/', 'KIRO_CLI'],
    [
      { accessToken: 'x', endpoint: 'https://runtime.eu-central-1.kiro.dev' },
      'https://runtime.eu-central-1.kiro.dev/',
      'KIRO_CLI',
    ],
    [{ accessToken: 'x', endpoint: 'http://q.test/base', origin: 'AI_EDITOR' }, 'http://q.test/base/', 'AI_EDITOR'],
  ])('%j goes to %s from %s', async (settings, place, origin) => {
    const { url, json } = await askedOf(settings)
    expect(url.href).toBe(place)
    expect(json.conversationState.currentMessage.userInputMessage.origin).toBe(origin)
  })

  test.each<[login: object, settings: object, place: string, origin: string]>([
    [{}, {}, 'https://runtime.us-east-1.kiro.dev/', 'KIRO_CLI'],
    [{ region: 'eu-west-1' }, {}, 'https://runtime.eu-central-1.kiro.dev/', 'KIRO_CLI'],
    [
      { region: 'eu-west-1', profileArn: ARN.replace('eu-central-1', 'us-east-1') },
      {},
      'https://runtime.us-east-1.kiro.dev/',
      'KIRO_CLI',
    ],
    [{ profileArn: ARN }, {}, 'https://runtime.eu-central-1.kiro.dev/', 'KIRO_CLI'],
    [{ profileArn: ARN }, { region: 'us-east-1' }, 'https://runtime.us-east-1.kiro.dev/', 'KIRO_CLI'],
    [{ authMethod: 'social', madeBy: 'millrace' }, {}, 'https://runtime.us-east-1.kiro.dev/', 'KIRO_CLI'],
    [{}, { endpoint: 'http://q.test' }, 'http://q.test/', 'KIRO_CLI'],
    [{}, { origin: 'AI_EDITOR' }, 'https://runtime.us-east-1.kiro.dev/', 'AI_EDITOR'],
    [{ madeBy: 'millrace', region: 'ap-south-1' }, {}, 'https://q.us-east-1.amazonaws.com/', 'CLI'],
    [{ madeBy: 'millrace', region: 'eu-west-1' }, {}, 'https://q.eu-central-1.amazonaws.com/', 'CLI'],
  ])('with the login %j and %j goes to %s from %s', async (login, settings, place, origin) => {
    const path = join(folder, 'login.json')
    await writeFile(path, JSON.stringify({ accessToken: 'aoa-test', authMethod: 'IdC', ...login }))
    const { url, json } = await askedOf({ accounts: [{ name: 'a', login: path }], ...settings })
    expect(url.href).toBe(place)
    expect(json.conversationState.currentMessage.userInputMessage.origin).toBe(origin)
  })

  test('names the model and the profile where there are any', async () => {
    const { json } = await askedOf({ accounts: [{ ...token, profileArn: ARN }] }, { model: 'claude-sonnet-4-5' })
    expect(json.profileArn).toBe(ARN)
    expect(json.conversationState.currentMessage.userInputMessage.modelId).toBe('claude-sonnet-4.5')
  })

  test('that is sent again is the same invocation, and another attempt', async () => {
    const upstream = createScriptedUpstream(({ headers }) =>
      headers['authorization'] === 'Bearer b' ? GOOD : THROTTLED,
    )
    const accounts = ['a', 'b'].map(name => ({ name, accessToken: name }))
    expect(await chat(open(upstream, { accounts }))).toBe('Hi')
    const [first, second] = upstream.asked.map(({ headers }) => headers)
    expect(second!['amz-sdk-invocation-id']).toBe(first!['amz-sdk-invocation-id'])
    expect(second!['amz-sdk-request']).toBe('attempt=2; max=3')
    expect(second!['authorization']).toBe('Bearer b')
  })
})

describe('failover', () => {
  test('knows which logins are served at which host', async () => {
    const path = join(folder, 'kiro.json')
    await writeFile(path, JSON.stringify({ accessToken: 'aoa-test', authMethod: 'social' }))
    const upstream = createScriptedUpstream(({ url }) =>
      url.hostname.startsWith('q.') ? { status: 500, body: { message: 'Oh.' } } : GOOD,
    )
    const accounts = [{ name: 'kiro', login: path }, ...['a', 'b'].map(name => ({ name, accessToken: name }))]
    const provider = open(upstream, { accounts })
    await chat(provider)
    expect(await chat(provider)).toBe('Hi')
    expect(upstream.asked.map(({ url }) => url.hostname.split('.')[0])).toEqual(['runtime', 'q', 'runtime'])
  })

  test('ends with the first frame', async () => {
    const exception = Buffer.concat([saying('Hi'), event('invalidStateEvent', { reason: 'x', message: 'y' })])
    const upstream = createScriptedUpstream(() => ({ body: exception }))
    const accounts = ['a', 'b'].map(name => ({ name, accessToken: name }))
    await expect(chat(open(upstream, { accounts }))).rejects.toMatchObject({ code: 'upstream_rejected' })
    expect(upstream.asked).toHaveLength(1)
  })

  test('is not for what the request is at fault for', async () => {
    const upstream = createScriptedUpstream(() => GOOD)
    const request = { model: 'amazon-q', n: 2, messages: [{ role: 'user' as const, content: 'Hello' }] }
    const provider = open(upstream, { accessToken: 'test-token' })
    const frames = provider.chat(request, { model: '', head: HEAD, stream: true, signal, requestId: 'req_test' })
    await expect(Array.fromAsync(frames)).rejects.toMatchObject({ code: 'unsupported_parameter', param: 'n' })
    expect(upstream.asked).toEqual([])
    expect(provider.accounts?.list()[0]?.state.state).toBe('ok')
  })
})

const at = (...regions: readonly string[]) => ({
  accounts: regions.map((region, index) => ({ name: `a${index}`, accessToken: `test-token-${index}`, region })),
})

const idsOf = async (upstream: Upstream, settings: object): Promise<string[]> =>
  (await open(upstream, settings).models(signal)).map(({ id }) => id)

describe('models', () => {
  const lists: Readonly<Record<string, Answer>> = {
    'q.us-east-1.amazonaws.com': { body: { models: [{ modelId: 'one' }, { modelId: 'two' }, {}], nextToken: null } },
    'q.eu-central-1.amazonaws.com': { body: { models: [{ modelId: 'two' }, { modelId: 'three' }] } },
    'management.us-east-1.kiro.dev': { body: { models: [{ modelId: 'four' }] } },
    'q.ap-south-1.amazonaws.com': { status: 500, body: { message: 'Oh.' } },
    'q.us-west-2.amazonaws.com': { status: 404, body: { __type: 'UnknownOperationException' } },
  }
  const upstreamOfLists = () => createScriptedUpstream(({ url }) => lists[url.hostname]!)

  test('are those of all places, each asked once', async () => {
    const upstream = upstreamOfLists()
    expect(await idsOf(upstream, at('us-east-1', 'eu-central-1', 'us-east-1'))).toEqual(['one', 'two', 'three'])
    expect(upstream.asked).toHaveLength(2)
  })

  test('are asked for as the flavour has it', async () => {
    const upstream = upstreamOfLists()
    await idsOf(upstream, at('us-east-1'))
    await idsOf(upstream, { ...at('us-east-1'), flavour: 'rest' })
    expect(await idsOf(upstream, { accessToken: 'ksk_test-key' })).toEqual(['four'])
    const [json, rest, kiro] = upstream.asked
    expect(json!.headers['x-amz-target']).toBe('AmazonCodeWhispererService.ListAvailableModels')
    expect(JSON.parse(String(json!.body))).toEqual({ origin: 'CLI', maxResults: 50 })
    expect(rest).toMatchObject({ method: 'GET' })
    expect(rest!.url.href).toBe('https://q.us-east-1.amazonaws.com/ListAvailableModels?origin=CLI&maxResults=50')
    expect(kiro!.url.href).toBe(
      'https://management.us-east-1.kiro.dev/List-Available-Models?origin=KIRO_CLI&maxResults=50',
    )
  })

  test('are asked for with an account that serves everybody, where there is one', async () => {
    const upstream = upstreamOfLists()
    const [first, second] = at('us-east-1', 'us-east-1').accounts
    await idsOf(upstream, { accounts: [{ ...first, owner: 'ann' }, second] })
    expect(upstream.asked.map(({ headers }) => headers['authorization'])).toEqual(['Bearer test-token-1'])
  })

  test('are those of the places that answer', async () => {
    expect(await idsOf(upstreamOfLists(), at('ap-south-1', 'us-east-1'))).toEqual(['one', 'two'])
    await expect(idsOf(upstreamOfLists(), at('ap-south-1'))).rejects.toMatchObject({ code: 'upstream_error' })
  })

  test('are the known ones where there is no list', async () => {
    expect(await idsOf(upstreamOfLists(), at('us-west-2'))).toEqual(['claude-sonnet-4', 'claude-3.7-sonnet'])
  })
})
