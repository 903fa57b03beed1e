import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longer texts are counted in pieces, since a single word takes the square of its length. UTF-16 units. */
const PIECE_LENGTH = 1024
/** For how long the event loop may be held up at once, milliseconds. */
const TURN_MS = 2

/** What looks like a special token is text that somebody wrote. */
const AS_TEXT = { disallowedSpecial: new Set<string>() }

/**
 * How many tokens texts have, with OpenAI's `o200k_base` vocabulary: an estimate for all other models. Takes turns of 2 ms.
 * The vocabulary, some 70 MB, is loaded when it is first needed.
 */
export async function countTokens(texts: Iterable<string>): Promise<number> {
  const { countTokens: count } = await import('gpt-tokenizer/encoding/o200k_base')
  let tokens = 0
  let turnStartedAt = performance.now()
  for (const text of texts) {
    for (let at = 0; at < text.length; at += PIECE_LENGTH) {
      tokens += count(text.slice(at, at + PIECE_LENGTH), AS_TEXT)
      if (performance.now() - turnStartedAt < TURN_MS) continue
      await nextTurn()
      turnStartedAt = performance.now()
    }
  }
  return tokens
}
