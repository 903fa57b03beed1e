import { COMMON_OPTIONS } from '../options.ts'
import { createFindScript } from '../service/scripts.ts'
import { REFUSABLE } from './checks.ts'
import { ERROR_OPTIONS } from './error-answer.ts'
import { USAGE_MODES } from './events.ts'
import { EXCEPTION_NAMES } from './exceptions.ts'
import type { Scripts } from './script.ts'
import { EXAMPLES } from './scripts/examples.ts'
import { TEXTS } from './scripts/texts.ts'
import { TOOLS } from './scripts/tools.ts'
import { TROUBLES } from './scripts/troubles.ts'

/** Every script: name → script. */
export const AMAZON_Q_SCRIPTS: Scripts = { ...TEXTS, ...TOOLS, ...TROUBLES, ...EXAMPLES }

const { words, size, pace, split, first, firstEvent } = COMMON_OPTIONS

/** The options that every request may have, beside those of its script. */
export const AMAZON_Q_OPTIONS = {
  script: 'what is answered (auto)',
  error: 'an error instead of an answer',
  times: 'how many requests get this before the rest are answered as if nothing had been asked for (all)',
  words,
  size,
  thoughts: 'words of reasoning, where there is any (5)',
  name: 'the tool that is called (the first that the request declares, or get_weather)',
  arguments: 'with what it is called, as JSON (what its schema demands)',
  calls: 'how many calls scripts make that make several (2)',
  stop: 'the stop reason that a last event tells (none)',
  usage: `where and what usage is: ${USAGE_MODES.join(', ')} (context)`,
  percentage: 'how much of the context is used (as much as is)',
  prompt: 'prompt tokens in the usage (one for four characters)',
  output: 'tokens of the answer in the usage (one for each event)',
  cached: 'cached prompt tokens in the usage (0)',
  initial: '0 or 1: whether an initial response comes first (1 with JSON 1.0, 0 with paths)',
  refuse: `what is refused beside that which always is: ${Object.keys(REFUSABLE).join(', ')}`,
  type: COMMON_OPTIONS.type,
  pace,
  batch: 'frames in each write (1)',
  split,
  first,
  firstEvent,
} as const satisfies Record<string, string>

export const findScript = createFindScript({
  scripts: AMAZON_Q_SCRIPTS,
  usual: 'auto',
  options: [...Object.keys(AMAZON_Q_OPTIONS), ...Object.keys(ERROR_OPTIONS)],
  errors: EXCEPTION_NAMES,
})
