/** A command makes no sense. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Says what a value should be, or nothing where it is that. */
export type Kind = (value: unknown) => string | undefined

export const text: Kind = value => (typeof value === 'string' ? undefined : 'a text')
export const number: Kind = value => (typeof value === 'number' && Number.isFinite(value) ? undefined : 'a number')
export const flag: Kind = value => (typeof value === 'boolean' ? undefined : 'true or false')
export const moment: Kind = value =>
  Number.isFinite(typeof value === 'string' ? Date.parse(value) : value)
    ? undefined
    : 'a date, or milliseconds since 1970'

export function oneOf(...names: readonly unknown[]): Kind {
  return value => (names.includes(value) ? undefined : `one of ${names.join(', ')}`)
}

export function orNull(kind: Kind): Kind {
  return value => (value === null ? undefined : kind(value))
}

export function listOf(kind: Kind): Kind {
  return value => {
    if (!Array.isArray(value)) return 'a list'
    const wrong = (value as unknown[]).map(kind).find(words => words !== undefined)
    return wrong && `a list, each of it ${wrong}`
  }
}

/** An object with numbers for some of these names. */
export function numbersFor(names: readonly string[]): Kind {
  return value => {
    if (typeof value !== 'object' || value === null) return 'an object'
    const isGood = Object.entries(value).every(([name, limit]) => names.includes(name) && !number(limit))
    return isGood ? undefined : `an object with numbers for ${names.join(', ')}`
  }
}

interface Command {
  readonly summary: string
  readonly needed?: Readonly<Record<string, Kind>>
  readonly optional?: Readonly<Record<string, Kind>>
}

/** The commands of `POST /control`: name → what stands in its object. */
export type Commands<Control> = Readonly<Record<keyof Control & string, Command>>

/** The commands, as lines for a terminal. */
export function describeCommands<Control>(commands: Commands<Control>): readonly string[] {
  return Object.entries<Command>(commands).map(([name, { summary, needed = {}, optional = {} }]) => {
    const members = [...Object.keys(needed), ...Object.keys(optional).map(member => `${member}?`)]
    return `  ${`${name} { ${members.join(', ')} }`.replace('{  }', '{}')}\n      ${summary}`
  })
}

/**
 * Carries out the commands of a body, in their order: `{ "exhaust": { "credential": "sk-test-1" } }`. A list stands for
 * several of one kind. Nothing is carried out where one of them makes no sense.
 * @throws {CommandError}
 */
export function runCommands<Control>(
  commands: Commands<Control>,
  control: Control,
  body: Readonly<Record<string, unknown>>,
): void {
  const steps = Object.entries(body).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : [value]).map(argument => toStep(commands, control, name, argument)),
  )
  for (const step of steps) step()
}

function toStep<Control>(commands: Commands<Control>, control: Control, name: string, argument: unknown): () => void {
  const names = Object.keys(commands) as (keyof Control & string)[]
  const known = names.find(one => one === name)
  if (known === undefined) throw new CommandError(`There is no command "${name}"; there are: ${names.join(', ')}.`)
  const { needed = {}, optional = {} }: Command = commands[known]
  if (typeof argument !== 'object' || argument === null) throw new CommandError(`"${name}" takes an object.`)
  const members = new Map<string, unknown>(Object.entries(argument))
  for (const member of Object.keys(needed)) {
    if (!members.has(member)) throw new CommandError(`"${name}" needs "${member}".`)
  }
  for (const [member, value] of members) {
    const kind = { ...needed, ...optional }[member]
    if (kind === undefined) throw new CommandError(`"${name}" has no "${member}".`)
    const wrong = kind(value)
    if (wrong !== undefined) throw new CommandError(`"${member}" of "${name}" must be ${wrong}.`)
  }
  // The members are what the command's own type says: the table has been held against them.
  const act = control[known] as (argument: object) => unknown
  return () => void act(argument)
}
