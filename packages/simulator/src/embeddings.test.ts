import { describe, expect, it } from 'vitest'
import { toEmbeddings } from './embeddings.ts'

interface Embeddings {
  readonly data: readonly { readonly index: number; readonly embedding: readonly number[] | string }[]
  readonly usage: { readonly prompt_tokens: number }
}

function embed(members: object): Embeddings {
  return toEmbeddings({ ...members }, 'any') as Embeddings
}

describe('toEmbeddings', () => {
  it('gives the same input the same vector of length 1, and another input another one', () => {
    const [first, second, third] = embed({ input: ['mill', 'river', 'mill'] }).data
    expect(first!.embedding).toEqual(third!.embedding)
    expect(first!.embedding).not.toEqual(second!.embedding)
    expect(Math.hypot(...(first!.embedding as number[]))).toBeCloseTo(1)
    expect([first!.index, second!.index, third!.index]).toEqual([0, 1, 2])
  })

  it.each([
    ['a text', 'one two', 1, 2],
    ['texts', ['one', 'two'], 2, 2],
    ['tokens', [1, 2, 3], 1, 3],
    ['lists of tokens', [[1, 2], [3]], 2, 3],
  ])('takes %s', (_, input, count, tokens) => {
    const { data, usage } = embed({ input })
    expect(data).toHaveLength(count)
    expect(usage.prompt_tokens).toBe(tokens)
  })

  it('gives as many dimensions as asked for, and floats in base64', () => {
    const floats = embed({ input: 'mill', dimensions: 5 }).data[0]!.embedding as number[]
    const packed = embed({ input: 'mill', dimensions: 5, encoding_format: 'base64' }).data[0]!.embedding as string
    const bytes = Buffer.from(packed, 'base64')
    expect(floats).toHaveLength(5)
    expect(floats.map((_, at) => bytes.readFloatLE(at * 4))).toEqual(floats)
  })
})
