import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFINITIONS } from '../providers.ts'
import { ConfigError } from './config-error.ts'
import type { Mistake } from './config-error.ts'
import type { Config } from './config.ts'
import { readConfig } from './read-config.ts'
import type { ConfigInput } from './read-config.ts'
import { SAMPLES } from './sample-providers.ts'

const example = new URL('../../../../config/millrace.yaml', import.meta.url)
const KEY = 'client-key-0123456789'
const ADMIN_KEY = 'admin-key-0123456789-0123456789-0123456789'
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-config-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What is read from a file of that text. */
async function read(text: string, input: Partial<ConfigInput> = {}) {
  const file = join(folder, 'gateway.yaml')
  await writeFile(file, text)
  return readConfig({ file, env: {}, definitions: SAMPLES, ...input })
}

/** What is wrong with it; nothing where nothing is. */
async function mistakesIn(reading: Promise<unknown>): Promise<readonly Mistake[]> {
  try {
    await reading
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.mistakes
  }
}

/** A file with one provider that has these members beside the necessary ones. */
function local(members: string): string {
  return `providers:\n  local: { kind: openai, baseUrl: 'https://a.example/v1', ${members} }`
}

async function portOf(input: Omit<ConfigInput, 'definitions'>): Promise<number> {
  return (await readConfig({ ...input, definitions: DEFINITIONS })).config.server.port
}

const DEFAULTS: Config = {
  server: { host: '127.0.0.1', port: 8080, bodyLimitBytes: 10_485_760, drain: { delayMs: 5000, timeoutMs: 120_000 } },
  auth: { keys: [] },
  stateDir: join(homedir(), '.millrace'),
  providers: new Map(),
  stream: { commitAfterMs: 15_000, heartbeatMs: 15_000, stallMs: 60_000 },
  demo: true,
  streaming: true,
  log: { level: 'info' },
}

describe('what is read', () => {
  test('an empty file gives the defaults', async () => {
    expect((await read('')).config).toEqual(DEFAULTS)
  })

  test('everything that can be set', async () => {
    const { config } = await read(`
server: { host: 0.0.0.0, port: 9000, bodyLimit: 64KiB, drain: { delay: 0, timeout: 1m } }
auth: { keys: ["${KEY}", "", { name: alice, key: key-of-alice-0123456789 }] }
admin: { key: ${ADMIN_KEY} }
stateDir: /var/lib/millrace/
defaultProvider: local
aliases: { claude-sonnet-5: local/a, demo-echo: demo }
providers:
  local:
    kind: openai
    baseUrl: http://127.0.0.1:11434/v1
    apiKey: test-key
    streaming: false
    defaultModel: llama3
    models: [llama3, qwen3]
    headers: { x-team: a }
    timeouts: { connect: 250ms, total: 24h }
    request: { set: { seed: 7, stop: null } }
  other: { kind: anthropic, apiKey: test-key }
stream: { commitAfter: 0, heartbeat: 0s, stall: 5m }
demo: false
log: { level: debug }
`)
    expect(config).toEqual({
      server: { host: '0.0.0.0', port: 9000, bodyLimitBytes: 65_536, drain: { delayMs: 0, timeoutMs: 60_000 } },
      auth: { keys: [{ key: KEY }, { name: 'alice', key: 'key-of-alice-0123456789' }] },
      adminKey: ADMIN_KEY,
      stateDir: '/var/lib/millrace',
      defaultProvider: 'local',
      aliases: new Map([
        ['claude-sonnet-5', 'local/a'],
        ['demo-echo', 'demo'],
      ]),
      providers: new Map([
        [
          'local',
          {
            kind: 'openai',
            streaming: false,
            defaultModel: 'llama3',
            models: ['llama3', 'qwen3'],
            timeouts: { connect: 250, firstByte: 120_000, idle: 60_000, total: 86_400_000 },
            settings: {
              kind: 'openai',
              baseUrl: 'http://127.0.0.1:11434/v1',
              apiKey: 'test-key',
              headers: { 'x-team': 'a' },
              stop: 'upstream',
              request: { set: { seed: 7, stop: null } },
            },
          },
        ],
        [
          'other',
          {
            kind: 'anthropic',
            streaming: true,
            timeouts: { connect: 5000, firstByte: 120_000, idle: 60_000, total: 3_600_000 },
            settings: { kind: 'anthropic', apiKey: 'test-key' },
          },
        ],
      ]),
      stream: { commitAfterMs: 0, heartbeatMs: 0, stallMs: 300_000 },
      demo: false,
      streaming: true,
      log: { level: 'debug' },
    } satisfies Config)
  })

  test('what a definition makes of its settings can be parsed again and stays as it is', async () => {
    const { config } = await read(local('request: { set: { a: [1, { b: null }] } }'))
    const settings = config.providers.get('local')?.settings
    expect(SAMPLES[0].config.parse(settings)).toEqual(settings)
  })

  test.each([
    ['server: { port: "${N}" }', { N: '90' }, { server: { port: 90 } }],
    ['server:\n  port: ${N}', { N: '90' }, { server: { port: 90 } }],
    ['server:\n  port: ${N:-}', {}, { server: { port: 8080 } }],
    ['demo: ${B}', { B: 'false' }, { demo: false }],
    ['demo: "${B}"', { B: 'false' }, { demo: false }],
    ['stream:\n  heartbeat: ${H}', { H: '0' }, { stream: { heartbeatMs: 0 } }],
    ['stream:\n  heartbeat: "${H}"', { H: '0' }, { stream: { heartbeatMs: 0 } }],
    ['stream:\n  stall: ${H}s', { H: '7' }, { stream: { stallMs: 7000 } }],
    [
      'auth:\n  keys:\n    - ${K}\n    - ${L:-}',
      { K: '12345678901234567890' },
      { auth: { keys: [{ key: '12345678901234567890' }] } },
    ],
    ['auth: { keys: ["a$${b}-0123456789"] }', {}, { auth: { keys: [{ key: 'a${b}-0123456789' }] } }],
  ])('%j takes values from the environment in the type that is wanted', async (text, env, expected) => {
    expect((await read(text, { env })).config).toMatchObject(expected)
  })

  test('settings without a fixed type take values as YAML would', async () => {
    const text = `
providers:
  local:
    kind: openai
    baseUrl: https://a.example/v1
    request: { set: { name: "\${T}" } }
  plain:
    kind: openai
    baseUrl: https://a.example/v1
    request:
      set:
        temperature: \${T}
`
    const { config } = await read(text, { env: { T: '0.5' } })
    expect(config.providers.get('local')?.settings['request']).toEqual({ set: { name: '0.5' } })
    expect(config.providers.get('plain')?.settings['request']).toEqual({ set: { temperature: 0.5 } })
  })
})

describe('what wins', () => {
  const text = 'server: { host: "::1", port: 1000 }'

  test.each([
    ['the file', {}, { host: '::1', port: 1000 }],
    ['the environment over the file', { env: { HOST: 'localhost', PORT: '2000' } }, { host: 'localhost', port: 2000 }],
    [
      'the command line over both',
      { env: { HOST: 'localhost', PORT: '2000' }, host: '127.0.0.2', port: '0' },
      { host: '127.0.0.2', port: 0 },
    ],
    ['nothing that is empty', { env: { HOST: '', PORT: '' } }, { host: '::1', port: 1000 }],
  ])('%s', async (_, input, server) => {
    expect((await read(text, input)).config.server).toMatchObject(server)
  })

  test('the key in MILLRACE_API_KEY counts where the file says nothing of keys', async () => {
    const env = { MILLRACE_API_KEY: KEY }
    expect((await read('', { env })).config.auth.keys).toEqual([{ key: KEY }])
    expect((await read('auth: {}', { env })).config.auth.keys).toEqual([{ key: KEY }])
    expect((await read('auth: { keys: [] }', { env })).config.auth.keys).toEqual([])
  })

  test('MILLRACE_ADMIN_KEY counts where the file says nothing of it, MILLRACE_STATE_DIR always', async () => {
    const env = { MILLRACE_ADMIN_KEY: ADMIN_KEY, MILLRACE_STATE_DIR: '~/states' }
    const other = ADMIN_KEY.replace('admin', 'other')
    expect((await read('', { env })).config).toMatchObject({ adminKey: ADMIN_KEY, stateDir: join(homedir(), 'states') })
    expect((await read(`admin: { key: ${other} }`, { env })).config.adminKey).toBe(other)
    expect((await read('stateDir: /tmp/x', { env })).config.stateDir).toBe(join(homedir(), 'states'))
    expect((await read('admin: { key: "${NONE:-}" }')).config.adminKey).toBeUndefined()
  })

  test.each([
    ['false', false],
    ['FALSE', false],
    ['0', false],
    ['true', true],
    ['', true],
  ])('STREAM=%s', async (STREAM, streaming) => {
    const text = `${local('streaming: true')}\n  quiet: { kind: anthropic, apiKey: k, streaming: false }\n`
    const { config } = await read(text, { env: { STREAM } })
    expect(config.streaming).toBe(streaming)
    expect(config.providers.get('local')?.streaming).toBe(streaming)
    expect(config.providers.get('quiet')?.streaming).toBe(false)
  })

  test('--config over MILLRACE_CONFIG over the file that comes with the gateway', async () => {
    const [a, b] = [join(folder, 'a.yaml'), join(folder, 'b.yaml')]
    await Promise.all([writeFile(a, 'server: { port: 1 }'), writeFile(b, 'server: { port: 2 }')])
    expect(await portOf({ file: a, env: { MILLRACE_CONFIG: b } })).toBe(1)
    expect(await portOf({ env: { MILLRACE_CONFIG: b } })).toBe(2)
    expect(await portOf({ env: { MILLRACE_CONFIG: '' } })).toBe(8080)
  })
})

describe('well-known variables', () => {
  const env = { OPENAI_API_KEY: 'test-key', OLLAMA_HOST: '0.0.0.0' }

  test.each(['', 'providers:\n', 'providers: {}\n'])('make providers as long as there is none: %j', async text => {
    const { config, source } = await read(text, { env })
    expect([...config.providers.keys()]).toEqual(['openai', 'ollama'])
    expect(config.providers.get('openai')).toMatchObject({
      kind: 'openai',
      streaming: true,
      timeouts: { connect: 5000 },
      settings: { baseUrl: 'https://api.openai.com/v1', apiKey: 'test-key', stop: 'upstream' },
    })
    expect(source.found).toEqual([
      { provider: 'openai', variable: 'OPENAI_API_KEY', baseUrl: 'https://api.openai.com/v1' },
      { provider: 'ollama', variable: 'OLLAMA_HOST', baseUrl: 'http://127.0.0.1:11434/v1' },
    ])
  })

  test.each([
    [{}, undefined],
    [{ DASHSCOPE_BASE_URL: 'https://qwen.example/v1' }, 'https://qwen.example/v1'],
  ])('DASHSCOPE_API_KEY makes the provider qwen: %j', async (more, baseUrl) => {
    const env = { DASHSCOPE_API_KEY: 'sk-test', ...more }
    const { config, source } = await read('', { env, definitions: DEFINITIONS })
    expect(config.providers.get('qwen')).toMatchObject({ kind: 'qwen', settings: { apiKey: 'sk-test' } })
    expect(config.providers.get('qwen')?.settings['baseUrl']).toBe(baseUrl)
    expect(source.found).toEqual([{ provider: 'qwen', variable: 'DASHSCOPE_API_KEY', baseUrl }])
  })

  test('DASHSCOPE_API_KEY is the key of configured providers of kind qwen that lack one, and of no other', async () => {
    const text = `providers:
  a: { kind: qwen, region: beijing }
  b: { kind: qwen, apiKey: sk-own }
  c: { kind: openai, baseUrl: 'https://c.example/v1' }
`
    const env = { DASHSCOPE_API_KEY: 'sk-test', OPENAI_API_KEY: 'test-key' }
    const { config, source } = await read(text, { env, definitions: DEFINITIONS })
    const keys = Array.from(config.providers.values(), ({ settings }) => settings['apiKey'])
    expect(keys).toEqual(['sk-test', 'sk-own', undefined])
    expect(config.providers.get('a')?.settings['region']).toBe('beijing')
    expect(source.found).toMatchObject([{ provider: 'a', variable: 'DASHSCOPE_API_KEY' }])
    const elsewhere = read('providers: { q: { kind: qwen, baseUrl: "https://q.example/v1" } }', {
      env,
      definitions: DEFINITIONS,
    })
    expect(await mistakesIn(elsewhere)).toMatchObject([{ path: 'providers.q.apiKey' }])
  })

  test('make none beside a configured one', async () => {
    const { config, source } = await read(local(''), { env })
    expect([...config.providers.keys()]).toEqual(['local'])
    expect(source.found).toEqual([])
  })

  test('can be named as the default provider', async () => {
    expect((await read('defaultProvider: ollama', { env })).config.defaultProvider).toBe('ollama')
  })

  test('are left alone where they lead to this gateway itself', async () => {
    const client = { OPENAI_API_KEY: 'test-key', OPENAI_BASE_URL: 'http://localhost:8080/v1' }
    expect((await read('', { env: client })).source.found).toEqual([])
    expect((await read('', { env: client, port: '8081' })).source.found).toHaveLength(1)
  })

  test.each([
    [
      { OPENAI_API_KEY: 'test-key', OPENAI_BASE_URL: 'http://a.example/v1' },
      'providers.openai.baseUrl',
      'OPENAI_BASE_URL',
      'unencrypted',
    ],
    [
      { OPENAI_API_KEY: 'test-key', OPENAI_BASE_URL: 'nonsense' },
      'providers.openai.baseUrl',
      'OPENAI_BASE_URL',
      'must be a URL',
    ],
    [{ GROQ_API_KEY: 'test key' }, 'providers.groq.apiKey', 'GROQ_API_KEY', 'visible ASCII'],
    [{ OLLAMA_HOST: 'a b' }, 'providers.ollama.baseUrl', 'OLLAMA_HOST', 'must be a URL'],
  ])('are checked like the file: %j', async (env, path, origin, message) => {
    expect(await mistakesIn(read('', { env }))).toEqual([
      { path, origin, position: undefined, message: expect.stringContaining(message) },
    ])
  })
})

describe('mistakes', () => {
  test.each<[text: string, path: string, message: string, input?: Partial<ConfigInput>]>([
    ['server: { prot: 1 }', 'server.prot', 'there is no such setting; did you mean `port`?'],
    [
      'server: { tls: {} }',
      'server.tls',
      'there is no such setting here; there are `host`, `port`, `bodyLimit`, `drain`',
    ],
    ['sever: {}', 'sever', 'there is no such setting; did you mean `server`?'],
    ['[]', '', 'must be a mapping, indented lines of `name: value`'],
    ['text', '', 'must be a mapping, indented lines of `name: value`'],
    ['server: 8080', 'server', 'must be a mapping, indented lines of `name: value`'],
    ['server: { port: 80a }', 'server.port', 'must be a number'],
    ['server: { port: 80.5 }', 'server.port', 'must be a whole number'],
    ['server: { port: 65536 }', 'server.port', 'must be at most 65535'],
    ['server: { port: -1 }', 'server.port', 'must be at least 0'],
    ['', 'server.port', 'must be a number', { port: 'x' }],
    ['', 'server.port', 'must be at most 65535', { env: { PORT: '99999' } }],
    ['server: { port: 1, port: 2 }', 'server.port', 'stands here a second time: keep one of the two'],
    ['server: { host: "http://localhost:80" }', 'server.host', 'without scheme, port or brackets'],
    ['server: { host: 0.0.0.0 }', 'server.host', 'put one into `auth.keys`'],
    ['server: { host: 0.0.0.0 }\nauth: { keys: [""] }', 'server.host', 'put one into `auth.keys`'],
    ['', 'server.host', 'other machines can reach the gateway on ::', { host: '::' }],
    [
      'server: { bodyLimit: 10MB }',
      'server.bodyLimit',
      'is no size: write a whole number and its unit, as in `512KiB` or `10MiB`',
    ],
    ['server: { bodyLimit: 5B }', 'server.bodyLimit', 'must be between `1KiB` and `1024MiB`'],
    ['server: { drain: { delay: 25h } }', 'server.drain.delay', 'must be between `0` and `24h`'],
    ['server: { drain: { timeout: 0s } }', 'server.drain.timeout', 'must be between `1ms` and `24h`'],
    ['stream: { stall: 0 }', 'stream.stall', 'must be between `1ms` and `24h`'],
    [
      'stream: { stall: 60 }',
      'stream.stall',
      'is no duration: write a whole number and its unit, as in `250ms`, `5s`, `2m` or `1h`',
    ],
    ['stream: { commitAfter: soon }', 'stream.commitAfter', 'is no duration'],
    ['stream: { heartbeat: 15 }', 'stream.heartbeat', 'is no duration'],
    ['demo: maybe', 'demo', 'must be `true` or `false`'],
    [
      'log: { level: inof }',
      'log.level',
      'must be one of `fatal`, `error`, `warn`, `info`, `debug`, `trace`, `silent`; did you mean `info`?',
    ],
    ['auth: { keys: [short] }', 'auth.keys[0]', 'is short enough to be guessed: use at least 16 characters'],
    ['auth: { keys: ["two words 0123456789"] }', 'auth.keys[0]', 'cannot be sent by a client'],
    ['auth: { keys: [1234567890123456] }', 'auth.keys[0]', 'must be text: put quotes around it'],
    ['auth: { keys: client-key-0123456789 }', 'auth.keys', 'must be a list'],
    ['auth: { keys: [{ nam: x }] }', 'auth.keys[0]', 'must be a key, or `{ name: …, key: … }`'],
    ['auth: { keys: [{ name: x, key: short }] }', 'auth.keys[0].key', 'is short enough to be guessed'],
    [
      `auth: { keys: [${KEY}, { name: x, key: ${KEY} }] }`,
      'auth.keys[1].key',
      'is in the list already, under another name',
    ],
    [`admin: { key: ${KEY} }`, 'admin.key', 'is short enough to be guessed: use at least 32 characters'],
    ['', 'admin.key', 'is short enough to be guessed', { env: { MILLRACE_ADMIN_KEY: KEY } }],
    [
      `auth: { keys: [${ADMIN_KEY}] }\nadmin: { key: ${ADMIN_KEY} }`,
      'admin.key',
      'is in `auth.keys` as well: clients must not have the key of the admin API',
    ],
    ['stateDir: ""', 'stateDir', 'must not be empty'],
    [
      'auth: { keys: ["${NOPE}"] }',
      'auth.keys[0]',
      'the environment variable NOPE is not set: set it, or write `${NOPE:-}`',
    ],
    [
      'server: { host: 0.0.0.0 }\nauth: { keys: ["${NOPE}"] }',
      'auth.keys[0]',
      'the environment variable NOPE is not set',
    ],
    ['', 'auth.keys[0]', 'is short enough to be guessed', { env: { MILLRACE_API_KEY: 'short' } }],
    ['', 'STREAM', 'must be `true` or `false`', { env: { STREAM: 'off' } }],
    [
      'defaultProvider: demmo',
      'defaultProvider',
      'there is no provider `demmo`; there are `demo`; did you mean `demo`?',
    ],
    ['defaultProvider: x\ndemo: false', 'defaultProvider', 'there is no provider `x`; there are none'],
    [
      'aliases: { claude-x: dmo/echo }',
      'aliases.claude-x',
      'there is no provider `dmo`; there are `demo`; did you mean `demo`?',
    ],
    ['aliases: { a: a }', 'aliases.a', 'never leads to a model: a → a'],
    [
      'aliases: { a: x }\nproviders: { x: { kind: openai, baseUrl: "https://x.example/v1" } }',
      'aliases.a',
      'names no model of the provider `x`, which has no `defaultModel`',
    ],
    ['aliases: { a: 1 }', 'aliases.a', 'must be text: put quotes around it'],
    ['providers: { local: 1 }', 'providers.local', 'must be a mapping'],
    ['providers: { local: {} }', 'providers.local.kind', 'is missing: it must be one of `openai`, `anthropic`'],
    [
      'providers: { local: { kind: opnai } }',
      'providers.local.kind',
      'must be one of `openai`, `anthropic`; did you mean `openai`?',
    ],
    ['providers: { local: { kind: demo } }', 'providers.local.kind', 'must be one of `openai`, `anthropic`'],
    ['providers: { local: { kind: openai } }', 'providers.local.baseUrl', 'is missing'],
    ['providers: { local: { kind: openai, baseUrl: "${URL:-}" } }', 'providers.local.baseUrl', 'is missing'],
    [
      'providers: { local: { kind: openai, baseUrl: nowhere } }',
      'providers.local.baseUrl',
      'must be a URL, as in `https://api.example.com/v1`',
    ],
    [
      'providers: { local: { kind: openai, baseUrl: "http://a.example/v1" } }',
      'providers.local.baseUrl',
      'would send keys and prompts unencrypted to a.example',
    ],
    [
      'providers: { local: { kind: openai, baseUrl: "http://localhost:8080/v1" } }',
      'providers.local.baseUrl',
      'leads to this gateway itself, which listens on port 8080',
    ],
    [
      'providers: { other: { kind: anthropic, apiKey: "" } }',
      'providers.other.apiKey',
      'must not be empty: leave it out instead',
    ],
    ['providers: { Local: { kind: anthropic, apiKey: k } }', 'providers.Local', 'is no name for a provider'],
    ['providers: { a/b: { kind: anthropic, apiKey: k } }', 'providers["a/b"]', 'is no name for a provider'],
    [
      'providers: { demo: { kind: anthropic, apiKey: k } }',
      'providers.demo',
      'is the name of the built-in provider: choose another, or set `demo: false`',
    ],
    [local('base_url: x'), 'providers.local.base_url', 'there is no such setting; did you mean `baseUrl`?'],
    [local('stop: upsteam'), 'providers.local.stop', 'must be one of `upstream`, `gateway`; did you mean `upstream`?'],
    [local('retries: 10'), 'providers.local.retries', 'must be at most 9'],
    [local('apiKey: 123'), 'providers.local.apiKey', 'must be text: put quotes around it'],
    [local('apiKey: "a\\nb"'), 'providers.local.apiKey', 'cannot be sent as it is'],
    [
      local('headers: { Authorization: x }'),
      'providers.local.headers.Authorization',
      'is a header that the gateway sets itself: use `apiKey`',
    ],
    [
      local('headers: { Transfer-Encoding: x }'),
      'providers.local.headers.Transfer-Encoding',
      'is a header that the gateway sets itself',
    ],
    [local('headers: { host: x }'), 'providers.local.headers.host', 'is a header that the gateway sets itself'],
    [local('headers: { "x y": x }'), 'providers.local.headers["x y"]', 'is no name for a header'],
    [local('headers: { x-a: "a\\r\\nb: c" }'), 'providers.local.headers.x-a', 'cannot be sent in a header'],
    [local('models: []'), 'providers.local.models', 'must not be empty: leave it out instead'],
    [
      local('models: [a, bb], defaultModel: ab'),
      'providers.local.defaultModel',
      'is not in `models` of the same provider',
    ],
    [local('timeouts: { idle: 48h }'), 'providers.local.timeouts.idle', 'must be between `1ms` and `24h`'],
    [
      local('timeouts: { conect: 5s }'),
      'providers.local.timeouts.conect',
      'there is no such setting; did you mean `connect`?',
    ],
    [local('streaming: no'), 'providers.local.streaming', 'must be `true` or `false`'],
  ])('%j', async (text, path, message, input) => {
    expect(await mistakesIn(read(text, input))).toEqual([
      expect.objectContaining({ path, message: expect.stringContaining(message) }),
    ])
  })

  test('aliases that lead to each other', async () => {
    expect(await mistakesIn(read('aliases: { a: b, b: a, c: a }'))).toMatchObject([
      { path: 'aliases.a', message: 'never leads to a model: a → b → a' },
      { path: 'aliases.b', message: 'never leads to a model: b → a → b' },
      { path: 'aliases.c', message: 'never leads to a model: c → a → b → a' },
    ])
  })

  test('come all at once, in order, with their places', async () => {
    const text = `server:
  host: 0.0.0.0
  prot: 1
providers:
  local:
    kind: openai
    baseUrl: http://a.example/v1
    apiKey: \${NOPE}
    timeouts: { idle: 5 }
  other:
    kind: smoke-signals
defaultProvider: lokal
`
    const mistakes = await mistakesIn(read(text, { port: 'x' }))
    expect(mistakes.map(({ path, position }) => [path, position?.line, position?.column])).toEqual([
      ['server.port', undefined, undefined],
      ['server.host', 2, 3],
      ['server.prot', 3, 3],
      ['providers.local.baseUrl', 7, 5],
      ['providers.local.apiKey', 8, 5],
      ['providers.local.timeouts.idle', 9, 17],
      ['providers.other.kind', 11, 5],
      ['defaultProvider', 12, 1],
    ])
  })

  test('say where a value came from', async () => {
    const text = 'server: { port: "${MY_PORT}" }\nauth: { keys: ["${MY_KEY}"] }'
    expect(await mistakesIn(read('', { env: { MILLRACE_API_KEY: 'short', PORT: 'x' } }))).toMatchObject([
      { path: 'server.port', origin: 'PORT', position: undefined },
      { path: 'auth.keys[0]', origin: 'MILLRACE_API_KEY', position: undefined },
    ])
    expect(await mistakesIn(read(text, { env: { MY_PORT: 'x', MY_KEY: 'short' }, host: '0.0.0.0' }))).toMatchObject([
      { path: 'server.port', origin: '${MY_PORT}', position: { line: 1, column: 11 } },
      { path: 'auth.keys[0]', origin: '${MY_KEY}', position: { line: 2, column: 16 } },
    ])
  })

  test('never show a secret', async () => {
    const text = `auth: { keys: [canary] }\n${local('apiKey: "canary canary", headers: { x-key: "canary\\n", host: canary }')}\n`
    const error = await read(text).then(String, String)
    expect(error).toContain('4 mistakes')
    expect(error).not.toContain('canary')
    expect(await read('auth: { keys: [canary, "canary ] }').then(String, String)).not.toContain('canary')
  })

  test.each([
    ['--config', { file: 'missing.yaml', env: {} }],
    ['MILLRACE_CONFIG', { env: { MILLRACE_CONFIG: 'missing.yaml' } }],
  ])('a file named by %s that is not there', async (_, input) => {
    const reading = readConfig({ ...input, definitions: SAMPLES })
    await expect(reading).rejects.toThrow('The configuration in missing.yaml has one mistake:\n  there is no such file')
  })

  test('a file that cannot be read, or is no text', async () => {
    const file = join(folder, 'binary.yaml')
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]))
    expect(await mistakesIn(readConfig({ file: folder, env: {}, definitions: SAMPLES }))).toHaveLength(1)
    expect(await mistakesIn(readConfig({ file, env: {}, definitions: SAMPLES }))).toHaveLength(1)
  })
})

test('settings of a kind that do not go together are mistakes too', async () => {
  const text = 'providers: { q: { kind: qwen, apiKey: sk-test-key-1, plan: coding, region: us } }'
  expect(await mistakesIn(read(text, { definitions: DEFINITIONS }))).toMatchObject([{ path: 'providers.q.region' }])
})

test('accounts are looked at as their provider is', async () => {
  const text = `auth: { keys: [{ name: alice, key: ${KEY} }] }
providers:
  q:
    kind: qwen
    authUrl: http://auth.example
    accounts:
      - { name: a, apiKey: two words }
      - { name: b, apiKey: k, baseUrl: http://b.example/v1, owner: alicia }
      - { name: c, oauth: c.json, authUrl: http://localhost:8080 }
  a: { kind: amazon-q, accessToken: two words, endpoint: http://q.example }
`
  const mistakes = await mistakesIn(read(text, { definitions: DEFINITIONS }))
  expect(mistakes.map(({ path, message }) => [path.replace('providers.q.', ''), message])).toEqual([
    ['authUrl', expect.stringContaining('unencrypted to auth.example')],
    ['accounts[0].apiKey', expect.stringContaining('one word of visible ASCII')],
    ['accounts[1].baseUrl', expect.stringContaining('unencrypted to b.example')],
    ['accounts[1].owner', 'is not the name of a key in `auth.keys`; did you mean `alice`?'],
    ['accounts[2].authUrl', expect.stringContaining('leads to this gateway itself')],
    ['providers.a.accessToken', expect.stringContaining('one word of visible ASCII')],
    ['providers.a.endpoint', expect.stringContaining('unencrypted to q.example')],
  ])
})

const withPersonalLogins = (keys: string): string => `auth: { keys: [${keys}] }
providers:
  amazon-q:
    kind: amazon-q
    accounts:
      - { name: mine, login: data.sqlite3 }
      - { name: hers, owner: alice, sso: { file: alice.json } }
      - { name: lent, shared: true, sso: { file: ben.json } }
      - { name: team, aws: true }
`

test("a person's login needs an owner, or somebody's word that it is shared, as soon as there are several keys", async () => {
  const alice = `{ name: alice, key: ${KEY} }`
  expect(
    await mistakesIn(read(withPersonalLogins(`${alice}, ${KEY}-of-others`), { definitions: DEFINITIONS })),
  ).toEqual([
    expect.objectContaining({
      path: 'providers.amazon-q.accounts[0]',
      message: expect.stringContaining('say with `owner` whose it is'),
    }),
  ])
  expect((await read(withPersonalLogins(alice), { definitions: DEFINITIONS })).config.providers.size).toBe(1)
})

describe('the file that comes with the gateway', () => {
  test('is found wherever the process runs, works without anything, and says what holds anyway', async () => {
    const { config, source } = await readConfig({ env: {}, definitions: DEFINITIONS })
    expect(source).toEqual({ file: expect.stringContaining('config/millrace.yaml'), found: [] })
    expect(config).toEqual(DEFAULTS)
  })

  test('takes its key from the environment', async () => {
    const { config } = await readConfig({ env: { MILLRACE_API_KEY: KEY, HOST: '0.0.0.0' }, definitions: DEFINITIONS })
    expect(config.auth.keys).toEqual([{ key: KEY }])
  })

  test('is right with everything in it switched on', async () => {
    const text = (await readFile(example, 'utf8')).replaceAll(/^( *)#(?! \S|$)/gm, '$1')
    const variables = [
      'OPENROUTER_API_KEY',
      'DEEPSEEK_API_KEY',
      'DASHSCOPE_API_KEY',
      'CODING_PLAN_API_KEY',
      'KIRO_API_KEY',
    ]
    const env = { ...Object.fromEntries(variables.map(name => [name, 'test-key'])), ALICE_KEY: KEY }
    const { config } = await read(text, { env, definitions: DEFINITIONS })
    const names = [
      'ollama',
      'vllm',
      'llamacpp',
      'openrouter',
      'deepseek',
      'qwen',
      'qwen-team',
      'amazon-q',
      'kiro',
      'local',
    ]
    expect([...config.providers.keys()]).toEqual(names)
    expect(config.defaultProvider).toBe('ollama')
    expect(config.providers.get('local')?.timeouts).toEqual(config.providers.get('ollama')?.timeouts)
    expect(config).toMatchObject({
      ...DEFAULTS,
      auth: { keys: [{ name: 'alice', key: KEY }] },
      providers: config.providers,
    })
  })
})
