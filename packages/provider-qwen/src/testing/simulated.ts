import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { breachesOf } from '@millrace/conformance'
import type { Call, Frame, Provider, Timeouts, Upstream } from '@millrace/core'
import { startQwenSimulator, type QwenSimulator } from '@millrace/simulator'
import { collect } from '@millrace/sse-core'
import { createUpstream } from '@millrace/upstream'
import { qwen } from '../index.ts'

const HEAD = { id: 'chatcmpl-test', created: 1_800_000_000, model: 'team/m', includeUsage: true }
export const HELLO = { model: 'team/m', messages: [{ role: 'user' as const, content: 'Does the mill run?' }] }
export const TOOLS = ['lookup', 'get_weather'].map(name => ({
  type: 'function',
  function: { name, parameters: { type: 'object' } },
}))

/** The simulated Qwen, and what is needed to ask it over a real connection. */
export interface Simulated extends AsyncDisposable {
  readonly simulator: QwenSimulator
  readonly upstream: Upstream
  readonly timeouts: Timeouts
  /** A folder of the test's own. */
  readonly folder: string
  open(settings: object): Provider
  /** A provider with these keys, each of an account of the same name. */
  openKeys(...keys: readonly string[]): Provider
}

export async function startSimulated(): Promise<Simulated> {
  const upstream = createUpstream()
  const simulator = await startQwenSimulator()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-qwen-'))
  const timeouts = { connect: 10_000, firstByte: 10_000, idle: 10_000, total: 60_000 }
  const open = (settings: object): Provider =>
    qwen.open(qwen.config.parse({ kind: 'qwen', ...settings }), { upstream, timeouts })
  const baseUrl = simulator.baseUrls['singapore/payg']
  return {
    simulator,
    upstream,
    timeouts,
    folder,
    open,
    openKeys: (...keys) => open({ accounts: keys.map(key => ({ name: key, apiKey: key, baseUrl })) }),
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
  readonly failure: unknown
  /** The accounts that were told, in order. */
  readonly accounts: readonly string[]
  /** In what the stream breaks its contract. */
  readonly breaches: readonly string[]
}

export async function chat(
  provider: Provider,
  model: string,
  members: object = {},
  call: Partial<Call> = {},
): Promise<Outcome> {
  const accounts: string[] = []
  const frames: Frame[] = []
  const signal = new AbortController().signal
  const onAccount = (name: string): void => void accounts.push(name)
  let failure: unknown
  try {
    const asked = { model, head: HEAD, stream: true, signal, requestId: 'req_test', onAccount, ...call }
    for await (const batch of provider.chat({ ...HELLO, ...members }, asked)) frames.push(...batch)
  } catch (error) {
    failure = error
  }
  const { choices } = await collect(only(frames), HEAD)
  const { content, reasoning_content, tool_calls } = choices[0]?.message ?? {}
  return {
    text: content ?? '',
    thoughts: reasoning_content ?? '',
    calls: (tool_calls ?? []).map(tool => tool.function),
    finish: choices[0]?.finish_reason ?? '',
    failure,
    accounts,
    breaches: breachesOf(frames, { head: HEAD, whole: failure === undefined }),
  }
}

async function* only(frames: readonly Frame[]): AsyncGenerator<readonly Frame[]> {
  yield frames
}
