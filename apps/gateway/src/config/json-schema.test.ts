import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { DEFINITIONS } from '../providers.ts'
import { toEditorSchema, toJsonSchema } from './json-schema.ts'
import { SAMPLES } from './sample-providers.ts'

const folder = new URL('../../../../config/', import.meta.url)
const toSchema = (schema: unknown) => z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
const editor = toSchema(toEditorSchema(SAMPLES))
const provider = { kind: 'openai', baseUrl: 'https://a.example/v1' }

test.each([
  ['nothing', {}],
  ['sections without anything in them', { server: null, providers: null }],
  ['a provider', { providers: { a: provider } }],
  [
    'placeholders for numbers, switches, choices and URLs',
    {
      server: { port: '${A}', bodyLimit: '${B:-1MiB}' },
      demo: '${C}',
      log: { level: '${D}' },
      stream: { heartbeat: '${E}', commitAfter: 0 },
      providers: { a: { ...provider, baseUrl: 'http://${F}/v1', stop: '${G}' } },
    },
  ],
])('an editor accepts %s', (_, file) => {
  expect(editor.safeParse(file).error).toBeUndefined()
})

test.each([
  ['an unknown setting', { sever: {} }],
  ['an unknown setting of a provider', { providers: { a: { ...provider, base_url: 'x' } } }],
  ['a number that is none', { server: { port: 'eighty' } }],
  ['a duration without a unit', { stream: { stall: '60' } }],
  ['a provider without a URL', { providers: { a: { kind: 'openai' } } }],
  ['an unknown kind', { providers: { a: { kind: 'other' } } }],
  ['the demo as a kind', { providers: { a: { kind: 'demo' } } }],
])('an editor refuses %s', (_, file) => {
  expect(editor.safeParse(file).success).toBe(false)
})

test('the schema file accepts the example file', async () => {
  const schema = JSON.parse(await readFile(new URL('millrace.schema.json', folder), 'utf8')) as unknown
  const example: unknown = parse(await readFile(new URL('millrace.yaml', folder), 'utf8'))
  expect(toSchema(schema).safeParse(example).error).toBeUndefined()
})

test('every setting that we define has a description, and the example file shows each', async () => {
  const example = await readFile(new URL('millrace.yaml', folder), 'utf8')
  const found: { name: string; description: string | undefined }[] = []
  const visit = ({ properties = {}, additionalProperties, oneOf = [] }: ReturnType<typeof toJsonSchema>): void => {
    for (const [name, setting] of Object.entries(properties)) {
      found.push({ name, description: setting.const === undefined ? setting.description : 'the kind' })
      visit(setting)
    }
    if (typeof additionalProperties === 'object') visit(additionalProperties)
    for (const variant of oneOf) visit(variant)
  }
  visit(toJsonSchema(DEFINITIONS))
  expect(found.filter(({ description }) => description === undefined)).toEqual([])
  expect(found.filter(({ name }) => !new RegExp(`^[ #]*${name}:`, 'm').test(example))).toEqual([])
})
