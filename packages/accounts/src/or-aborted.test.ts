import { GatewayError } from '@millrace/core'
import { expect, test } from 'vitest'
import { orAborted } from './or-aborted.ts'

const never = new Promise<never>(() => {})

test('the outcome of the promise', async () => {
  const { signal } = new AbortController()
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1)
  expect(await orAborted(Promise.resolve(1), undefined)).toBe(1)
  await expect(orAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
})

test('the reason of the signal where it is one of ours, else aborted', async () => {
  const reason = new GatewayError('gateway_shutdown', 'bye')
  const leaving = new AbortController()
  const waiting = orAborted(never, leaving.signal)
  leaving.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(orAborted(never, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' })
  await expect(orAborted(Promise.reject(new Error('late')), AbortSignal.abort())).rejects.toMatchObject({
    code: 'aborted',
  })
})
