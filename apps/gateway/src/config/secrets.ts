import type { Config } from './config.ts'

/** The members of a provider that hold secrets, whatever its kind: text, or a mapping whose values are text. */
const SECRET_MEMBERS = ['apiKey', 'headers'] as const

/** What is shorter is no secret (`ollama`, a team's name), and masking it would make a log unreadable. */
const MIN_LENGTH = 8

/** Every secret in the configuration, each once, the longest first, so that none is left half masked by another. */
export function secretsOf({ auth, providers }: Config): readonly string[] {
  const secrets = new Set(auth.keys)
  for (const { settings } of providers.values()) {
    for (const member of SECRET_MEMBERS) {
      const value = settings[member]
      const values = typeof value === 'object' && value !== null ? Object.values(value) : [value]
      for (const secret of values) if (typeof secret === 'string') secrets.add(secret)
    }
  }
  return [...secrets].filter(secret => secret.length >= MIN_LENGTH).toSorted((a, b) => b.length - a.length)
}
