import { OptionError, parseOptions } from '../options.ts'
import type { Options } from '../options.ts'
import type { Answer } from '../scenario.ts'
import { toWish } from '../wishes.ts'
import type { WishSources } from '../wishes.ts'
import type { ServiceRequest } from './route.ts'
import type { ServiceWorld } from './world.ts'

/** A way to answer a chat. */
export interface Script<Ask> {
  readonly summary: string
  /** The options that it has beside those that all have: name → meaning. */
  readonly options?: Readonly<Record<string, string>>
  /** The option `error` says what goes wrong in the answer, instead of taking its place. */
  readonly hasError?: true
  /** @throws {OptionError} an option has a value that it cannot have */
  readonly answer: (ask: Ask) => Answer
}

export type Scripts<Ask> = Readonly<Record<string, Script<Ask>>>

/** What a request gets. */
export interface Wanted<Ask, ErrorName> {
  readonly script: Script<Ask>
  readonly options: Options
  /** What takes the place of the script's answer. */
  readonly error: ErrorName | undefined
}

/**
 * Makes a wish ready, `name=value&name=value`.
 * @throws {OptionError} it has an option that there is not
 */
export type FindScript<Ask, ErrorName> = (wish: string) => Wanted<Ask, ErrorName>

interface Wishes<Ask, ErrorName> {
  readonly scripts: Scripts<Ask>
  /** The script of those that name none. */
  readonly usual: string
  /** Names of the options that all have. */
  readonly options: readonly string[]
  readonly errors: readonly ErrorName[]
}

export function createFindScript<Ask, ErrorName extends string>({
  scripts,
  usual,
  options: common,
  errors,
}: Wishes<Ask, ErrorName>): FindScript<Ask, ErrorName> {
  const table = new Map(Object.entries(scripts))
  return wish => {
    const name = new URLSearchParams(wish).get('script') ?? usual
    const script = table.get(name)
    if (script === undefined)
      throw new OptionError(`There is no script "${name}"; there are: ${[...table.keys()].join(', ')}.`)
    const options = parseOptions(wish, [...Object.keys(script.options ?? {}), ...common])
    const error = options.has('error') ? options.oneOf('error', errors, errors[0]!) : undefined
    return { script, options, error: script.hasError ? undefined : error }
  }
}

/**
 * What a request to a model gets: what is `scripted` for its account, or what it wishes itself; and an ordinary answer
 * where that has been had so often as it says.
 * @throws {OptionError} its wish makes no sense
 */
export function wantedBy<Ask, ErrorName>(
  { defaultWish, attempts }: ServiceWorld,
  findScript: FindScript<Ask, ErrorName>,
  scripted: string | undefined,
  { headers }: ServiceRequest,
  said: Pick<WishSources, 'model' | 'prompt'>,
): Wanted<Ask, ErrorName> {
  const wish = scripted ?? toWish({ usual: defaultWish, header: headers['x-simulate']?.toString(), ...said })
  const wanted = findScript(wish)
  const times = wanted.options.number('times', Number.MAX_VALUE)
  return wanted.options.has('times') && attempts.count(wish) > times ? findScript('') : wanted
}
