import { expect, test } from 'vitest'
import { createFramer } from './framer.ts'
import { expectContract } from './testing/contract.ts'
import { HEAD, HEAD_WITH_USAGE, said } from './testing/replay.ts'

test('deltas become frames that keep the contract', () => {
  const framer = createFramer(HEAD_WITH_USAGE)
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const deltas = [{ content: 'a' }, { content: 'b' }]
  const chunks = [...deltas.flatMap(delta => framer.delta(delta)), ...framer.end('length', usage)].map(
    ({ chunk }) => chunk,
  )
  expectContract(chunks, HEAD_WITH_USAGE, true)
  expect(said(chunks)).toEqual({ deltas, finish: 'length' })
  expect(chunks.at(-1)?.usage).toEqual(usage)
})

test('an answer without a word has a role and an end', () => {
  const chunks = createFramer(HEAD)
    .end('stop')
    .map(({ chunk }) => chunk)
  expectContract(chunks, HEAD, true)
  expect(chunks).toHaveLength(2)
})
