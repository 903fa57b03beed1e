export type Environment = Readonly<Record<string, string | undefined>>

export interface Filled {
  readonly text: string
  /** The placeholders that were filled in, as they stand in the text. */
  readonly placeholders: readonly string[]
  /** Whether the text was one placeholder and nothing else. */
  readonly isWhole: boolean
  readonly problems: readonly string[]
}

const PLACEHOLDER = /\$\$\{|\$\{([A-Za-z_]\w*)(?::-([^{}]*))?\}|\$\{/g

/**
 * `text` with `${NAME}` and `${NAME:-default}` filled in from the environment, and `$${` made a plain `${`. A variable
 * that is empty counts as one that is not set. What was filled in is not looked at again.
 */
export function fillIn(text: string, env: Environment): Filled {
  const placeholders: string[] = []
  const problems: string[] = []
  const filled = text.replaceAll(PLACEHOLDER, (found, name?: string, fallback?: string) => {
    if (found === '$${') return '${'
    if (name === undefined) {
      problems.push(
        'has a `${` that begins no placeholder: write `${NAME}`, `${NAME:-default}`, or `$${` for a plain `${`',
      )
      return ''
    }
    placeholders.push(`\${${name}}`)
    // By its own name only: every object has members that it did not make.
    const given = Object.hasOwn(env, name) ? env[name] : undefined
    const value = given || fallback
    if (value === undefined) {
      const state = given === '' ? 'empty' : 'not set'
      problems.push(
        `the environment variable ${name} is ${state}: set it, or write \`\${${name}:-}\` where it may be left out`,
      )
    }
    return value ?? ''
  })
  const isWhole = placeholders.length === 1 && new RegExp(`^(?:${PLACEHOLDER.source})$`).test(text)
  return { text: filled, placeholders, isWhole, problems }
}

/** A number or a truth value where YAML would read the text as one, else the text. */
export function toScalar(text: string): string | number | boolean {
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  return /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : text
}
