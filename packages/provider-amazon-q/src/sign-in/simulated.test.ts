import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProviderDeps } from '@millrace/core'
import { startAmazonQSimulator, type AmazonQSimulator } from '@millrace/simulator'
import { createUpstream } from '@millrace/upstream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { accountsOf, config, type AmazonQConfig } from '../config.ts'
import { openCredentials, type Credentials } from './credentials.ts'
import { signIn } from './sign-in.ts'

const { signal } = new AbortController()
const TIMEOUTS = { connect: 10_000, firstByte: 10_000, idle: 10_000, total: 10_000 }
const STATE = {
  chatTriggerType: 'MANUAL',
  currentMessage: { userInputMessage: { content: 'Does the mill run?', origin: 'CLI' } },
}

let folder: string
let simulator: AmazonQSimulator
let upstream: ReturnType<typeof createUpstream>
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-simulated-'))
  simulator = await startAmazonQSimulator()
  upstream = createUpstream()
})
afterEach(async () => {
  await upstream[Symbol.asyncDispose]()
  await simulator.close()
  await rm(folder, { recursive: true })
})

const depsOf = (): ProviderDeps => ({ upstream, timeouts: TIMEOUTS })
const settingsOf = (account: object): AmazonQConfig =>
  config.parse({ kind: 'amazon-q', authUrl: simulator.url, accounts: [{ name: 'me', ...account }] })

function open(account: object): Credentials {
  const settings = settingsOf(account)
  const context = { provider: 'amazon-q', region: 'us-east-1', authUrl: settings.authUrl, deps: depsOf() }
  return openCredentials(accountsOf(settings)[0]!, context)
}

/** The status of a chat; what authorised it, and when it was answered. */
async function ask(credentials: Credentials) {
  const isSigned = credentials.operation === 'SendMessage'
  const service = isSigned ? 'AmazonQDeveloperStreamingService' : 'AmazonCodeWhispererStreamingService'
  const body = Buffer.from(JSON.stringify({ conversationState: STATE, ...(isSigned && { source: 'CLI' }) }))
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `${service}.${credentials.operation}`,
  }
  const request = { method: 'POST' as const, url: new URL(`${simulator.url}/`), headers, body }
  const authorised = await credentials.authorise(request, signal)
  const { status, headers: received } = await upstream.request({
    ...request,
    headers: { ...headers, ...authorised },
    timeouts: TIMEOUTS,
    requestId: 'test',
    signal,
  })
  return { status, authorised, date: received['date'] }
}

/** The status of the page. */
async function approve(url: string): Promise<number> {
  const page = { method: 'GET', url: new URL(url), headers: {}, timeouts: TIMEOUTS, requestId: 'test', signal } as const
  return (await upstream.request(page)).status
}

test('a sign-in is approved on its page, used, and renewed once for 200 callers that were refused', async () => {
  simulator.control.setSignIn({ interval: 0.01 })
  const path = join(folder, 'me.json')
  const settings = settingsOf({ sso: { file: path } })
  simulator.control.scriptPolls({ answers: ['pending', 'page'] })
  const pending = await signIn.start(settings, { name: 'me', path, options: {} }, depsOf(), signal)
  expect(await approve(pending!.url)).toBe(200)
  await pending!.finish(signal)

  const credentials = open({ sso: { file: path } })
  const first = await ask(credentials)
  expect(first.status).toBe(200)
  simulator.control.expireToken({ token: first.authorised['authorization']!.slice('Bearer '.length) })
  expect((await ask(credentials)).status).toBe(403)
  await Promise.all(Array.from({ length: 200 }, () => credentials.renew!(first.authorised, signal)))
  expect((await ask(credentials)).status).toBe(200)
  expect(simulator.state.refreshes).toMatchObject({ done: 1 })
  // The refresh token of the sign-in is spent by now: the one that came with the renewal does the next.
  const second = await ask(credentials)
  await credentials.renew!(second.authorised, signal)
  expect((await ask(credentials)).status).toBe(200)
})

test('a sign-in with an Identity Center has the profile of its region', async () => {
  simulator.control.setSignIn({ interval: 0.01, account: 'pro-1' })
  simulator.control.scriptPolls({ answers: ['page'] })
  const path = join(folder, 'me.json')
  const settings = { ...settingsOf({ sso: { file: path } }), endpoint: simulator.url }
  const options = { 'start-url': 'https://d-1.awsapps.com/start', region: 'eu-west-1' }
  const pending = await signIn.start(settings, { name: 'me', path, options }, depsOf(), signal)
  expect(await approve(pending!.url)).toBe(200)
  await pending!.finish(signal)
  expect(await open({ sso: { file: path } }).identity(signal)).toEqual({
    isKiro: false,
    profileArn: 'arn:aws:codewhisperer:eu-central-1:123456789012:profile/SIMULATED002',
    region: 'eu-west-1',
  })
})

test('what AWS credentials sign is good, also where one of the clocks is wrong', async () => {
  const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'test-secret', sessionToken: 'test-session' }
  simulator.control.setAccessKey(key)
  const credentials = open({ aws: key })
  expect((await ask(credentials)).status).toBe(200)
  simulator.control.advanceClock({ ms: 600_000 })
  const { status, authorised, date } = await ask(credentials)
  expect(status).toBe(403)
  await credentials.renew!(authorised, signal, date)
  expect((await ask(credentials)).status).toBe(200)
})
