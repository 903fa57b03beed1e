import type { Provider } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { createScriptedUpstream, inTurn, type Answer } from './testing/scripted-upstream.ts'
import { GOOD, KEYS, keyOf, openTeam, refusal } from './testing/team.ts'

const list = (...ids: readonly string[]): Answer => ({ body: { object: 'list', data: ids.map(id => ({ id })) } })
const idsOf = async (provider: Provider): Promise<string[]> =>
  (await provider.models(new AbortController().signal)).map(({ id }) => id)

describe('the models', () => {
  test('are those that each place lists, and that can be asked', async () => {
    const upstream = createScriptedUpstream(({ url }) =>
      url.host.startsWith('coding')
        ? list('qwen3-coder-plus', 'kimi-k2.6')
        : list('qwen3-max', 'qwen3-coder-plus', 'wan2.5-t2v'),
    )
    const accounts = [
      { name: 'a', apiKey: 'sk-a' },
      { name: 'b', apiKey: 'sk-b' },
      { name: 'c', apiKey: 'sk-sp-c' },
    ]
    expect((await idsOf(openTeam(upstream, { accounts }))).toSorted()).toEqual([
      'kimi-k2.6',
      'qwen3-coder-plus',
      'qwen3-max',
    ])
    expect(upstream.asked).toHaveLength(2)
  })

  test('are the known ones where there is no list', async () => {
    expect(await idsOf(openTeam(inTurn({ status: 404, body: '' }), { apiKey: 'sk-1' }))).toContain('qwen3-coder-plus')
  })

  test('are those of one place where another one fails', async () => {
    const upstream = createScriptedUpstream(({ url }) =>
      url.host.startsWith('coding') ? refusal(500, 'internal_error') : list('qwen3-max'),
    )
    const accounts = [
      { name: 'a', apiKey: 'sk-a' },
      { name: 'b', apiKey: 'sk-sp-b' },
    ]
    expect(await idsOf(openTeam(upstream, { accounts }))).toEqual(['qwen3-max'])
    await expect(idsOf(openTeam(upstream, { apiKey: 'sk-sp-b' }))).rejects.toMatchObject({ code: 'upstream_error' })
  })
})

describe('embeddings', () => {
  const call = { model: 'text-embedding-v4', signal: new AbortController().signal, requestId: 'req_test' }
  const embedding = createScriptedUpstream(({ body }) => {
    const { input } = JSON.parse(body!.toString()) as { input: string | string[] }
    const data = [input].flat().map((text, index) => ({ object: 'embedding', index, embedding: [text.length, 0.5] }))
    return { body: { data: data.toReversed(), usage: { prompt_tokens: data.length, total_tokens: data.length } } }
  })

  test('come in the order of the texts, ten at a time', async () => {
    const provider = openTeam(embedding, { apiKey: 'sk-1' })
    const input = Array.from({ length: 25 }, (_, at) => 'x'.repeat(at + 1))
    const request = { model: 'team/e', input, dimensions: 64, encoding_format: 'base64' as const }
    const { embeddings, usage } = await provider.embeddings!(request, call)
    expect(embeddings).toEqual(input.map(text => [text.length, 0.5]))
    expect(usage).toEqual({ prompt_tokens: 25, total_tokens: 25 })
    expect(embedding.asked.map(({ body }) => JSON.parse(body!.toString()) as unknown)).toMatchObject(
      [10, 10, 5].map(length => ({
        model: 'text-embedding-v4',
        dimensions: 64,
        encoding_format: 'float',
        input: { length },
      })),
    )
  })

  test('are asked of the keys that have them', async () => {
    const accounts = [
      { name: 'plan', apiKey: 'sk-sp-a' },
      { name: 'payg', apiKey: 'sk-b' },
    ]
    const told: string[] = []
    const onAccount = (name: string): void => void told.push(name)
    for (let request = 0; request < 3; request++) {
      await openTeam(embedding, { accounts }).embeddings!({ model: 'e', input: 'x' }, { ...call, onAccount })
    }
    expect(told).toEqual(['payg', 'payg', 'payg'])
    await expect(
      openTeam(embedding, { apiKey: 'sk-sp-a' }).embeddings!({ model: 'e', input: 'x' }, call),
    ).rejects.toMatchObject({ code: 'model_not_found' })
  })

  test('of tokens are refused', async () => {
    await expect(
      openTeam(embedding, { apiKey: 'sk-1' }).embeddings!({ model: 'e', input: [1, 2] }, call),
    ).rejects.toMatchObject({ code: 'invalid_value', param: 'input' })
  })

  test('that are throttled come from another key', async () => {
    const upstream = createScriptedUpstream(request =>
      keyOf(request) === 'key-of-a' ? refusal(429, 'limit_requests') : { body: { data: [{ embedding: [1] }] } },
    )
    const provider = openTeam(upstream, KEYS)
    expect(await provider.embeddings!({ model: 'e', input: 'x' }, call)).toEqual({
      embeddings: [[1]],
      usage: undefined,
    })
    expect(provider.accounts?.list()[0]?.state.state).toBe('rate-limited')
  })
})

describe('trying an account by hand', () => {
  const signal = new AbortController().signal

  test('asks with that account for a single token, and notes what comes of it', async () => {
    let answer = refusal(429, 'limit_requests')
    const upstream = createScriptedUpstream(() => answer)
    const { accounts } = openTeam(upstream, KEYS)
    await expect(accounts!.probe('b', signal)).rejects.toMatchObject({ code: 'rate_limit_exceeded' })
    expect(accounts!.list().map(({ state }) => state.state)).toEqual(['ok', 'rate-limited', 'ok'])
    answer = GOOD
    expect(await accounts!.probe('b', signal)).toBe(true)
    expect(accounts!.list().map(({ state }) => state.state)).toEqual(['ok', 'ok', 'ok'])
    expect(upstream.asked.map(keyOf)).toEqual(['key-of-b', 'key-of-b'])
    expect(JSON.parse(upstream.asked[0]!.body!.toString())).toMatchObject({ max_tokens: 1 })
  })

  test('asks nobody with one that is not there or is switched off', async () => {
    const upstream = inTurn(GOOD)
    const { accounts } = openTeam(upstream, KEYS)
    accounts!.disable('a')
    expect([await accounts!.probe('a', signal), await accounts!.probe('z', signal)]).toEqual([false, false])
    expect(upstream.asked).toEqual([])
  })
})
