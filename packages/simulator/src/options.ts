/** A scenario was asked for with an option that it does not have, or a value that the option cannot have. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

/** The options of one request. All reading functions throw {@link OptionError} for values that make no sense. */
export interface Options {
  has(name: string): boolean
  text(name: string): string | undefined
  text(name: string, fallback: string): string
  /** A number from 0 up. */
  number(name: string, fallback: number): number
  /** On for `1`, off for `0`. */
  flag(name: string, fallback: boolean): boolean
  oneOf<const Value extends string>(name: string, values: readonly Value[], fallback: Value): Value
  /** The same options, with values for those that are not given. */
  withDefaults(defaults: Readonly<Record<string, string>>): Options
}

/** Options that every scenario has: name → meaning. Those about events matter where a stream is sent. */
export const COMMON_OPTIONS = {
  as: 'sse: a stream, json: a completion, whichever the request asks for',
  words: 'number of words in the answer (20)',
  size: 'characters in each piece of text (a word)',
  finish: 'the finish reason (stop, or tool_calls)',
  prompt: 'prompt tokens in the usage (12)',
  usage: 'where and what usage is: end, finish, each, none, negative, huge, xgroq, before (end, if asked for)',
  done: 'how [DONE] comes: 1, 0 = not at all, 2 = twice with data in between, open = and the socket stays open (1)',
  pace: 'milliseconds between writes (0: as fast as the client reads)',
  batch: 'events in each write (1)',
  split: 'bytes in each write, each write by itself',
  eol: 'line ends: lf, cr, crlf (lf)',
  blank: '0: no empty line between events (1)',
  bom: '1: a byte order mark comes first (0)',
  comments: '1: comments and empty events in between (0)',
  space: '0: no blank behind "data:" (1)',
  multiline: '1: the JSON stands on several data lines (0)',
  type: 'the content type',
  first: 'milliseconds before the headers (0)',
  firstEvent: 'milliseconds between the headers and the first byte of the body (0)',
} as const satisfies Record<string, string>

/** `NAME?option=value&option=value` → its two parts. */
export function splitModel(model: string): { readonly name: string; readonly query: string } {
  const mark = model.indexOf('?')
  return mark === -1 ? { name: model, query: '' } : { name: model.slice(0, mark), query: model.slice(mark + 1) }
}

/** @throws {OptionError} the query has an option that is not in `known` */
export function parseOptions(query: string, known: readonly string[]): Options {
  const values = new Map(new URLSearchParams(query))
  for (const name of values.keys()) {
    if (!known.includes(name)) throw new OptionError(`There is no option "${name}"; there are: ${known.join(', ')}.`)
  }
  return createOptions(values)
}

function createOptions(values: ReadonlyMap<string, string>): Options {
  const oneOf = <const Value extends string>(name: string, allowed: readonly Value[], fallback: Value): Value => {
    const value = values.get(name)
    if (value === undefined) return fallback
    const found = allowed.find(one => one === value)
    if (found === undefined) throw new OptionError(`Option "${name}" is one of: ${allowed.join(', ')}.`)
    return found
  }
  return {
    has: name => values.has(name),
    // One signature serves both forms: without a fallback there is none to return.
    text: (name: string, fallback?: string) => (values.get(name) ?? fallback) as string,
    number(name, fallback) {
      const value = values.get(name)
      const number = value === undefined ? fallback : Number(value)
      if (value === '' || !Number.isFinite(number) || number < 0) {
        throw new OptionError(`Option "${name}" is a number from 0 up.`)
      }
      return number
    },
    flag: (name, fallback) => oneOf(name, ['0', '1'], fallback ? '1' : '0') === '1',
    oneOf,
    withDefaults: defaults => createOptions(new Map([...Object.entries(defaults), ...values])),
  }
}
