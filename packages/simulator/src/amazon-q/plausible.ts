import type { Schema } from './conversation.ts'

/** Values for members whose names say what they are. */
const BY_NAME: readonly (readonly [name: RegExp, value: string])[] = [
  [/command|cmd|script/i, 'echo hello'],
  [/path|file|dir/i, 'README.md'],
  [/url|uri|link/i, 'https://example.com/'],
  [/city|location|place|town/i, 'Berlin'],
  [/pattern|query|search|keyword|regex/i, 'mill'],
]

type Maker = (schema: Schema, name: string) => unknown

/** Arguments that fit a schema: all members that it demands, none of the others. */
export function toPlausible(schema: Schema): unknown {
  return toValue(schema, '')
}

function toValue(schema: Schema, name: string): unknown {
  if (schema.default !== undefined) return schema.default
  if (schema.enum !== undefined) return schema.enum[0]
  const make = BY_TYPE.get([schema.type].flat()[0]) ?? toText
  return make(schema, name)
}

const BY_TYPE: ReadonlyMap<unknown, Maker> = new Map<unknown, Maker>([
  ['object', toObject],
  ['array', ({ items }, name) => (items === undefined ? [] : [toValue(items, name)])],
  ['number', toNumber],
  ['integer', toNumber],
  ['boolean', () => false],
  ['null', () => null],
])

function toObject({ properties = {}, required = [] }: Schema): object {
  return Object.fromEntries(required.map(member => [member, toValue(properties[member] ?? {}, member)]))
}

function toNumber({ minimum }: Schema): number {
  return typeof minimum === 'number' ? minimum : 1
}

function toText(_: Schema, name: string): string {
  return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? 'simulated'
}
