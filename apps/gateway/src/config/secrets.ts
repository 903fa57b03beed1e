import type { Config } from './config.ts'

/** Members that hold secrets, wherever in a provider's settings they stand: text, or a mapping whose values are text. */
const SECRET_MEMBERS: ReadonlySet<string> = new Set([
  'apiKey',
  'accessToken',
  'secretAccessKey',
  'sessionToken',
  'headers',
])

/** What is shorter is no secret (`ollama`, a team's name), and masking it would make a log unreadable. */
const MIN_LENGTH = 8

/** Every secret in the configuration, each once, the longest first, so that none is left half masked by another. */
export function secretsOf({ auth, adminKey, providers }: Config): readonly string[] {
  const secrets = new Set(auth.keys.map(({ key }) => key))
  if (adminKey !== undefined) secrets.add(adminKey)
  for (const { settings } of providers.values()) for (const secret of secretsIn(settings)) secrets.add(secret)
  return [...secrets].filter(secret => secret.length >= MIN_LENGTH).toSorted((a, b) => b.length - a.length)
}

function* secretsIn(value: unknown, isSecret = false): Generator<string> {
  if (typeof value === 'string' && isSecret) yield value
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) yield* secretsIn(member, isSecret || SECRET_MEMBERS.has(name))
}
