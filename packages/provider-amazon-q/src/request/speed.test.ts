import { expect, test } from 'vitest'
import { toConversation } from './index.ts'
import type { ChatRequest } from '@millrace/core'

type Message = ChatRequest['messages'][number]

const CODE = 'const words = "a\\b"\n\tif (words) { return \'é\' }\n'
const MEGABYTE = 1_000_000

/** As if received: not made of pieces of one another. */
function received(text: string, length: number): string {
  return Buffer.from(text.repeat(length / text.length)).toString()
}

function talk(each: number): Message[] {
  return Array.from({ length: (10 * MEGABYTE) / each }, (_, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: received(CODE, each),
  }))
}

function work(each: number): Message[] {
  return Array.from({ length: (10 * MEGABYTE) / each }, (_, at) => {
    const id = `call_${at >> 1}`
    if (at % 2 === 1) return { role: 'tool', tool_call_id: id, content: received(CODE, each) }
    const edits = Array.from({ length: each / 50 }, (_, line) => ({ line, text: 'some new words' }))
    const call = { id, type: 'function', function: { name: 'edit', arguments: JSON.stringify({ edits }) } }
    return { role: 'assistant', content: null, tool_calls: [call] }
  })
}

/** How long the event loop is kept from others at most until `work` is done, milliseconds. */
async function longestBlock(work: Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  let isDone = false
  function look(): void {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isDone) setImmediate(look)
  }
  setImmediate(look)
  await work.finally(() => (isDone = true))
  look()
  return longest
}

// On a machine that is left alone, about 60 ms in all and 10 ms in one piece.
test.for<[what: string, messages: Message[]]>([
  ['short words', talk(200)],
  ['one long text', talk(10 * MEGABYTE)],
  ['tools with many arguments', work(20_000)],
])('10 MB are mapped in pieces: %s', async ([, messages]) => {
  const started = performance.now()
  const block = await longestBlock(
    toConversation(
      { model: 'M', messages },
      {
        conversationId: 'c',
        modelId: 'm',
        origin: 'CLI',
        profileArn: undefined,
        flavour: 'json',
        hasBareSchemas: false,
        signal: new AbortController().signal,
      },
    ),
  )
  expect(performance.now() - started).toBeLessThan(1000)
  expect(block).toBeLessThan(200)
})
