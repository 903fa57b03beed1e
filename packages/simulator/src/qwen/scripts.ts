import { COMMON_OPTIONS, OptionError, parseOptions } from '../options.ts'
import type { Options } from '../options.ts'
import { USAGE_MODES } from './chunks.ts'
import { ERROR_OPTIONS } from './error-answer.ts'
import { ERROR_NAMES } from './errors.ts'
import type { Script, Scripts } from './script.ts'
import { ENDINGS } from './scripts/endings.ts'
import { EXAMPLES } from './scripts/examples.ts'
import { FRAMINGS } from './scripts/framings.ts'
import { TEXTS } from './scripts/texts.ts'
import { TOOLS } from './scripts/tools.ts'
import { TROUBLES } from './scripts/troubles.ts'
import { REFUSABLE } from './optional-checks.ts'

const TABLE: ReadonlyMap<string, Script> = new Map(
  [TEXTS, TOOLS, ENDINGS, TROUBLES, FRAMINGS, EXAMPLES].flatMap((scripts: Scripts) => Object.entries(scripts)),
)

/** Every script: name → script. */
export const QWEN_SCRIPTS: Scripts = Object.fromEntries(TABLE)

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

/** What a request gets: a script with its options, or an error where those name one. */
export interface Wanted {
  readonly script: Script
  readonly options: Options
}

/**
 * A wish, `name=value&name=value`, made ready.
 * @throws {OptionError} it has an option that there is not
 */
export function findScript(wish: string): Wanted {
  const name = new URLSearchParams(wish).get('script') ?? 'text'
  const script = TABLE.get(name)
  if (script === undefined)
    throw new OptionError(`There is no script "${name}"; there are: ${[...TABLE.keys()].join(', ')}.`)
  const known = [...Object.keys(script.options ?? {}), ...Object.keys(QWEN_OPTIONS), ...Object.keys(ERROR_OPTIONS)]
  const options = parseOptions(wish, known)
  if (options.has('error')) options.oneOf('error', ERROR_NAMES, 'internal-error')
  return { script, options }
}
