import { parseJsonSource, type Provider } from '@millrace/core'
import { expect, test } from 'vitest'
import { createScriptedUpstream, type Answer } from './testing/scripted-upstream.ts'
import { keyOf, KEYS, openTeam, refusal, STREAM } from './testing/team.ts'

const messagesUrl = 'https://qwen.example/apps/anthropic/v1/messages'
const GOOD: Answer = { headers: STREAM, body: 'event: message_stop\ndata: {"type":"message_stop"}\n\n' }
const BUSY: Answer = {
  ...refusal(429, ''),
  body: { type: 'error', error: { type: 'rate_limit_error', message: 'No.' } },
}

/** What is relayed, and the accounts that were told, in order. */
async function relayed(provider: Provider): Promise<{ readonly text: string; readonly accounts: readonly string[] }> {
  const accounts: string[] = []
  const pieces = await Array.fromAsync(
    provider.relayMessages!({
      model: 'qwen3-max',
      stream: true,
      source: parseJsonSource(Buffer.from('{"model":"team/m","stream":true}')),
      headers: {},
      signal: new AbortController().signal,
      requestId: 'req_test',
      onAccount: name => accounts.push(name),
      onUsage: () => undefined,
    }),
  )
  return { text: Buffer.concat(pieces).toString(), accounts }
}

test('another account takes over before anything was relayed', async () => {
  const upstream = createScriptedUpstream(request => (keyOf(request) === 'key-of-a' ? BUSY : GOOD))
  const provider = openTeam(upstream, { ...KEYS, messagesUrl })
  await expect(relayed(provider)).resolves.toEqual({ text: GOOD.body, accounts: ['a', 'b'] })
  expect(upstream.asked.map(({ url }) => url.href)).toEqual([messagesUrl, messagesUrl])
  expect(JSON.parse(upstream.asked[1]!.body!.toString())).toEqual({ model: 'qwen3-max', stream: true })
})

test('sign-ins take no part in it, and nobody does without an address', () => {
  const upstream = createScriptedUpstream(() => GOOD)
  const signIn = { accounts: [{ name: 'a', oauth: '/nowhere/sign-in.json' }], messagesUrl }
  expect(openTeam(upstream, signIn).relayMessages).toBeUndefined()
  expect(openTeam(upstream, KEYS).relayMessages).toBeUndefined()
})
