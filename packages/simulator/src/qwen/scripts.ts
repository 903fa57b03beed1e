import { COMMON_OPTIONS } from '../options.ts'
import { createFindScript } from '../service/scripts.ts'
import { USAGE_MODES } from './chunks.ts'
import { ERROR_OPTIONS } from './error-answer.ts'
import { ERROR_NAMES } from './errors.ts'
import type { Scripts } from './script.ts'
import { ENDINGS } from './scripts/endings.ts'
import { EXAMPLES } from './scripts/examples.ts'
import { FRAMINGS } from './scripts/framings.ts'
import { TEXTS } from './scripts/texts.ts'
import { TOOLS } from './scripts/tools.ts'
import { TROUBLES } from './scripts/troubles.ts'
import { REFUSABLE } from './optional-checks.ts'

/** Every script: name → script. */
export const QWEN_SCRIPTS: Scripts = { ...TEXTS, ...TOOLS, ...ENDINGS, ...TROUBLES, ...FRAMINGS, ...EXAMPLES }

/** The options that every request may have, beside those of its script. */
export const QWEN_OPTIONS = {
  ...COMMON_OPTIONS,
  script: 'what is answered (text)',
  error: 'an error instead of an answer',
  times: 'how many requests get this before the rest are answered as if nothing had been asked for (all)',
  echo: 'the model that the answer names (the one that was asked for)',
  lines: 'native: lines with id, event and status before the data (plain)',
  usage: `where and what usage is: ${USAGE_MODES.join(', ')} (end, if asked for)`,
  cached: 'cached prompt tokens in the usage (0)',
  cacheWrite: 'prompt tokens written to the cache in the usage (0)',
  refuse: `what is refused beside that which always is: ${REFUSABLE.join(', ')}`,
} as const satisfies Record<string, string>

export const findScript = createFindScript({
  scripts: QWEN_SCRIPTS,
  usual: 'text',
  options: [...Object.keys(QWEN_OPTIONS), ...Object.keys(ERROR_OPTIONS)],
  errors: ERROR_NAMES,
})
