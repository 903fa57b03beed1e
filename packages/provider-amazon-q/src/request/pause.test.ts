import { expect, test } from 'vitest'
import { GatewayError } from '@millrace/core'
import { createPause } from './pause.ts'

test('others have their turn once a piece has taken its time', async () => {
  const pause = createPause(new AbortController().signal)
  expect(pause()).toBeUndefined()

  let others = 0
  setImmediate(() => others++)
  let due = pause()
  while (due === undefined) due = pause()
  expect(others).toBe(0)
  await due
  expect(others).toBe(1)
})

test('nobody waits any more: the reason is thrown', () => {
  const reason = new GatewayError('gateway_shutdown', 'x')
  expect(createPause(AbortSignal.abort(reason))).toThrow(reason)
  expect(createPause(AbortSignal.abort())).toThrow(expect.objectContaining({ code: 'aborted' }))
})
