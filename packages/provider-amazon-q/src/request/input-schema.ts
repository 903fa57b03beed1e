import { isObject, type JsonObject } from '@millrace/core'

/** What the service takes nowhere in a schema. */
const REFUSED: ReadonlySet<string> = new Set(['$schema', 'additionalProperties'])
/** What some of its models do not take, either: all that only narrows down which values are good. */
const NARROWING =
  'pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems ' +
  'uniqueItems contains minContains maxContains minProperties maxProperties patternProperties propertyNames if then ' +
  'else dependencies dependentRequired dependentSchemas unevaluatedItems unevaluatedProperties'
const REFUSED_BY_SOME: ReadonlySet<string> = new Set([...REFUSED, ...NARROWING.split(' ')])
/** Members that hold schemas under names of the client's. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
/** Members that hold values, whatever these look like. */
const VALUES = new Set(['enum', 'const', 'default', 'examples'])

/**
 * The schema of a tool's parameters as the service takes it: an object at its root, without `$schema`,
 * `additionalProperties` and empty `required`. Alternatives at the root become one object: it has the properties of all,
 * and those are required that are so whichever is chosen.
 * @param isBare leaves out what only some models refuse as well
 */
export function toInputSchema(parameters: unknown, isBare = false): JsonObject {
  const plain = isObject(parameters) ? toPlain(parameters, isBare ? REFUSED_BY_SOME : REFUSED) : {}
  const root = toFlat(plain, plain, new Set())
  return { ...root, type: 'object', properties: root['properties'] ?? {} }
}

function toPlain(schema: JsonObject, refused: ReadonlySet<string>): JsonObject {
  const members: [string, unknown][] = []
  for (const [name, value] of Object.entries(schema)) {
    if (refused.has(name)) continue
    if (name === 'required' && !(Array.isArray(value) && value.length > 0)) continue
    members.push([name, toPlainMember(name, value, refused)])
  }
  return Object.fromEntries(members)
}

function toPlainMember(name: string, value: unknown, refused: ReadonlySet<string>): unknown {
  const toPlainPart = (part: unknown): unknown => (isObject(part) ? toPlain(part, refused) : part)
  if (VALUES.has(name)) return value
  if (NAMED.has(name)) {
    const schemas = Object.entries(isObject(value) ? value : {})
    return Object.fromEntries(schemas.map(([key, schema]) => [key, toPlainPart(schema)]))
  }
  return Array.isArray(value) ? value.map(toPlainPart) : toPlainPart(value)
}

/** An object schema without `$ref`, `allOf`, `anyOf` and `oneOf` of its own. `seen` has the references followed so far. */
function toFlat(schema: JsonObject, root: JsonObject, seen: Set<string>): JsonObject {
  const { $ref: reference, allOf, anyOf, oneOf, ...own } = schema
  const together = [...targetsOf(reference, root, seen), ...schemasIn(allOf)].map(part => toFlat(part, root, seen))
  const alternatives = [...schemasIn(anyOf), ...schemasIn(oneOf)].map(part => toFlat(part, root, seen))
  if (together.length === 0 && alternatives.length === 0) return own
  const required = new Set([own, ...together].flatMap(({ required }) => (required as readonly unknown[]) ?? []))
  return {
    ...own,
    properties: mergeProperties([own, ...together, ...alternatives]),
    ...(required.size > 0 ? { required: [...required] } : undefined),
  }
}

/** What a reference within the schema points to; nothing the second time, so that circles end. */
function targetsOf(reference: unknown, root: JsonObject, seen: Set<string>): JsonObject[] {
  if (typeof reference !== 'string' || !reference.startsWith('#/') || seen.has(reference)) return []
  seen.add(reference)
  const steps = reference.slice(2).split('/')
  const target = steps.reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), root)
  return isObject(target) ? [target] : []
}

function schemasIn(list: unknown): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

/** All properties of the schemas; one that several have may be what any of them says. */
function mergeProperties(schemas: readonly JsonObject[]): JsonObject {
  const merged = new Map<string, Map<string, unknown>>()
  for (const { properties } of schemas) {
    for (const [name, schema] of Object.entries(isObject(properties) ? properties : {})) {
      const known = merged.get(name) ?? new Map<string, unknown>()
      merged.set(name, known.set(JSON.stringify(schema), schema))
    }
  }
  return Object.fromEntries(
    [...merged].map(([name, known]) => {
      const [only, ...others] = known.values()
      return [name, others.length === 0 ? only : { anyOf: [only, ...others] }]
    }),
  )
}
