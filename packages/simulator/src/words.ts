import type { Options } from './options.ts'

const WORDS =
  'the mill stands by the river and turns as long as water runs so every grain that goes in comes out as flour'.split(
    ' ',
  )

const DEFAULT_WORDS = 20

/** `count` words, each but the first with the blank before it; `offset` shifts where in the sentence they begin. */
function* words(count: number, offset = 0): Generator<string> {
  for (let at = 0; at < count; at++) {
    const word = WORDS[(at + offset) % WORDS.length]!
    yield at === 0 ? word : ` ${word}`
  }
}

/** The whole text that the scenario `text` answers with. */
export function answerText(count: number = DEFAULT_WORDS): string {
  return [...words(count)].join('')
}

/** The text of choice number `index`, in the pieces that the options `words` and `size` ask for. */
export function textPieces(options: Options, index = 0): Iterable<string> {
  return resized(words(options.number('words', DEFAULT_WORDS), index), options)
}

/** Any pieces of text, cut anew into `size` characters each where that option is given. */
export function resized(pieces: Iterable<string>, options: Options): Iterable<string> {
  return options.has('size') ? regrouped(pieces, Math.max(1, options.number('size', 1))) : pieces
}

function* regrouped(pieces: Iterable<string>, size: number): Generator<string> {
  let group = ''
  let length = 0
  for (const piece of pieces) {
    for (const character of piece) {
      group += character
      if (++length < size) continue
      yield group
      group = ''
      length = 0
    }
  }
  if (group !== '') yield group
}
