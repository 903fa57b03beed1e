import { createReplay, type ReplayedReply, type Replay } from '@millrace/conformance'
import { expect, test } from 'vitest'
import { readModels } from './read-models.ts'

const TIMEOUTS = { connect: 1, firstByte: 1, idle: 1, total: 1 }

function listOf(upstream: Replay): ReturnType<typeof readModels> {
  const headers = { authorization: 'Bearer test-key' }
  const service = { upstream, baseUrl: 'http://localhost/v1/', headers, timeouts: TIMEOUTS }
  return readModels(service, new AbortController().signal)
}

const replyOf = (text: string, reply: Partial<ReplayedReply> = {}): Replay =>
  createReplay({ reads: [Buffer.from(text)], ...reply })

test('models are those entries that have an id', async () => {
  const data = [
    { id: 'a', created: 5, owned_by: 'me', more: 1 },
    { id: '' },
    { id: 5 },
    null,
    { id: 'b', created: 'x', owned_by: null },
  ]
  const models = [{ id: 'a', created: 5, owned_by: 'me' }, { id: 'b' }]
  const upstream = replyOf(JSON.stringify({ object: 'list', data }))
  expect(await listOf(upstream)).toEqual(models)
  expect(await listOf(replyOf(JSON.stringify(data)))).toEqual(models)
  expect(upstream.asked).toMatchObject([
    {
      method: 'GET',
      url: new URL('http://localhost/v1/models'),
      headers: { authorization: 'Bearer test-key', accept: 'application/json' },
    },
  ])
})

test.each([
  ['a web page', replyOf('<html>'), 'upstream_bad_response'],
  ['another object', replyOf('{"models":[]}'), 'upstream_bad_response'],
  ['nothing', replyOf(''), 'upstream_bad_response'],
  ['an endpoint that is not there', replyOf('{}', { status: 404 }), 'upstream_bad_response'],
  ['a refusal', replyOf('{"error":{"message":"x"}}', { status: 401 }), 'upstream_auth_failed'],
  [
    'too much',
    replyOf('', { reads: Array.from({ length: 5 }, () => Buffer.alloc(1024 * 1024)) }),
    'upstream_bad_response',
  ],
])('%s is a failure', async (_, upstream, code) => {
  await expect(listOf(upstream)).rejects.toMatchObject({ code })
  expect(upstream.connected).toBe(false)
})
