export type Path = readonly PropertyKey[]

/** Where something stands in the file; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface Mistake {
  /** The setting as it is written in the documentation, `providers.local.baseUrl`; empty for the file as a whole. */
  readonly path: string
  readonly position?: Position | undefined
  /** Where the value came from when it was not written there as it stands: `--port`, `PORT`, `${PORT}`. */
  readonly origin?: string | undefined
  /** What is wrong and what to do about it; never the value of a secret. */
  readonly message: string
}

/** A configuration that cannot be used: all that is wrong with it, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly Mistake[]

  /** @param file where the configuration was read, undefined where there is no file */
  constructor(file: string | undefined, mistakes: readonly Mistake[]) {
    const inOrder = mistakes.toSorted((a, b) => placeOf(a) - placeOf(b))
    const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
    super(
      `The configuration${file === undefined ? '' : ` in ${file}`} has ${count}:\n${inOrder.map(toLine).join('\n')}`,
    )
    this.mistakes = inOrder
  }
}

function placeOf({ position }: Mistake): number {
  return position === undefined ? 0 : position.line + position.column / 1e6
}

function toLine({ path, position, origin, message }: Mistake): string {
  const place = [
    ...(position === undefined ? [] : [`line ${position.line}, column ${position.column}`]),
    ...(origin === undefined ? [] : [`from ${origin}`]),
  ].join(', ')
  const where = path !== '' && place !== '' ? `${path} (${place})` : path + place
  return `  ${where}${where === '' ? '' : ': '}${message}`
}

/** `['providers', 'local', 'models', 0]` → `providers.local.models[0]`. */
export function toPathText(path: Path): string {
  const parts = path.map(part => {
    if (typeof part === 'number') return `[${part}]`
    const name = String(part)
    return /^[\w-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
  })
  return parts.join('').replace(/^\./, '')
}
