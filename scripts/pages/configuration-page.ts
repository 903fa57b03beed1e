import { toJsonSchema } from '../../apps/gateway/src/config/json-schema.ts'
import type { JsonSchema } from '../../apps/gateway/src/config/json-schema.ts'
import { configurable } from '../../apps/gateway/src/config/schema.ts'
import { WELL_KNOWN } from '../../apps/gateway/src/config/well-known.ts'
import type { ProviderDefinition } from '../../packages/core/src/index.ts'

const INTRODUCTION = `# Configuration

Millrace starts without any: the built-in model \`demo/echo\` answers at once. What you want different goes into one YAML file,
[\`config/millrace.yaml\`](../config/millrace.yaml), which comes with every setting in it and an example for each common service.
Editors that know YAML schemas complete and check it as you type.

The smallest useful file:

\`\`\`yaml
providers:
  local:
    kind: openai
    baseUrl: http://127.0.0.1:11434/v1
\`\`\`

Clients then ask for \`local/llama3.2\`: the name of a provider, a slash, and a model in the provider's own words.

## Which file, and what wins

The file is the one named by \`--config\`, else by the environment variable \`MILLRACE_CONFIG\`, else \`config/millrace.yaml\` beside the gateway's
own code, wherever you start it from. A file that you name has to be there.

For host and port the command line (\`--host\`, \`--port\`) wins over the environment (\`HOST\`, \`PORT\`), and that over the file.

## Values from the environment

Secrets do not belong into the file. \`\${NAME}\` in a value is replaced by the environment variable \`NAME\`:

| written | gives |
|---|---|
| \`\${NAME}\` | the variable; that it is not set, or empty, is a mistake |
| \`\${NAME:-default}\` | the default when the variable is not set or empty |
| \`\${NAME:-}\` | no value then, as if the setting were not there |
| \`$\${NAME}\` | the text \`\${NAME}\` itself |

This happens in values only, and after the YAML has been read: whatever a variable holds, it stays one value and cannot become
structure. It takes the type that the setting wants, so \`port: \${MY_PORT}\` is a number. Within \`[…]\` and \`{…}\` YAML wants quotes around it:
\`["\${NAME}"]\`.

Times are whole numbers with a unit, \`250ms\`, \`5s\`, \`2m\`, \`1h\`, up to \`24h\`. Sizes are \`512B\`, \`64KiB\`, \`10MiB\`.

## When something is wrong

The gateway does not start with a configuration that is wrong anywhere. It lists every mistake, each with its setting and its line, says what
to do about it, and exits with code 78 before anything listens:

\`\`\`text
The configuration in config/millrace.yaml has 2 mistakes:
  server.prot (line 3, column 3): there is no such setting; did you mean \`port\`?
  providers.local.apiKey (line 9, column 5): the environment variable LOCAL_KEY is not set: set it, or write \`\${LOCAL_KEY:-}\` where it may be left out
\`\`\`

Some things are mistakes although they could work: listening where other machines can call without a key, keys short enough to be guessed,
\`http://\` to a host outside your own network, headers that the gateway sets itself.

## Settings
`

const ENVIRONMENT = `
## Environment variables

| variable | meaning |
|---|---|
| \`HOST\`, \`PORT\` | Where to listen; they win over \`server.host\` and \`server.port\`. |
| \`MILLRACE_CONFIG\` | The configuration file. \`--config\` wins over it. |
| \`MILLRACE_API_KEY\` | The key that clients need, where the file has no \`auth.keys\`. |
| \`MILLRACE_ADMIN_KEY\` | The key of the admin API, where the file has no \`admin.key\`. |
| \`MILLRACE_STATE_DIR\` | The folder for what outlives a restart; it wins over \`stateDir\`. |
| \`STREAM\` | \`false\` turns streaming off for every provider. |
| \`DEBUG_STREAMING\` | \`true\` shows every piece of every stream on standard error, with its time and with secrets masked. |

A variable that is empty counts as not set.

## Providers from well-known variables

As long as no provider is configured, each of these variables makes one, of kind \`openai\` where nothing else is said, with the variable as its
key. The gateway says at its start which it used. Any provider in the file ends this: then only what is in the file counts. But a provider of kind
\`qwen\` that says neither \`apiKey\` nor \`accounts\` nor \`baseUrl\` takes what it lacks from its variables.
`

/** `docs/configuration.md`, from the schema of the file and the descriptions in it. */
export function configurationPage(definitions: readonly ProviderDefinition[]): string {
  const { properties = {} } = toJsonSchema(definitions)
  const loose = Object.entries(properties).filter(([, setting]) => setting.properties === undefined)
  const sections = Object.entries(properties).filter(([, setting]) => setting.properties !== undefined)
  return [
    INTRODUCTION,
    table(loose.flatMap(([name, setting]) => rowsOf(name, setting, false))),
    ...sections.map(([name, { description = '', properties = {} }]) => section(`\`${name}\``, description, properties)),
    ...providerSections(definitions, properties['providers']),
    ENVIRONMENT,
    wellKnownTable(),
    '',
  ].join('\n')
}

function providerSections(definitions: readonly ProviderDefinition[], providers: JsonSchema | undefined): string[] {
  const provider = providers?.additionalProperties
  const variants = typeof provider === 'object' ? (provider.oneOf ?? []) : []
  const kinds = configurable(definitions).map(({ kind, config }, index) => {
    const all = Object.entries(variants[index]?.properties ?? {})
    const own = all.filter(([name]) => Object.hasOwn(config.shape, name))
    const common = all.filter(([name]) => !Object.hasOwn(config.shape, name))
    return {
      kind,
      own: Object.fromEntries(own),
      common: Object.fromEntries(common),
      required: variants[index]?.required,
    }
  })
  return [
    section('`providers.NAME`, of every kind', 'What a provider can have whatever its kind.', kinds[0]?.common ?? {}),
    ...kinds.map(({ kind, own, required }) =>
      section(`\`providers.NAME\` of kind \`${kind}\``, 'Beside the settings of every kind:', own, required),
    ),
  ]
}

function section(
  title: string,
  text: string,
  settings: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): string {
  const rows = Object.entries(settings).flatMap(([name, setting]) => rowsOf(name, setting, required.includes(name)))
  return `\n### ${title}\n\n${text}\n\n${table(rows)}`
}

type Row = readonly [name: string, type: string, fallback: string, meaning: string]

/** A row for a setting, or one for each of the settings within it. */
function rowsOf(name: string, setting: JsonSchema, isRequired: boolean): readonly Row[] {
  if (setting.properties !== undefined) {
    const { properties, required = [] } = setting
    return Object.entries(properties).flatMap(([inner, setting]) =>
      rowsOf(`${name}.${inner}`, setting, required.includes(inner)),
    )
  }
  const fallback = isRequired ? '*required*' : setting.default === undefined ? '' : code(setting.default)
  return [[`\`${name}\``, typeOf(setting), fallback, setting.description ?? '']]
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
  return ['| setting | type | default | meaning |', '|---|---|---|---|', ...lines].join('\n')
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'number',
  number: 'number',
  boolean: '`true` or `false`',
  object: 'mapping',
}

function typeOf({ title, type, items, enum: choices, const: only }: JsonSchema): string {
  if (title !== undefined) return title
  if (only !== undefined) return code(only)
  if (choices !== undefined) return choices.map(code).join(', ')
  if (type === 'array') return `list of ${items === undefined ? 'values' : typeOf(items)}`
  return TYPES[type ?? ''] ?? 'any value'
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function wellKnownTable(): string {
  const rows = WELL_KNOWN.map(({ variable, provider, kind, baseUrl, baseUrlVariable, isHost }) => {
    const moved = baseUrlVariable === undefined ? '' : `, or what \`${baseUrlVariable}\` says`
    const usual = baseUrl ?? `where keys of kind \`${kind}\` are good`
    const where = isHost ? 'the host that it names; there is no key' : `${usual}${moved}`
    return `| \`${variable}\` | \`${provider}\` | ${where} |`
  })
  return ['| variable | provider | where |', '|---|---|---|', ...rows].join('\n')
}
