import { isObject } from '@millrace/core'

type Schema = Readonly<Record<string, unknown>>

/** Members whose value is a schema, a list of schemas, or schemas by name. */
const ONE = new Set(['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'])
const LIST = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

const NUMBERS = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
])
/** What says which schema it is, and nothing about values. */
const IDENTITIES = new Set(['$schema', '$id'])

/**
 * A JSON schema as Qwen takes it: types in lower case, limits as numbers, nothing that only names it. The same object
 * where nothing had to change.
 */
export function toPlainSchema(schema: Schema): Schema {
  let changed = false
  const members: [string, unknown][] = []
  for (const [name, value] of Object.entries(schema)) {
    const plain = IDENTITIES.has(name) ? undefined : toPlainMember(name, value)
    changed ||= plain !== value
    if (plain !== undefined) members.push([name, plain])
  }
  return changed ? Object.fromEntries(members) : schema
}

function toPlainMember(name: string, value: unknown): unknown {
  if (name === 'type') return toLowerCase(value)
  if (NUMBERS.has(name)) return typeof value === 'string' && isNumber(value) ? Number(value) : value
  if (ONE.has(name) && isObject(value)) return toPlainSchema(value)
  if ((LIST.has(name) || name === 'items') && Array.isArray(value)) {
    return mapChanged(value as readonly unknown[], item => (isObject(item) ? toPlainSchema(item) : item))
  }
  if (NAMED.has(name) && isObject(value)) {
    const entries = Object.entries(value)
    const plain = entries.map(([key, item]) => [key, isObject(item) ? toPlainSchema(item) : item] as const)
    return plain.some(([, item], at) => item !== entries[at]![1]) ? Object.fromEntries(plain) : value
  }
  return value
}

function toLowerCase(type: unknown): unknown {
  if (typeof type === 'string') return type.toLowerCase()
  return Array.isArray(type) ? mapChanged(type as readonly unknown[], toLowerCase) : type
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text))
}

/** The list with each item replaced; the same list where nothing is. */
export function mapChanged<Item>(list: readonly Item[], map: (item: Item, at: number) => Item): readonly Item[] {
  const mapped = list.map(map)
  return mapped.some((item, at) => item !== list[at]) ? mapped : list
}
