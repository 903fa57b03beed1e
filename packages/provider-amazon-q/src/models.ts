/** What is served wherever no list is to be had. */
export const KNOWN_MODELS: readonly string[] = ['claude-sonnet-4', 'claude-3.7-sonnet']

/** The window of a model that no rule knows, and of the one that the service chooses. */
const ORDINARY_WINDOW = 200_000

/** Tokens that models take, by the beginning of their name; the first that fits counts. */
const WINDOWS: readonly (readonly [RegExp, number])[] = [
  [/^claude-(?:sonnet|opus)-(?:4\.[678]|5)|-1m$/, 1_000_000],
  [/^gpt-5/, 272_000],
  [/^qwen3-coder/, 256_000],
  [/^deepseek-/, 128_000],
]

/** How many tokens a model takes; undefined for `auto`, which stands for now this model and now that. */
export function contextWindowOf(model: string): number | undefined {
  if (model === 'auto') return undefined
  return WINDOWS.find(([name]) => name.test(model))?.[1] ?? ORDINARY_WINDOW
}

/** Spellings of other services → that of this one; each is applied. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  // A day behind a name.
  [/^(claude-.*)-20\d{6}$/, '$1'],
  // Two numbers with a dash between them: `claude-sonnet-4-5`.
  [/^(claude-.*\d)-(\d)(?=-|$)/, '$1.$2'],
  [/^claude-sonnet-3\.7$/, 'claude-3.7-sonnet'],
  [/^claude-4(\.\d)?-(sonnet|opus|haiku)$/, 'claude-$2-4$1'],
]

/** The service's name for a model that clients may spell as other services do; undefined where it is to choose. */
export function toModelId(model: string): string | undefined {
  const id = SPELLINGS.reduce((name, [spelling, replacement]) => name.replace(spelling, replacement), model)
  return id === '' ? undefined : id
}
