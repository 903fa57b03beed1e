import { ACCOUNT_NAME, ACCOUNT_NAME_RULE } from '@millrace/accounts'
import type { ProviderDefinition } from '@millrace/core'
import { z } from 'zod'
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from './quantities.ts'

const DAY_MS = 24 * 3_600_000
const NO_DURATION = 'is no duration: write a whole number and its unit, as in `250ms`, `5s`, `2m` or `1h`'
const NO_SIZE = 'is no size: write a whole number and its unit, as in `512KiB` or `10MiB`'

const OUT_OF_RANGE = 'must be between `1ms` and `24h`'

/** A span of time that must be there. */
const duration = z
  .string({ error: ({ input }) => (input === 0 ? OUT_OF_RANGE : NO_DURATION) })
  .regex(DURATION_PATTERN, { error: NO_DURATION, abort: true })
  .refine(text => parseDuration(text) >= 1 && parseDuration(text) <= DAY_MS, OUT_OF_RANGE)
  .meta({ title: 'duration' })

/** A span of time, or `0`, which switches off or shortens to nothing what it is for. */
const durationOrZero = z
  .union(
    [
      z.literal(0, NO_DURATION),
      z
        .string(NO_DURATION)
        .regex(DURATION_PATTERN, { error: NO_DURATION, abort: true })
        .refine(text => parseDuration(text) <= DAY_MS, 'must be between `0` and `24h`'),
    ],
    NO_DURATION,
  )
  .meta({ title: 'duration or 0' })

const size = z
  .string(NO_SIZE)
  .regex(SIZE_PATTERN, { error: NO_SIZE, abort: true })
  .refine(text => parseSize(text) >= 1024 && parseSize(text) <= 1024 ** 3, 'must be between `1KiB` and `1024MiB`')
  .meta({ title: 'size' })

/** Where the gateway listens when nothing else is said. */
export const DEFAULT_ADDRESS = { host: '127.0.0.1', port: 8080 }

const server = z
  .strictObject({
    host: z
      .string()
      .regex(
        /^[\w.:%-]+$/,
        'must be an address or a name alone, without scheme, port or brackets: `127.0.0.1`, `0.0.0.0`, `::1`',
      )
      .default(DEFAULT_ADDRESS.host)
      .describe(
        'Address to listen on. `127.0.0.1` is for this machine only; `0.0.0.0` lets other machines in, and then `auth.keys` must hold a key. `HOST` and `--host` win over it.',
      ),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(DEFAULT_ADDRESS.port)
      .describe('Port to listen on; 0 lets the system choose. `PORT` and `--port` win over it.'),
    bodyLimit: size
      .default('10MiB')
      .describe('The largest request body that is read, `1KiB` to `1024MiB`. Larger ones are answered with 413.'),
    drain: z
      .strictObject({
        delay: durationOrZero
          .default('5s')
          .describe('How long requests are still accepted after the signal to stop, while `/readyz` already says 503.'),
        timeout: duration
          .default('120s')
          .describe(
            'How long requests that are running may then take to finish. Streams that are not done get an error event.',
          ),
      })
      .prefault({})
      .describe('What happens on SIGTERM and SIGINT.'),
  })
  .prefault({})
  .describe('Where the gateway listens.')

const namedKey = z.strictObject({
  name: z.string().regex(ACCOUNT_NAME).describe(`Whose key it is: ${ACCOUNT_NAME_RULE}`),
  key: z.string(),
})

const clientKey = z
  .union([z.string(), namedKey], {
    error: ({ input }) => {
      if (typeof input === 'number' || typeof input === 'boolean') return 'must be text: put quotes around it'
      return `must be a key, or \`{ name: …, key: … }\`; for the name ${ACCOUNT_NAME_RULE}`
    },
  })
  .meta({ title: 'text or `{ name, key }`' })

const auth = z
  .strictObject({
    keys: z
      .array(clientKey)
      .default([])
      .describe(
        'The keys that clients may use, each of at least 16 characters; empty entries are ignored. A key with a name, `{ name, key }`, has it in the log, and is served by the accounts whose `owner` it is. Without any key the gateway is open, and only listens where other machines cannot reach it. When the setting is not in the file, the key in `MILLRACE_API_KEY` is used.',
      ),
  })
  .prefault({})
  .describe('Who may call.')

const admin = z
  .strictObject({
    key: z
      .string()
      .optional()
      .describe(
        'The key of the admin API, of at least 32 characters, and none of `auth.keys`. Without it there is no admin API. When the setting is not in the file, the key in `MILLRACE_ADMIN_KEY` is used.',
      ),
  })
  .prefault({})
  .describe('Who may look after the accounts of providers, under `/admin`.')

const timeouts = z
  .strictObject({
    connect: duration.default('5s').describe('To find the host and open a connection: `connect_timeout`.'),
    firstByte: duration
      .default('120s')
      .describe(
        'From the request sent to the first byte of the answer: `first_byte_timeout`. A whole answer begins when it is finished, and may take five times as long.',
      ),
    idle: duration.default('60s').describe('Silence in the middle of an answer: `idle_timeout`.'),
    total: duration.default('1h').describe('The whole answer: `total_timeout`.'),
  })
  .prefault({})
  .describe('How long to wait for the upstream. Each limit has an error code of its own.')

const model = z.string().min(1).max(512)

/** What every provider has, of whatever kind. Their names are taken: no kind has members of the same name. */
const common = {
  streaming: z
    .boolean()
    .default(true)
    .describe(
      'With `false` the provider answers every client with one complete JSON answer, also those that ask for a stream.',
    ),
  defaultModel: model
    .optional()
    .describe('The model that answers when a client names the provider alone, as in `model: local`.'),
  models: z
    .array(model)
    .min(1)
    .optional()
    .describe('The models of this provider. Left out, the upstream is asked for its list.'),
  timeouts,
}

type ProviderSchema = z.ZodObject<typeof common & { kind: z.ZodLiteral<string> }, z.core.$strict>

/** The schema of a provider: the members of its kind, then those that all have. */
function providerSchema(definition: ProviderDefinition): ProviderSchema {
  const members = { ...definition.config.shape, ...common }
  return z.strictObject(members).describe(`A provider of the kind \`${definition.kind}\`.`) as unknown as ProviderSchema
}

const PROVIDER_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** The kinds that can be configured: all but the demo, which is there without. */
export function configurable(definitions: readonly ProviderDefinition[]): readonly ProviderDefinition[] {
  return definitions.filter(({ kind }) => kind !== 'demo')
}

/** The schema of the configuration file, for the kinds of providers that `definitions` names. */
export function configSchema(definitions: readonly ProviderDefinition[]) {
  const kinds = configurable(definitions).map(providerSchema)
  return z
    .strictObject({
      server,
      auth,
      admin,
      stateDir: z
        .string()
        .min(1)
        .default('~/.millrace')
        .describe(
          'The folder for what outlives a restart: the states of accounts (`accounts.json`), and the sign-ins that `millrace login` makes. It belongs to one gateway: several would overwrite what the others write there. `MILLRACE_STATE_DIR` wins over it.',
        ),
      defaultProvider: z
        .string()
        .min(1)
        .optional()
        .describe('The provider that serves models whose name does not begin with the name of a provider.'),
      aliases: z
        .record(model, model)
        .optional()
        .describe(
          'Other names for models, each with the model that it stands for, as in `claude-sonnet-5: qwen/qwen3-coder-plus`. They are listed with all models, and win over the names of providers. Claude Code offers those that hold `claude`.',
        ),
      providers: z
        .record(
          z
            .string()
            .regex(
              PROVIDER_NAME,
              'is no name for a provider: use 1 to 63 of `a-z`, `0-9`, `.`, `_` and `-`, the first a letter or digit',
            ),
          z.discriminatedUnion('kind', kinds as [ProviderSchema, ...ProviderSchema[]]),
        )
        .default({})
        .describe(
          'The services that answer, each under the name by which clients choose it: `model: NAME/MODEL`. Names are of lower-case letters, digits, `.`, `_` and `-`.',
        ),
      stream: z
        .strictObject({
          commitAfter: durationOrZero
            .default('15s')
            .describe(
              'How long to wait for the first piece of an answer before the client is told 200. Until then a failure still has its own status. `0`: wait for as long as it takes.',
            ),
          heartbeat: durationOrZero
            .default('15s')
            .describe(
              'A stream gets a comment after so much silence, so that nothing in between closes it. `0`: never.',
            ),
          stall: duration
            .default('60s')
            .describe('A stream ends with `client_stall` when its client reads nothing for so long.'),
        })
        .prefault({})
        .describe('How answers are streamed to clients.'),
      demo: z
        .boolean()
        .default(true)
        .describe('The built-in provider `demo`, which answers without any account. Off, its name is free for yours.'),
      log: z
        .strictObject({
          level: z
            .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
            .default('info')
            .describe('The least important lines that are written.'),
        })
        .prefault({})
        .describe('What is written to standard output.'),
    })
    .describe('Configuration of the Millrace gateway.')
}

/** The contents of a configuration file that has passed its schema. */
export type ConfigFile = z.output<ReturnType<typeof configSchema>>
