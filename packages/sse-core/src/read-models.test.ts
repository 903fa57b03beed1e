import { expect, test } from 'vitest'
import { readModels } from './read-models.ts'
import { replyOf, type Replay } from './testing/replay.ts'
import type { Upstream, UpstreamRequest } from '@millrace/core'

const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 1 }

function listOf(reply: Replay, requests: UpstreamRequest[] = []): ReturnType<typeof readModels> {
  const upstream: Upstream = {
    request: async request => {
      requests.push(request)
      return reply
    },
  }
  const url = new URL('http://localhost/v1/models')
  return readModels(upstream, {
    url,
    headers: { authorization: 'Bearer test-key' },
    timeouts,
    signal: new AbortController().signal,
  })
}

test('models are those entries that have an id', async () => {
  const data = [
    { id: 'a', created: 5, owned_by: 'me', more: 1 },
    { id: '' },
    { id: 5 },
    null,
    { id: 'b', created: 'x', owned_by: null },
  ]
  const models = [{ id: 'a', created: 5, owned_by: 'me' }, { id: 'b' }]
  const requests: UpstreamRequest[] = []
  expect(await listOf(replyOf([JSON.stringify({ object: 'list', data })]), requests)).toEqual(models)
  expect(await listOf(replyOf([JSON.stringify(data)]))).toEqual(models)
  expect(requests).toMatchObject([
    { method: 'GET', headers: { authorization: 'Bearer test-key', accept: 'application/json' } },
  ])
})

test.each([
  ['a web page', replyOf(['<html>']), 'upstream_bad_response'],
  ['another object', replyOf(['{"models":[]}']), 'upstream_bad_response'],
  ['nothing', replyOf([]), 'upstream_bad_response'],
  ['a refusal', replyOf(['{"error":{"message":"x"}}'], { status: 401 }), 'upstream_auth_failed'],
  ['too much', replyOf(Array.from({ length: 5 }, () => ' '.repeat(1024 * 1024))), 'upstream_bad_response'],
])('%s is a failure', async (_, reply, code) => {
  await expect(listOf(reply)).rejects.toMatchObject({ code })
  expect(reply.seen.closed).toBe(true)
})
