import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chunksOf, contentOf } from '../../ask-simulator.ts'
import type { Reply } from '../../ask-simulator.ts'
import { askQwen } from '../ask-qwen.ts'
import { startQwenSimulator } from '../qwen-simulator.ts'
import type { QwenSimulator } from '../qwen-simulator.ts'

let simulator: QwenSimulator
beforeAll(async () => {
  simulator = await startQwenSimulator()
})
afterAll(() => simulator.close())

const example = (wish: string): Promise<Reply> => askQwen(simulator, `qwen3-coder-plus?script=example-${wish}`)

/** The bytes as the protocol's description lists them: their number, their digest, and how many reads they are in. */
const LISTED = [
  ['9.1', 1643, 'cdd716cc6a65829d6befaec880c774020ee80be5488d5f066c69842bfa364296', 6],
  ['9.2', 2050, 'f4db5b4e6481b4743febbf5eab0c0931eafa4eb09302c51d8ad2fca5814b8383', 5],
  ['9.3', 3200, '2dcdf9ab7f27c0a4c224f32b398e5d045109ae493ad17fa965481cfd1f3fd99c', 5],
  ['9.3-reused', 1361, 'e4b68cf60c7df5f06c5ac86b6aaee3b7f2e6830418bceae4d8df1a859e0b79af', 1],
  ['9.4a', 764, '6b548e754d9e3bcb488f443e3a9a9fed8acd46eabb71bdbe6ab49edade1f7e92', 3],
  ['9.4b', 836, '1ff4d85237b845d131730500c974d1bfd8942914e9204dabb37ea0c299bd5952', 1],
  ['9.4c', 607, '9937e173b5482fc264f11c1a1dbeb363687d12c2c130361bf125edfaf4628a3b', 1],
  ['9.4d', 564, 'bbb8bb6dfa917e758180807c5e06d56acce41ae90761c9d0cda5b3f4cfec4b23', 1],
  ['9.5', 1947, '2a064524b01ca8a3595b959d55325a08a93f33dfe6db2bd8c048ef66a7badb93', 1],
  ['9.5-repeat', 1337, '95081a547df7abfc139a9efa1ee7814c5452ab3f1c263fa0756dee344070b1b9', 1],
] as const

describe('the worked examples', () => {
  it.each(LISTED)('%s comes byte for byte, in the listed reads', async (number, length, digest, reads) => {
    const { text, pieces, status } = await example(number)
    expect([status, Buffer.byteLength(text)]).toEqual([200, length])
    expect(createHash('sha256').update(Buffer.concat(pieces)).digest('hex')).toBe(digest)
    expect(pieces).toHaveLength(reads)
  })

  it('come at every split too', async () => {
    const whole = await example('9.2')
    for (const size of [1, 2, 7]) {
      const { pieces } = await example(`9.2&split=${size}`)
      expect(Buffer.concat(pieces)).toEqual(Buffer.concat(whole.pieces))
      expect(pieces.every(piece => piece.length <= size)).toBe(true)
    }
  })

  it('9.6 is what an expired token is told', async () => {
    const { status, text, headers } = await example('9.6')
    expect([status, headers['content-type']]).toEqual([401, 'application/json'])
    expect(text).toBe(
      '{"error":{"code":"invalid_api_key","message":"invalid access token or token expired","param":null,"type":"invalid_request_error"},"request_id":"8c1d2f30-0000-4000-8000-000000000001"}',
    )
  })

  it('9.7 is the stream behind a whole answer', async () => {
    const reply = await example('9.7')
    expect(contentOf(reply)).toBe('2')
    expect(chunksOf(reply)[1]).toMatchObject({ choices: [{ delta: { reasoning_content: 'Simple sum.' } }] })
    expect(chunksOf(reply).at(-1)!.usage).toEqual({
      prompt_tokens: 10,
      completion_tokens: 8,
      total_tokens: 18,
      completion_tokens_details: { reasoning_tokens: 6 },
    })
  })
})
