import { Hash } from '@smithy/hash-node'
import { SignatureV4 } from '@smithy/signature-v4'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAmazonQSimulator } from './amazon-q-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'

let simulator: AmazonQSimulator
beforeEach(async () => {
  simulator = await startAmazonQSimulator()
})
afterEach(() => simulator.close())

const KEY = { accessKeyId: 'AKIDTEST', secretAccessKey: 'test-secret' }
const TARGET = 'AmazonQDeveloperStreamingService.SendMessage'
const MINUTE_MS = 60_000

interface Signing {
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  readonly service?: string
  readonly region?: string
  readonly at?: number
  readonly content?: string
}

function bodyOf(content: string): string {
  const currentMessage = { userInputMessage: { content } }
  return JSON.stringify({ conversationState: { currentMessage, chatTriggerType: 'MANUAL' }, source: 'CLI' })
}

/** A request as it is signed. */
async function sign({ key = KEY, service = 'q', region = 'us-east-1', at, content = 'Grüße' }: Signing = {}): Promise<{
  readonly headers: Record<string, string>
  readonly body: string
}> {
  const { host, hostname, port } = new URL(simulator.url)
  const signer = new SignatureV4({
    credentials: key,
    service,
    region,
    applyChecksum: false,
    sha256: Hash.bind(null, 'sha256') as never,
  })
  const body = bodyOf(content)
  const headers = { host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': TARGET }
  const request = {
    method: 'POST',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: '/',
    query: {},
    headers,
    body,
  }
  const signed = await signer.sign(request, { signingDate: new Date(at ?? simulator.state.now) })
  return { headers: signed.headers, body }
}

/** Status, and what is wrong. */
async function send(headers: Record<string, string>, body: string): Promise<readonly [number, string]> {
  const response = await fetch(simulator.url, { method: 'POST', headers, body })
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
  return [response.status, /#(\w+)/.exec(text)?.[1] ?? '']
}

async function outcome(signing: Signing = {}): Promise<readonly [number, string]> {
  const { headers, body } = await sign(signing)
  return send(headers, body)
}

const REFUSED = [403, 'InvalidSignatureException']

describe('a signed request', () => {
  it('is taken, and counts for the account of its key', async () => {
    expect(await outcome()).toEqual([200, ''])
    expect(await outcome({ region: 'eu-central-1' })).toEqual([200, ''])
    expect(simulator.state.accounts['iam-test']!.used.day!.count).toBe(2)
    expect(simulator.state.credentials['AKIDTEST']).toEqual({ requests: 2, statuses: { 200: 2 } })
  })

  it('needs the token of a temporary key', async () => {
    const sessionToken = 'test-session'
    simulator.control.setAccessKey({ ...KEY, sessionToken })
    expect(await outcome({ key: { ...KEY, sessionToken } })).toEqual([200, ''])
    expect(await outcome()).toEqual([403, 'UnrecognizedClientException'])
    expect(await outcome({ key: { ...KEY, sessionToken: 'other' } })).toEqual([403, 'UnrecognizedClientException'])
  })

  it('is refused with an unknown key, another secret, or for another service', async () => {
    expect(await outcome({ key: { ...KEY, accessKeyId: 'AKIDOTHER' } })).toEqual([403, 'UnrecognizedClientException'])
    expect(await outcome({ key: { ...KEY, secretAccessKey: 'other' } })).toEqual(REFUSED)
    expect(await outcome({ service: 's3' })).toEqual(REFUSED)
    simulator.control.removeAccessKey(KEY)
    expect(await outcome()).toEqual([403, 'UnrecognizedClientException'])
  })

  it('is refused where anything was changed behind the signature', async () => {
    const { headers, body } = await sign()
    expect(await send(headers, body)).toEqual([200, ''])
    expect(await send(headers, body.replace('Grü', 'Gru'))).toEqual(REFUSED)
    expect(await send({ ...headers, 'content-type': 'application/x-amz-json-1.0; a=b' }, body)).toEqual(REFUSED)
    const later = headers['x-amz-date']!.replace(/..Z$/, second => (second === '00Z' ? '01Z' : '00Z'))
    expect(await send({ ...headers, 'x-amz-date': later }, body)).toEqual(REFUSED)
    const authorization = headers['authorization']!
    const flipped = authorization.replace(/.$/, digit => (digit === '0' ? '1' : '0'))
    expect(await send({ ...headers, authorization: flipped }, body)).toEqual(REFUSED)
    expect(await send({ ...headers, authorization: authorization.slice(0, -2) }, body)).toEqual(REFUSED)
  })

  it.each([
    ['nothing', ''],
    ['a bearer', 'Bearer aoa-test-1'],
    [
      'no signature',
      'AWS4-HMAC-SHA256 Credential=AKIDTEST/20250102/us-east-1/q/aws4_request, SignedHeaders=host;x-amz-date',
    ],
    [
      'no date',
      'AWS4-HMAC-SHA256 Credential=AKIDTEST/20250102/us-east-1/q/aws4_request, SignedHeaders=host, Signature=00',
    ],
  ])('is incomplete with %s', async (_, authorization) => {
    const { headers, body } = await sign()
    expect(await send({ ...headers, authorization }, body)).toEqual([400, 'IncompleteSignatureException'])
  })

  it('is refused when its time is too far from that of the service, which every answer tells', async () => {
    const now = simulator.state.now
    expect(await outcome({ at: now - 4 * MINUTE_MS })).toEqual([200, ''])
    expect(await outcome({ at: now + 4 * MINUTE_MS })).toEqual([200, ''])
    expect(await outcome({ at: now - 6 * MINUTE_MS })).toEqual(REFUSED)
    simulator.control.advanceClock({ ms: 10 * MINUTE_MS })
    expect(await outcome({ at: now })).toEqual(REFUSED)
    const { headers } = await fetch(simulator.url)
    const told = Date.parse(headers.get('date')!)
    expect(Math.abs(told - simulator.state.now)).toBeLessThan(2000)
    expect(await outcome({ at: told })).toEqual([200, ''])
  })
})
