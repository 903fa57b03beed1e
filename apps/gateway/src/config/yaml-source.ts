import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Scalar } from 'yaml'
import { toPathText } from './config-error.ts'
import type { Mistake, Path, Position } from './config-error.ts'
import { fillIn, toScalar } from './placeholders.ts'
import type { Environment } from './placeholders.ts'

/** What is to be known of a value that was not written in the file as it stands. */
export interface Note {
  readonly origin: string
  /** Whether it did not come from the file at all. */
  readonly isOutside?: true
  /** How else the text can be read, where the schema refuses the first reading: `8080` as text, `"8080"` as a number. */
  readonly otherwise?: unknown
}

export interface YamlSource {
  /** Plain data with the environment filled in; members without a value are left out. */
  readonly value: unknown
  readonly mistakes: readonly Mistake[]
  /** By {@link toPathText}. */
  readonly notes: ReadonlyMap<string, Note>
  /** Of the setting, or of the nearest one around it that is in the file. */
  positionOf(path: Path): Position | undefined
}

const MAX_NODES = 10_000
const MAX_DEPTH = 32

/** Stands for a value that is empty, which is the same as no member at all. */
const ABSENT = Symbol('absent')

/** Reads YAML. Mistakes are collected; after one in the syntax `value` is undefined, as nothing in it can be trusted. */
export function parseYaml(text: string, env: Environment): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, uniqueKeys: false })
  const mistakes: Mistake[] = []
  const notes = new Map<string, Note>()
  const offsets = new Map<string, number>()
  let nodes = 0

  function toPosition(offset: number): Position {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }

  function positionOf(path: Path): Position | undefined {
    for (let length = path.length; length > 0; length--) {
      const offset = offsets.get(toPathText(path.slice(0, length)))
      if (offset !== undefined) return toPosition(offset)
    }
    return undefined
  }

  function report(path: Path, message: string): void {
    mistakes.push({ path: toPathText(path), position: positionOf(path), message })
  }

  function read(node: unknown, path: Path): unknown {
    // An alias can name what it stands in, or double what it names many times over.
    if (nodes++ === MAX_NODES) report([], `is larger than a configuration can be: over ${MAX_NODES} values`)
    if (nodes > MAX_NODES) return ABSENT
    if (path.length > MAX_DEPTH) {
      report(path.slice(0, 1), `is nested more than ${MAX_DEPTH} levels deep`)
      return ABSENT
    }
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target !== undefined) return read(target, path)
      report(path, 'stands for an anchor that is not there: put quotes around what shall begin with `*`')
      return ABSENT
    }
    if (isMap(node)) {
      const members = new Map<string, unknown>()
      for (const { key, value } of node.items) {
        const name = String(isScalar(key) ? key.value : key)
        const memberPath = [...path, name]
        const offset = isScalar(key) ? key.range?.[0] : undefined
        if (offset !== undefined) offsets.set(toPathText(memberPath), offset)
        if (members.has(name)) report(memberPath, 'stands here a second time: keep one of the two')
        else members.set(name, read(value, memberPath))
      }
      return Object.fromEntries([...members].filter(([, value]) => value !== ABSENT))
    }
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const itemPath = [...path, index]
        const offset = (item as { range?: [number] }).range?.[0]
        if (offset !== undefined) offsets.set(toPathText(itemPath), offset)
        const value = read(item, itemPath)
        return value === ABSENT ? '' : value
      })
    }
    return isScalar(node) ? readScalar(node, path) : ABSENT
  }

  function readScalar(scalar: Scalar, path: Path): unknown {
    if (scalar.value === null && scalar.source === '') return ABSENT
    if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return scalar.value
    const { text: filled, placeholders, isWhole, problems } = fillIn(scalar.value, env)
    for (const problem of problems) report(path, problem)
    if (problems.length > 0) return scalar.value
    const origin = placeholders.join(' and ')
    if (!isWhole) {
      if (origin !== '') notes.set(toPathText(path), { origin })
      return filled
    }
    const [first, otherwise] = scalar.type === 'PLAIN' ? [toScalar(filled), filled] : [filled, toScalar(filled)]
    const isAbsent = filled === ''
    notes.set(toPathText(path), isAbsent ? { origin } : { origin, otherwise })
    return isAbsent ? ABSENT : first
  }

  // After the first error in the syntax most others only follow from it.
  for (const { code, message, pos } of [...document.errors.slice(0, 1), ...document.warnings]) {
    const line = text.slice(text.lastIndexOf('\n', pos[0] - 1) + 1).split('\n', 1)[0] ?? ''
    const hint =
      code === 'MISSING_CHAR' && /[[{,]\s*\$\{/.test(line) ? '; put quotes around `${…}` within brackets' : ''
    // Behind a colon the parser repeats what it found, which may be a key.
    const words = code === 'MULTIPLE_DOCS' ? 'A second document begins here' : message.replace(/(?<! ): .*$/s, '')
    mistakes.push({ path: '', position: toPosition(pos[0]), message: `${words}${hint}` })
  }
  const value = document.errors.length > 0 ? undefined : read(document.contents, [])
  return { value: value === ABSENT ? {} : value, mistakes, notes, positionOf }
}
