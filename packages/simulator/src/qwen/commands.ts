import type { QwenControl } from './control.ts'
import { ERROR_NAMES } from './errors.ts'
import { POLL_NAMES, REFRESH_NAMES } from './poll-answers.ts'
import { WINDOW_NAMES } from './quotas.ts'
import { PLANS, REGIONS } from './sites.ts'

/** A command makes no sense. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Says what a value should be, or nothing where it is that. */
type Kind = (value: unknown) => string | undefined

const text: Kind = value => (typeof value === 'string' ? undefined : 'a text')
const number: Kind = value => (typeof value === 'number' && Number.isFinite(value) ? undefined : 'a number')
const flag: Kind = value => (typeof value === 'boolean' ? undefined : 'true or false')
const moment: Kind = value =>
  Number.isFinite(typeof value === 'string' ? Date.parse(value) : value)
    ? undefined
    : 'a date, or milliseconds since 1970'

function oneOf(...names: readonly unknown[]): Kind {
  return value => (names.includes(value) ? undefined : `one of ${names.join(', ')}`)
}

function orNull(kind: Kind): Kind {
  return value => (value === null ? undefined : kind(value))
}

function listOf(kind: Kind): Kind {
  return value => {
    if (!Array.isArray(value)) return 'a list'
    const wrong = (value as unknown[]).map(kind).find(words => words !== undefined)
    return wrong && `a list, each of it ${wrong}`
  }
}

interface Command {
  readonly summary: string
  readonly needed?: Readonly<Record<string, Kind>>
  readonly optional?: Readonly<Record<string, Kind>>
}

const limits: Kind = value => {
  if (typeof value !== 'object' || value === null) return 'an object'
  const isGood = Object.entries(value).every(([name, limit]) => WINDOW_NAMES.includes(name as never) && !number(limit))
  return isGood ? undefined : `an object with numbers for ${WINDOW_NAMES.join(', ')}`
}

const credential = text
const error = oneOf(...ERROR_NAMES)

/** The commands of `POST /control`: name → what stands in its object. */
const COMMANDS: Readonly<Record<keyof QwenControl, Command>> = {
  setClock: { summary: 'sets the clock', needed: { at: moment } },
  advanceClock: { summary: 'puts the clock forward', needed: { ms: number } },
  setLimits: { summary: `requests in each ${WINDOW_NAMES.join(', ')}`, needed: { credential, limits } },
  exhaust: {
    summary: 'refuses requests until a time, or until restored',
    needed: { credential },
    optional: { error, forMs: number, until: moment },
  },
  suspend: { summary: 'refuses requests until restored', needed: { credential }, optional: { error } },
  restore: { summary: 'makes all well again', needed: { credential } },
  script: {
    summary: 'what the next chats and embeddings get, as wishes',
    needed: { credential, answers: listOf(text) },
  },
  setKey: {
    summary: 'where a key counts, and who pays',
    needed: { key: text },
    optional: { plan: oneOf(...PLANS), region: oneOf(...REGIONS), account: text, refusal: oneOf(400, 401, 403, 404) },
  },
  demandKnownKeys: { summary: 'only keys that were set are good' },
  setTier: { summary: 'closes or opens the portal', optional: { closed: flag, onlyAgent: orNull(text) } },
  setSignIn: {
    summary: 'how the sign-in server behaves',
    optional: {
      deviceCode: orNull(text),
      userCode: orNull(text),
      account: orNull(text),
      interval: orNull(number),
      deviceExpiresIn: number,
      expiresIn: number,
      verificationUri: orNull(text),
      resourceUrl: orNull(text),
      loginOmits: listOf(text),
      refreshOmits: listOf(text),
      refreshDelayMs: number,
    },
  },
  scriptPolls: {
    summary: `what polls get: ${POLL_NAMES.join(', ')}`,
    needed: { answers: listOf(oneOf(...POLL_NAMES)) },
    optional: { deviceCode: text },
  },
  scriptRefreshes: {
    summary: `what refreshes get: ${REFRESH_NAMES.join(', ')}`,
    needed: { answers: listOf(oneOf(...REFRESH_NAMES)) },
  },
  issueTokens: {
    summary: 'signs somebody in',
    needed: { account: text },
    optional: { expiresIn: number, accessToken: text, refreshToken: text },
  },
  expireToken: { summary: "ends a token's life", needed: { token: text } },
  setModelList: { summary: 'what the list of models is instead', needed: { error: orNull(error) } },
  setRetryAfter: { summary: 'how quotas say until when', needed: { form: oneOf('none', 'seconds', 'date') } },
  reset: { summary: 'everything as it was at the start' },
}

const NAMES = Object.keys(COMMANDS) as readonly (keyof QwenControl)[]

/** The commands, as lines for a terminal. */
export function describeCommands(): readonly string[] {
  return Object.entries(COMMANDS).map(([name, { summary, needed = {}, optional = {} }]) => {
    const members = [...Object.keys(needed), ...Object.keys(optional).map(member => `${member}?`)]
    return `  ${`${name} { ${members.join(', ')} }`.replace('{  }', '{}')}\n      ${summary}`
  })
}

/**
 * Carries out the commands of a body, in their order: `{ "exhaust": { "credential": "sk-test-1" } }`. A list stands for
 * several of one kind. Nothing is carried out where one of them makes no sense.
 * @throws {CommandError}
 */
export function runCommands(control: QwenControl, body: Readonly<Record<string, unknown>>): void {
  const steps = Object.entries(body).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : [value]).map(argument => toStep(control, name, argument)),
  )
  for (const step of steps) step()
}

function toStep(control: QwenControl, name: string, argument: unknown): () => void {
  const known = NAMES.find(one => one === name)
  if (known === undefined) throw new CommandError(`There is no command "${name}"; there are: ${NAMES.join(', ')}.`)
  const { needed = {}, optional = {} }: Command = COMMANDS[known]
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
