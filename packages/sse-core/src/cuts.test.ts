import { isObject, parseJson } from '@millrace/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readFrames } from './frames.ts'
import { expectContract } from './testing/contract.ts'
import { bytewise, cutAt, gather, HEAD_WITH_USAGE, replyOf, type Outcome } from './testing/replay.ts'
import { SERVERS } from './testing/servers.ts'

const NAMES = new Set(['OpenAI', 'Qwen', 'Mistral', 'Perplexity', 'Gemini', 'SGLang', 'llama.cpp'])
const STREAMS = SERVERS.filter(({ name }) => NAMES.has(name))

const read = (reads: readonly Buffer[]): Promise<Outcome> => gather(readFrames(replyOf(reads), HEAD_WITH_USAGE))

/** The same stream in another dress. */
const FRAMINGS: readonly (readonly [string, (stream: string) => string])[] = [
  ['as it is', stream => stream],
  ['CRLF', stream => stream.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')],
  ['CR', stream => stream.replaceAll('\r\n', '\n').replaceAll('\n', '\r')],
  ['a byte order mark', stream => `\uFEFF${stream}`],
  ['comments', stream => stream.replaceAll(/(?<=\n)(?=data)/g, ': keep-alive\n\n: again\n')],
  ['no space', stream => stream.replaceAll('data: ', 'data:')],
  ['no blank lines', stream => stream.replaceAll(/(\r?\n){2}/g, '\n')],
  ['ids and types', stream => stream.replaceAll(/(?<=\n)(?=data)/g, 'id: 7\nevent: message\nretry: 1\n')],
]

describe.each(STREAMS)('$name', ({ stream }) => {
  const bytes = Buffer.from(stream)

  test('is the same in two reads, cut anywhere, and byte by byte', async () => {
    const { chunks } = await read([bytes])
    for (let at = 0; at <= bytes.length; at++) {
      const cut = await read([bytes.subarray(0, at), bytes.subarray(at)])
      expect(cut.chunks).toEqual(chunks)
      expect(cut.code).toBeUndefined()
    }
    expect((await read(bytewise(bytes))).chunks).toEqual(chunks)
  })

  test.each(FRAMINGS)('is the same in any framing: %s', async (_, dress) => {
    const { chunks } = await read([bytes])
    const dressed = Buffer.from(dress(stream))
    const thirds = cutAt(
      dressed,
      Array.from({ length: dressed.length / 3 }, (__, at) => at * 3),
    )
    for (const reads of [[dressed], bytewise(dressed), thirds])
      expect(await read(reads)).toMatchObject({ code: undefined, chunks })
    const places = fc.array(fc.nat(dressed.length), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(places, async at => {
        expect(await read(cutAt(dressed, at))).toMatchObject({ code: undefined, chunks })
      }),
      { numRuns: 20 },
    )
  })

  test('that ends early is whole only where it says so', async () => {
    const { chunks } = await read([bytes])
    for (let at = 0; at < bytes.length; at++) {
      const begun = bytes.subarray(0, at)
      const outcome = await read([begun])
      const whole = isWhole(begun.toString())
      expectContract(outcome.chunks, HEAD_WITH_USAGE, whole)
      expect(outcome.code ?? 'whole').toMatch(whole ? /^whole$/ : /^upstream_(?:truncated|malformed|bad_response)$/)
      const text = outcome.chunks.filter(({ choices }) => choices[0]?.finish_reason === null)
      expect(chunks.slice(0, text.length)).toEqual(text)
    }
  })
})

/** Whether the beginning of a stream has said how it ends, and stops between two events. */
function isWhole(begun: string): boolean {
  const parts = begun.replaceAll('\r\n', '\n').replace(/\r$/, '\n').split('\n\n')
  const rest = parts.pop()!.trim()
  const last = rest.replace(/^data: ?/, '')
  const complete = last === '[DONE]' || isObject(parseJson(last))
  if (rest !== '' && !rest.startsWith(':') && !(rest.startsWith('data') && complete)) return false
  if (complete) parts.push(rest)
  const payloads = parts.flatMap(part => (part.startsWith('data') ? [part.replace(/^data: ?/, '')] : []))
  if (payloads.includes('[DONE]')) return true
  return payloads.some(payload => /"finish_reason":"[a-z_]+"/.test(payload))
}
