import { createReplay, type Replay } from '@millrace/conformance'
import type { EmbeddingsRequest, EmbeddingsResult } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { readEmbeddings, type EmbeddingsRules } from './embeddings.ts'

const TIMEOUTS = { connect: 1, firstByte: 10, idle: 1, total: 1 }
const RULES: EmbeddingsRules = { maxInputs: 2, tokens: true }

const replyOf = (body: unknown, status = 200): Replay =>
  createReplay({ status, reads: [Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))] })
const entry = (index: number, embedding: unknown = [index]): object => ({ object: 'embedding', index, embedding })

function ask(
  upstream: Replay,
  input: EmbeddingsRequest['input'],
  rules: Partial<EmbeddingsRules> = {},
): Promise<EmbeddingsResult> {
  const service = {
    upstream,
    baseUrl: 'http://localhost/v1',
    headers: { authorization: 'Bearer test-key' },
    timeouts: TIMEOUTS,
  }
  const call = { model: 'e', signal: new AbortController().signal, requestId: 'req_test' }
  return readEmbeddings(service, { model: 'team/e', input, encoding_format: 'base64', user: 'u' }, call, {
    ...RULES,
    ...rules,
  })
}

test('they are asked for as numbers, under the name of the upstream, by the rules', async () => {
  const upstream = replyOf({ data: [entry(0)], usage: { prompt_tokens: 3, total_tokens: 3 } })
  expect(await ask(upstream, 'x', { drop: ['user'] })).toEqual({
    embeddings: [[0]],
    usage: { prompt_tokens: 3, total_tokens: 3 },
  })
  const [asked] = upstream.asked
  expect(asked?.url.href).toBe('http://localhost/v1/embeddings')
  expect(asked?.headers).toMatchObject({ authorization: 'Bearer test-key', accept: 'application/json' })
  expect(asked?.timeouts.firstByte).toBe(50)
  expect(JSON.parse(asked!.body!.toString())).toEqual({ model: 'e', input: 'x', encoding_format: 'float' })
})

test.for<[name: string, input: EmbeddingsRequest['input'], batches: readonly unknown[]]>([
  ['a text', 'a', ['a']],
  ['tokens', [1, 2, 3], [[1, 2, 3]]],
  ['as many texts as go at once', ['a', 'b'], [['a', 'b']]],
  ['more texts', ['a', 'b', 'c', 'd', 'e'], [['a', 'b'], ['c', 'd'], ['e']]],
  ['lists of tokens', [[1], [2], [3]], [[[1], [2]], [[3]]]],
])('%s', async ([, input, batches]) => {
  const upstream = replyOf({ data: [entry(1), entry(0)], usage: { prompt_tokens: 1, total_tokens: 2 } })
  const { embeddings, usage } = await ask(upstream, input)
  expect(upstream.asked.map(({ body }) => (JSON.parse(body!.toString()) as EmbeddingsRequest).input)).toEqual(batches)
  expect(usage).toEqual({ prompt_tokens: batches.length, total_tokens: 2 * batches.length })
  expect(embeddings.every(([at], position) => at === position % 2)).toBe(true)
})

describe('what an upstream may answer', () => {
  test.for<[name: string, body: unknown, embeddings: readonly (readonly number[])[]]>([
    ['no indexes', { data: [{ embedding: [1] }, { embedding: [2] }] }, [[1], [2]]],
    ['packed numbers', { data: [entry(0, 'AACAPwAAAEA='), entry(1, [])] }, [[1, 2], []]],
    ['more than was asked for', { data: [entry(0), entry(1), entry(2), 7] }, [[0], [1]]],
  ])('%s', async ([, body, embeddings]) => {
    expect((await ask(replyOf(body), ['a', 'b'])).embeddings).toEqual(embeddings)
  })

  test.for<[name: string, body: unknown]>([
    ['too few', { data: [entry(0)] }],
    ['one of them twice', { data: [entry(1), entry(1)] }],
    ['no numbers', { data: [entry(0), entry(1, ['x'])] }],
    ['no list', { data: {} }],
    ['a web page', '<html>'],
  ])('%s is a failure', async ([, body]) => {
    await expect(ask(replyOf(body), ['a', 'b'])).rejects.toMatchObject({ code: 'upstream_malformed' })
  })

  test('a refusal is told', async () => {
    const refused = ask(replyOf({ error: { message: 'No.', code: 'model_not_found' } }, 404), 'a')
    await expect(refused).rejects.toMatchObject({ code: 'model_not_found', message: 'No.' })
  })

  test.for([undefined, {}, { prompt_tokens: -1 }, { prompt_tokens: 'x' }])(
    'the usage %o tells nothing',
    async usage => {
      expect((await ask(replyOf({ data: [entry(0)], usage }), 'a')).usage).toBeUndefined()
    },
  )
})

test('an upstream that takes texts alone is asked for nothing else', async () => {
  const upstream = replyOf({ data: [entry(0)] })
  await expect(ask(upstream, [[1, 2]], { tokens: false })).rejects.toMatchObject({
    code: 'invalid_value',
    param: 'input',
  })
  expect(upstream.asked).toEqual([])
})
