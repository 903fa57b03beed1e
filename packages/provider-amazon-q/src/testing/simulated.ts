import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { breachesOf } from '@millrace/conformance'
import type { Call, ChatRequest, Frame, GatewayError, Provider } from '@millrace/core'
import { startAmazonQSimulator, type AmazonQSimulator } from '@millrace/simulator'
import { collect } from '@millrace/sse-core'
import { createUpstream } from '@millrace/upstream'
import { amazonQ } from '../index.ts'

const HEAD = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'team/m', includeUsage: true }
const HOUR_MS = 3_600_000
const TIMEOUTS = { connect: 10_000, firstByte: 10_000, idle: 10_000, total: 60_000 }

/** The simulated service, and what is needed to ask it over a real connection. */
export interface Simulated extends AsyncDisposable {
  readonly simulator: AmazonQSimulator
  open(settings: object, timeouts?: Partial<typeof TIMEOUTS>): Provider
  /** A provider with an account for each of these bearers, under the same name. */
  openBearers(...bearers: readonly string[]): Provider
  /** The file of a sign-in whose access token the service has ended already. */
  writeEndedLogin(account: string): Promise<string>
}

export async function startSimulated(): Promise<Simulated> {
  const upstream = createUpstream()
  const simulator = await startAmazonQSimulator()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-amazon-q-'))

  const open: Simulated['open'] = (settings, timeouts) =>
    amazonQ.open(
      amazonQ.config.parse({ kind: 'amazon-q', endpoint: simulator.url, authUrl: simulator.url, ...settings }),
      { upstream, timeouts: { ...TIMEOUTS, ...timeouts } },
    )

  return {
    simulator,
    open,
    openBearers: (...bearers) => open({ accounts: bearers.map(name => ({ name, accessToken: name })) }),
    async writeEndedLogin(account) {
      const { control } = simulator
      const { clientId, clientSecret } = control.registerClient()
      const { accessToken, refreshToken } = control.issueTokens({ account })
      control.expireToken({ token: accessToken })
      const expiresAt = new Date(Date.now() + HOUR_MS).toISOString()
      const login = { madeBy: 'millrace', accessToken, refreshToken, expiresAt, authMethod: 'IdC', region: 'us-east-1' }
      const path = join(folder, `${account}.json`)
      await writeFile(path, JSON.stringify({ ...login, clientId, clientSecret, clientSecretExpiresAt: expiresAt }))
      return path
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true })
      await simulator.close()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

/** What came of a request. */
interface Outcome {
  readonly text: string
  readonly thoughts: string
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
  readonly finish: string
  readonly failure: GatewayError | undefined
  /** The accounts that were told, in order. */
  readonly accounts: readonly string[]
  /** In what the stream breaks its contract. */
  readonly breaches: readonly string[]
}

export async function chat(
  provider: Provider,
  content: string,
  members: Partial<ChatRequest> = {},
  call: Partial<Call> = {},
): Promise<Outcome> {
  const accounts: string[] = []
  const frames: Frame[] = []
  const signal = new AbortController().signal
  const onAccount = (name: string): void => void accounts.push(name)
  const request = { model: 'team/m', messages: [{ role: 'user' as const, content }], ...members }
  let failure: unknown
  try {
    const asked = { model: '', head: HEAD, stream: true, signal, requestId: 'req_test', onAccount, ...call }
    for await (const batch of provider.chat(request, asked)) frames.push(...batch)
  } catch (error) {
    failure = error
  }
  const { choices } = await collect(only(frames), HEAD)
  const { content: text, reasoning_content: thoughts, tool_calls: calls } = choices[0]?.message ?? {}
  return {
    text: text ?? '',
    thoughts: thoughts ?? '',
    calls: (calls ?? []).map(tool => tool.function),
    finish: choices[0]?.finish_reason ?? '',
    failure: failure as GatewayError | undefined,
    accounts,
    breaches: breachesOf(frames, { head: HEAD, whole: failure === undefined }),
  }
}

async function* only(frames: readonly Frame[]): AsyncGenerator<readonly Frame[]> {
  yield frames
}
