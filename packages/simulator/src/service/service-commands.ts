import { listOf, moment, number, numbersFor, oneOf, orNull, text } from './commands.ts'
import type { Commands, Kind } from './commands.ts'
import type { ServiceControl } from './control.ts'
import type { ServiceTypes } from './world.ts'

interface CommandKinds {
  /** In the summaries: what may be refused, what limits are of, and for what answers can be scripted. */
  readonly refused: string
  readonly limits: string
  readonly scripted: string
  readonly windows: readonly string[]
  readonly errors: readonly string[]
  readonly polls: readonly string[]
  readonly refreshes: readonly string[]
  /** Settings of the sign-in that other services do not have. */
  readonly signIn: Readonly<Record<string, Kind>>
}

/** The commands of any service. */
export function serviceCommands({
  refused,
  limits,
  scripted,
  windows,
  errors,
  polls,
  refreshes,
  signIn,
}: CommandKinds): Commands<ServiceControl<ServiceTypes>> {
  const credential = text
  const error = oneOf(...errors)
  return {
    setClock: { summary: 'sets the clock', needed: { at: moment } },
    advanceClock: { summary: 'puts the clock forward', needed: { ms: number } },
    setLimits: {
      summary: `${limits}: ${windows.join(', ')}`,
      needed: { credential, limits: numbersFor(windows) },
    },
    exhaust: {
      summary: `refuses ${refused} until a time, or until restored`,
      needed: { credential },
      optional: { error, forMs: number, until: moment },
    },
    suspend: { summary: `refuses ${refused} until restored`, needed: { credential }, optional: { error } },
    restore: { summary: 'makes all well again', needed: { credential } },
    script: { summary: `what the next ${scripted} get, as wishes`, needed: { credential, answers: listOf(text) } },
    setSignIn: {
      summary: 'how the sign-in service behaves',
      optional: {
        deviceCode: orNull(text),
        userCode: orNull(text),
        account: orNull(text),
        interval: orNull(number),
        deviceExpiresIn: number,
        expiresIn: number,
        verificationUri: orNull(text),
        loginOmits: listOf(text),
        refreshOmits: listOf(text),
        refreshDelayMs: number,
        ...signIn,
      },
    },
    scriptPolls: {
      summary: `what polls get: ${polls.join(', ')}`,
      needed: { answers: listOf(oneOf(...polls)) },
      optional: { deviceCode: text },
    },
    scriptRefreshes: {
      summary: `what refreshes get: ${refreshes.join(', ')}`,
      needed: { answers: listOf(oneOf(...refreshes)) },
    },
    issueTokens: {
      summary: 'signs somebody in',
      needed: { account: text },
      optional: { expiresIn: number, accessToken: text, refreshToken: text },
    },
    expireToken: { summary: "ends a token's life", needed: { token: text } },
    reset: { summary: 'everything as it was at the start' },
  }
}
