import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Reply } from '../../ask-simulator.ts'
import { startAmazonQSimulator } from '../amazon-q-simulator.ts'
import type { AmazonQSimulator } from '../amazon-q-simulator.ts'
import { askAmazonQ, framesOf, namesOf, payloadsOf, textOf } from '../ask-amazon-q.ts'
import { EXCEPTIONS } from '../exceptions.ts'
import { BROKEN_FRAMES } from '../frames.ts'

let simulator: AmazonQSimulator
beforeAll(async () => {
  simulator = await startAmazonQSimulator()
})
afterEach(() => simulator.control.reset())
afterAll(() => simulator.close())

const TEXT = 'assistantResponseEvent'

function ask(wish: string, signal?: AbortSignal): Promise<Reply> {
  return askAmazonQ(simulator, '', { headers: { 'x-simulate': wish }, ...(signal && { signal }) })
}

/** The frame that ends a stream that has just been opened. */
async function last(wish: string): Promise<unknown> {
  return framesOf(await ask(`at=opened&${wish}`)).at(-1)
}

function bytesOf({ pieces }: Reply): Buffer {
  return Buffer.concat([...pieces])
}

describe('errors in a stream', () => {
  it.each([
    ['start', ['error']],
    ['opened', ['initial-response', 'error']],
    ['text', ['initial-response', TEXT, TEXT, TEXT, 'error']],
    ['tool', ['initial-response', 'toolUseEvent', 'toolUseEvent', 'error']],
  ])('come at the %s', async (at, names) => {
    const reply = await ask(`script=exception&at=${at}`)
    expect([reply.status, reply.error, namesOf(reply)]).toEqual([200, null, names])
  })

  it('say what went wrong, by the place in the model or by name', async () => {
    const { message, reason } = EXCEPTIONS.monthly
    const payload = JSON.stringify({ message, reason })
    const headers = { ':content-type': 'application/json', ':message-type': 'exception' }
    const monthly = 'script=exception&error=monthly'
    expect(await last(monthly)).toEqual({ headers: { ':exception-type': 'error', ...headers }, payload })
    const named = { ':exception-type': 'ServiceQuotaExceededException', ...headers }
    expect(await last(`${monthly}&as=name`)).toEqual({ headers: named, payload })
    expect(await last('script=error-frame&error=capacity')).toEqual({
      headers: {
        ':message-type': 'error',
        ':error-code': 'ThrottlingException',
        ':error-message': EXCEPTIONS.capacity.message,
      },
      payload: '',
    })
    expect(await last('script=exception&message=Odd&reason=ODD')).toMatchObject({
      payload: '{"message":"Odd","reason":"ODD"}',
    })
  })

  it('may be followed by text that nobody should read', async () => {
    expect(namesOf(await ask('script=exception&more=1&words=1')).slice(-2)).toEqual(['error', TEXT])
    const state = await ask('script=invalid-state&words=1')
    expect(namesOf(state)).toEqual(['initial-response', TEXT, 'invalidStateEvent', TEXT])
    expect(payloadsOf(state, 'invalidStateEvent')).toEqual([
      { reason: 'INVALID_TASK_ASSIST_PLAN', message: 'The plan is not valid.' },
    ])
  })
})

describe('broken frames', () => {
  it.each(Object.entries(BROKEN_FRAMES))('%s comes behind good text, or first of all', async (how, frame) => {
    const before = bytesOf(await ask('script=half&frames=4'))
    const after = bytesOf(await ask(`script=broken-frame&how=${how}`))
    expect(after.subarray(0, before.length)).toEqual(before)
    expect(after.subarray(before.length, before.length + frame.length)).toEqual(frame)
    expect(after.length).toBeGreaterThan(before.length + frame.length)
    const alone = bytesOf(await ask(`script=broken-frame&how=${how}&at=start&more=0`))
    expect(alone).toEqual(frame)
  })

  it('are what they say', () => {
    expect(BROKEN_FRAMES['length-2gib'].readUInt32BE(0)).toBe(2 ** 31)
    expect(BROKEN_FRAMES['headers-past-frame'].readUInt32BE(4)).toBeGreaterThan(
      BROKEN_FRAMES['headers-past-frame'].length,
    )
    expect(BROKEN_FRAMES['header-doubled'].toString('latin1').match(/:event-type/g)).toHaveLength(2)
  })
})

describe('answers that are no stream', () => {
  it.each([
    ['json', 'application/json', '{"message"'],
    ['html', 'text/html', '<!DOCTYPE html>'],
    ['page', 'application/vnd.amazon.eventstream', '<!DOCTYPE html>'],
    ['sse', 'text/event-stream', 'data: {'],
    ['nothing', 'application/vnd.amazon.eventstream', ''],
  ])('%s', async (script, type, beginning) => {
    const { status, headers, text } = await ask(`script=${script}`)
    expect([status, headers['content-type'], text.slice(0, beginning.length)]).toEqual([200, type, beginning])
    expect(text === '').toBe(script === 'nothing')
  })

  it('may tell only of themselves', async () => {
    expect(namesOf(await ask('script=empty'))).toEqual(['initial-response', 'contextUsageEvent', 'meteringEvent'])
  })
})

describe('broken connections', () => {
  it.each(['reset', 'drop', 'cut'])('%s after so many bytes', async script => {
    const whole = bytesOf(await ask('script=text'))
    for (const bytes of [1, 11, 100, 200]) {
      const reply = await ask(`script=${script}&bytes=${bytes}`)
      const got = bytesOf(reply)
      const isWhole = got.length === bytes || script === 'reset' // which may overtake what was sent before it
      expect([reply.error === null, isWhole]).toEqual([script === 'cut', true])
      expect(whole.subarray(0, got.length)).toEqual(got)
    }
  })

  it('cut in the middle of a frame where nothing else is wanted', async () => {
    const reply = await ask('script=cut')
    expect(reply.error).toBeNull()
    expect(() => framesOf(reply)).toThrow('length')
    expect(textOf(await ask('script=half&frames=2'))).toBe('the')
  })

  it.each([
    'script=stall&frames=2',
    'script=stall&bytes=0',
    'script=stall&bytes=40',
    'script=silence',
    'script=text&first=60000',
  ])('fall silent: %s', async wish => {
    const leaving = new AbortController()
    const reply = ask(wish, leaving.signal).catch((error: Error) => ({ error: error.message }))
    await simulator.when(({ stats }) => stats.streamsOpen === 1)
    leaving.abort()
    await simulator.when(({ stats }) => stats.streamsOpen === 0 && stats.streamsAborted === 1)
    expect((await reply).error).not.toBeNull()
  })
})
