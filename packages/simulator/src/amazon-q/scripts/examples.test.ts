import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAmazonQSimulator } from '../amazon-q-simulator.ts'
import type { AmazonQSimulator } from '../amazon-q-simulator.ts'
import { askAmazonQ, CONVERSATION_ID, framesOf, namesOf } from '../ask-amazon-q.ts'

let simulator: AmazonQSimulator
beforeAll(async () => {
  simulator = await startAmazonQSimulator()
})
afterAll(() => simulator.close())

describe('examples', () => {
  it.each([
    ['example-text', '11', 826, 'f2b8c848880f767cd59151e6e6e7bf773d0329f955e515b5a4733e4d4571779d'],
    ['example-tools', '12', 1780, '49397bc0d86ae95629b25dd2e92bcaee865ba62fed7a4d0e488f073a12645066'],
    ['example-results', '12', 1316, '0c178102051730c01c85fde62469bb0a295ee7b0d74d3ececfafe4ec2b3d8237'],
    ['example-exception', '13', 497, '5053835e934dd669e26c2cff978dda359082dcf580b78aab296cb1d293980fae'],
  ])('%s is the same, byte by byte', async (script, suffix, length, digest) => {
    const conversationId = CONVERSATION_ID.replace(/11$/, suffix)
    const { pieces } = await askAmazonQ(simulator, `?script=${script}`, { state: { conversationId } })
    const bytes = Buffer.concat(pieces)
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([length, digest])
  })

  it.each([
    [
      'example-error',
      'AAAAcAAAAGDRQl7+DTptZXNzYWdlLXR5cGUHAAVlcnJvcgs6ZXJyb3ItY29kZQcAD0ludGVybmFsRmFpbHVyZQ46ZXJyb3ItbWVzc2FnZQcAGkFuIGludGVybmFsIGVycm9yIG9jY3VycmVkPbILkQ==',
    ],
    [
      'example-throttled',
      'AAAAsgAAAGE1kNXTDzpleGNlcHRpb24tdHlwZQcAE1Rocm90dGxpbmdFeGNlcHRpb24NOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb24NOm1lc3NhZ2UtdHlwZQcACWV4Y2VwdGlvbnsibWVzc2FnZSI6IlRvbyBtYW55IHJlcXVlc3RzLCBwbGVhc2Ugd2FpdCBiZWZvcmUgdHJ5aW5nIGFnYWluLiJ9Qgeq4A==',
    ],
  ])('%s is one frame', async (script, base64) => {
    const reply = await askAmazonQ(simulator, `?script=${script}`, { flavour: 'rest' })
    expect(Buffer.concat(reply.pieces).toString('base64')).toBe(base64)
  })

  it('have an initial response in one flavour only', async () => {
    const json = await askAmazonQ(simulator, '?script=example-text')
    const rest = await askAmazonQ(simulator, '?script=example-text', { flavour: 'rest' })
    expect(namesOf(json).slice(1)).toEqual(namesOf(rest))
    expect(framesOf(json)[0]).toEqual({
      headers: { ':event-type': 'initial-response', ':content-type': 'application/json', ':message-type': 'event' },
      payload: `{"conversationId":"${CONVERSATION_ID}"}`,
    })
    expect(json.headers['content-type']).toBe('application/vnd.amazon.eventstream')
    expect(rest.headers['x-amzn-codewhisperer-conversation-id']).toBe(CONVERSATION_ID)
    expect(json.headers).not.toHaveProperty('x-amzn-codewhisperer-conversation-id')
    expect(json.headers['x-amzn-requestid']).toMatch(/^0{8}-.*\d{12}$/)
  })
})
