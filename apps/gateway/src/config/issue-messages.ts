import { z } from 'zod'
import { toPathText } from './config-error.ts'
import type { Path } from './config-error.ts'
import { nearest } from './nearest.ts'

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a mapping, indented lines of `name: value`',
  record: 'a mapping, indented lines of `name: value`',
}

interface Finding {
  readonly path: Path
  readonly message: string
  /** Whether another type of value might do. */
  readonly isType: boolean
}

/** Stands for the words of zod, which are for programmers. */
const NO_WORDS = ''

/** All that `schema` has against `value`, in words for whoever wrote the configuration. */
export function findingsOf(schema: z.ZodType, value: unknown): readonly Finding[] {
  const known = new Map<string, readonly string[]>()
  const { error } = schema.safeParse(value, {
    reportInput: true,
    error: ({ code, inst, path = [] }) => {
      if (code === 'unrecognized_keys' && inst instanceof z.ZodObject) {
        known.set(toPathText(path), Object.keys(inst.shape))
      }
      return NO_WORDS
    },
  })
  return (error?.issues ?? []).flatMap((issue): Finding[] => {
    const { code, path } = issue
    if (code === 'unrecognized_keys') {
      const names = known.get(toPathText(path)) ?? []
      return issue.keys.map(key => ({ path: [...path, key], message: unknownSetting(key, names), isType: false }))
    }
    const isType = code === 'invalid_type' || code === 'invalid_union' || code === 'invalid_value'
    return [{ path, message: toMessage(issue), isType }]
  })
}

function unknownSetting(name: string, names: readonly string[]): string {
  const near = nearest(name, names)
  return near === undefined
    ? `there is no such setting here; there are ${names.map(quote).join(', ')}`
    : `there is no such setting; did you mean \`${near}\`?`
}

function toMessage(issue: z.core.$ZodIssue): string {
  if (issue.message !== NO_WORDS) return issue.message
  const { input } = issue
  switch (issue.code) {
    case 'invalid_type': {
      if (input === undefined) return 'is missing'
      const isBare = issue.expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')
      return `must be ${EXPECTED[issue.expected] ?? issue.expected}${isBare ? ': put quotes around it' : ''}`
    }
    case 'invalid_value':
      return oneOf(input, issue.values.map(String))
    case 'invalid_union': {
      if (!('options' in issue) || issue.discriminator === undefined) return 'has a value that does not belong here'
      const given = (input as Record<string, unknown>)[issue.discriminator]
      const choice = oneOf(given, (issue.options ?? []).map(String))
      return given === undefined ? `is missing: it ${choice}` : choice
    }
    case 'invalid_format':
      return issue.format === 'url'
        ? 'must be a URL, as in `https://api.example.com/v1`'
        : `must match ${issue.pattern}`
    case 'too_small':
      return isEmpty(input)
        ? 'must not be empty: leave it out instead'
        : `must be at least ${limit(issue.minimum, issue.origin)}`
    case 'too_big':
      return `must be at most ${limit(issue.maximum, issue.origin)}`
    case 'invalid_key':
      return issue.issues[0] === undefined ? 'is no name for this' : toMessage(issue.issues[0])
    default:
      return 'is not valid'
  }
}

function oneOf(given: unknown, options: readonly string[]): string {
  if (options.length === 1) return `must be \`${options[0]}\``
  const near = typeof given === 'string' ? nearest(given, options) : undefined
  const choice = `must be one of ${options.map(quote).join(', ')}`
  return near === undefined ? choice : `${choice}; did you mean \`${near}\`?`
}

function quote(name: string): string {
  return `\`${name}\``
}

function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0)
}

const MEASURES: Readonly<Record<string, string>> = { string: ' characters long', array: ' entries long' }

function limit(value: number | bigint, origin: string): string {
  return `${value}${MEASURES[origin] ?? ''}`
}
