import type { ProviderDefinition } from '@millrace/core'
import { z } from 'zod'
import { isMembers } from './plain-data.ts'
import { configSchema } from './schema.ts'

/** What is read here of a JSON Schema. */
export interface JsonSchema {
  readonly title?: string
  readonly description?: string
  readonly type?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly items?: JsonSchema
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly oneOf?: readonly JsonSchema[]
}

/** The configuration file as JSON Schema, of settings as they are once the environment is filled in. */
export function toJsonSchema(definitions: readonly ProviderDefinition[]): JsonSchema {
  return z.toJSONSchema(configSchema(definitions), { target: 'draft-07', io: 'input' }) as JsonSchema
}

/** The same for editors, which see the file before that: placeholders stand for values, and sections may be empty. */
export function toEditorSchema(definitions: readonly ProviderDefinition[]): unknown {
  return allowPlaceholders(toJsonSchema(definitions))
}

const placeholder = { type: 'string', pattern: '\\$\\{' }

/** What says something about the setting and nothing about its value. */
const ANNOTATIONS = new Set(['title', 'description', 'default'])

function allowPlaceholders(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(allowPlaceholders)
  if (!isMembers(schema)) return schema
  if (isRestricted(schema)) {
    const entries = Object.entries(schema)
    const annotations = entries.filter(([name]) => ANNOTATIONS.has(name))
    const rules = entries.filter(([name]) => !ANNOTATIONS.has(name))
    return { ...Object.fromEntries(annotations), anyOf: [Object.fromEntries(rules), placeholder] }
  }
  const members = Object.entries(schema).map(([name, value]) => {
    return [name, name === 'propertyNames' || name === 'default' ? value : allowPlaceholders(value)]
  })
  // A section with nothing in it, or nothing but comments, is null to YAML.
  const isOptionalSection = schema['type'] === 'object' && 'default' in schema
  return { ...Object.fromEntries(members), ...(isOptionalSection && { type: ['object', 'null'] }) }
}

/** Whether it is the schema of a single value that not every text satisfies, and not the one that tells kinds apart. */
function isRestricted(schema: Readonly<Record<string, unknown>>): boolean {
  if ('const' in schema) return false
  if (['boolean', 'integer', 'number'].includes(String(schema['type']))) return true
  return schema['type'] === 'string' && ['pattern', 'format', 'enum'].some(rule => rule in schema)
}
