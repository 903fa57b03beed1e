import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answerText, SCENARIOS, startSimulator } from '@millrace/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { KEY, UPSTREAM_KEY } from './clients/gateway-with-simulator.ts'
import { runCommand, runMillrace, type RunningCommand } from './run-command.ts'

const simulator = await startSimulator({ apiKey: UPSTREAM_KEY })
afterAll(() => simulator.close())
const folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
afterAll(() => rm(folder, { recursive: true }))

const SIM = { kind: 'openai', baseUrl: simulator.url, apiKey: UPSTREAM_KEY }
let files = 0

/** A configuration file, as text or as what it says. */
async function configFile(config: string | object): Promise<string> {
  const file = join(folder, `millrace-${++files}.yaml`)
  await writeFile(file, typeof config === 'string' ? config : stringify(config))
  return file
}

/** The base URL that the greeting tells. */
async function baseUrlOf(gateway: RunningCommand): Promise<string> {
  return (await gateway.seen(/^ +Base URL +(\S+)$/m))[1]!
}

/** A chat completion with `stream: true`. */
async function stream(baseUrl: string, model: string, key = ''): Promise<Response> {
  return fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Does the mill run?' }] }),
  })
}

describe('npm start', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const bootstrap = (...args: readonly string[]): RunningCommand =>
    runCommand('node', ['scripts/bootstrap.mjs', 'apps/gateway/src/main.ts', ...args], { cwd: root })

  test('what it runs serves, and hands on the signal that ends it', async () => {
    const config = await configFile({ server: { port: 0, drain: { delay: 0 } } })
    await using gateway = bootstrap('serve', '--config', config)
    const response = await stream(await baseUrlOf(gateway), 'demo/fast')
    expect(await response.text()).toMatch(/^data: .*"role":"assistant"[^]*data: \[DONE\]\n\n$/)
    gateway.signal('SIGTERM')
    await expect(gateway.exited).resolves.toBe(0)
  })

  test('the exit code comes through', async () => {
    await using gateway = bootstrap('serve', '--config', join(folder, 'nowhere.yaml'))
    await expect(gateway.exited).resolves.toBe(78)
  })
})

describe('serve: a configuration with mistakes', () => {
  test('ends with 78, lists all of them, and nothing listens', async () => {
    const config = await configFile(`
server:
  prot: 8080
auth:
  keys: [short]
providers:
  local:
    kind: openai
    baseUrl: http://127.0.0.1:11434/v1
    apiKey: \${LOCAL_KEY}
    timeouts: { idle: soon }
defaultProvider: locale
`)
    await using gateway = runMillrace(['serve', '--config', config])
    await expect(gateway.exited).resolves.toBe(78)
    const lines = gateway.stderr().trim().split('\n')
    expect(lines[0]).toBe(`The configuration in ${config} has 5 mistakes:`)
    expect(lines.slice(1).map(line => line.trim().split(' ')[0])).toEqual([
      'server.prot',
      'auth.keys[0]',
      'providers.local.apiKey',
      'providers.local.timeouts.idle',
      'defaultProvider',
    ])
    expect(gateway.stdout()).toBe('')
  })

  test('an open gateway does not listen where other machines can call', async () => {
    await using gateway = runMillrace(['serve', '--host', '0.0.0.0', '--port', '0'])
    await expect(gateway.exited).resolves.toBe(78)
    expect(gateway.stderr()).toMatch(/server\.host \(from --host\).* a key is needed/)
    expect(gateway.stdout()).toBe('')
  })

  test('an option that there is not: says so, and where to find what there is', async () => {
    await using gateway = runMillrace(['serve', '--prot', '0'])
    await expect(gateway.exited).resolves.toBe(1)
    expect(gateway.stderr()).toMatch(/unknown option '--prot'[^]*--help/)
  })
})

describe('serve: where it listens', () => {
  const taken = createServer()
  let port: number
  beforeAll(async () => {
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    port = (taken.address() as AddressInfo).port
  })
  afterAll(() => void taken.close())

  test('a port that is taken: ends with 1 and says so', async () => {
    await using gateway = runMillrace(['serve', '--port', String(port)])
    await expect(gateway.exited).resolves.toBe(1)
    expect(gateway.stderr()).toContain(`Cannot listen on 127.0.0.1:${port}`)
  })

  test('PORT and HOST win over the file', async () => {
    const config = await configFile({ server: { host: '127.0.0.1', port } })
    await using gateway = runMillrace(['serve', '--config', config], { PORT: '0', HOST: 'localhost' })
    expect(await baseUrlOf(gateway)).toMatch(/^http:\/\/localhost:\d+\/v1$/)
  })

  test('--port and --host win over PORT and HOST', async () => {
    const env = { PORT: String(port), HOST: 'localhost' }
    await using gateway = runMillrace(['serve', '--port', '0', '--host', '127.0.0.1'], env)
    expect(await baseUrlOf(gateway)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
  })

  test('MILLRACE_CONFIG names the file, and --config wins over it', async () => {
    const config = await configFile({ server: { port: 0 }, providers: { sim: SIM } })
    await using gateway = runMillrace(['serve'], { MILLRACE_CONFIG: config })
    await expect(gateway.seen(/^ +Models +(\S+),/m)).resolves.toMatchObject({ 1: 'sim/text' })
    const other = await configFile({ server: { port: 0 }, providers: { other: SIM } })
    await using second = runMillrace(['serve', '--config', other], { MILLRACE_CONFIG: config })
    await expect(second.seen(/^ +Models +(\S+),/m)).resolves.toMatchObject({ 1: 'other/text' })
  })
})

describe('serve: streaming turned off', () => {
  const off = { ...SIM, streaming: false }

  test.for([
    ['STREAM=false', { sim: SIM }, { STREAM: 'false' }, ['sim/text', 'demo/fast']],
    ['streaming: false', { sim: off }, {}, ['sim/text']],
  ] as const)('%s: who asks for a stream gets one whole answer', async ([, providers, env, models]) => {
    const config = await configFile({ server: { port: 0 }, providers })
    await using gateway = runMillrace(['serve', '--config', config], env)
    for (const model of models) {
      const response = await stream(await baseUrlOf(gateway), model)
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      await expect(response.json()).resolves.toMatchObject({
        object: 'chat.completion',
        choices: [{ message: { content: expect.stringContaining('mill') }, finish_reason: 'stop' }],
        usage: { completion_tokens: expect.any(Number) },
      })
    }
  })

  test('streaming: false is for one provider, not for the others', async () => {
    const config = await configFile({ server: { port: 0 }, providers: { sim: SIM, off } })
    await using gateway = runMillrace(['serve', '--config', config])
    const response = await stream(await baseUrlOf(gateway), 'sim/text')
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await response.text()).toMatch(/data: \[DONE\]\n\n$/)
  })
})

describe('serve: keys that are in the environment anyway', () => {
  const env = { OPENAI_API_KEY: UPSTREAM_KEY, OPENAI_BASE_URL: simulator.url }

  test('make a provider, and the greeting says so without the key', async () => {
    await using gateway = runMillrace(['serve', '--port', '0'], env)
    const response = await stream(await baseUrlOf(gateway), 'openai/text')
    expect(await response.text()).toMatch(/data: \[DONE\]\n\n$/)
    await gateway.seen(/^Try it:/m)
    expect(gateway.stderr()).toContain(`Provider   openai at ${simulator.url}, because OPENAI_API_KEY is set`)
    expect(gateway.stdout() + gateway.stderr()).not.toContain(UPSTREAM_KEY)
  })

  test('make none when the file has a provider', async () => {
    const config = await configFile({ server: { port: 0 }, providers: { sim: SIM } })
    await using gateway = runMillrace(['serve', '--config', config], env)
    const response = await stream(await baseUrlOf(gateway), 'openai/text')
    expect(response.status).toBe(404)
    await expect(response.json()).resolves.toMatchObject({ error: { code: 'model_not_found' } })
  })
})

describe('serve: DEBUG_STREAMING', () => {
  test('shows every piece in and out, with its time, and no secret', async () => {
    const secret = 'test-secret-of-the-team'
    const sim = { ...SIM, headers: { 'x-team': secret } }
    const config = await configFile({ server: { port: 0 }, auth: { keys: [KEY] }, providers: { sim } })
    await using gateway = runMillrace(['serve', '--config', config], { DEBUG_STREAMING: 'true' })
    const response = await stream(await baseUrlOf(gateway), 'sim/text?words=5&pace=5', KEY)
    await response.text()
    const id = response.headers.get('x-request-id')
    await gateway.seen(/→ client .*\[DONE\]/)
    const lines = gateway
      .stderr()
      .split('\n')
      .filter(line => line.includes(id!))
    expect(lines.every(line => /^\d+\.\d ms [\da-f-]{36} (?:→|←) (?:upstream|client) /.test(line))).toBe(true)
    expect(lines[0]).toMatch(/→ upstream POST http:\S+\/chat\/completions .*Does the mill run\?/)
    expect(lines[1]).toMatch(/← upstream 200 text\/event-stream/)
    for (const way of ['← upstream', '→ client']) {
      const shown = lines.filter(line => line.includes(way)).join('\n')
      for (const word of answerText(5).split(' ')) expect(shown).toMatch(new RegExp(`content\\\\":\\\\" ?${word}\\\\"`))
      expect(shown).toContain('data: [DONE]')
    }
    const failed = await stream(await baseUrlOf(gateway), 'sim/evil-text?kind=key&where=stream', KEY)
    await failed.text()
    await gateway.seen(/→ client .*\\"error\\"/)
    for (const hidden of [KEY, UPSTREAM_KEY, secret]) expect(gateway.stdout() + gateway.stderr()).not.toContain(hidden)
  })

  test('an upstream that tells our key back: it is masked', async () => {
    const config = await configFile({ server: { port: 0 }, providers: { sim: SIM } })
    await using gateway = runMillrace(['serve', '--config', config], { DEBUG_STREAMING: 'true' })
    const response = await stream(await baseUrlOf(gateway), `sim/error?status=400&message=Bad+key+${UPSTREAM_KEY}.`)
    await response.text()
    await gateway.seen(/← upstream .*Bad key \[masked\]\./)
    expect(gateway.stdout() + gateway.stderr()).not.toContain(UPSTREAM_KEY)
  })

  test('without it nothing of a conversation is written anywhere', async () => {
    const config = await configFile({ server: { port: 0 }, providers: { sim: SIM } })
    await using gateway = runMillrace(['serve', '--config', config])
    await (await stream(await baseUrlOf(gateway), 'sim/text')).text()
    await gateway.seen(/"msg":"request"/)
    expect(gateway.stdout() + gateway.stderr()).not.toMatch(/Does the mill run|the mill stands/)
  })
})

describe('doctor', () => {
  test('an upstream that works: says so, and ends with 0', async () => {
    const config = await configFile({ providers: { sim: { ...SIM, defaultModel: 'text?words=5' } } })
    await using doctor = runMillrace(['doctor', '--config', config])
    await expect(doctor.exited).resolves.toBe(0)
    expect(doctor.stdout()).toContain(`Configuration  good (${config})`)
    expect(doctor.stdout()).toMatch(
      /^sim\n {2}models +reachable, lists \d+ in \d+ ms\n {2}stream +text\?words=5: .*5 tokens/m,
    )
    expect(doctor.stdout()).toContain('All is well.')
    expect(doctor.stdout()).not.toContain(UPSTREAM_KEY)
  })

  test('upstreams that do not: says what is wrong with each, and ends with 1', async () => {
    const nobody = createServer().listen(0, '127.0.0.1')
    await once(nobody, 'listening')
    const { port } = nobody.address() as AddressInfo
    nobody.close()
    await once(nobody, 'close')
    const config = await configFile({
      providers: {
        good: SIM,
        gone: { ...SIM, baseUrl: `http://127.0.0.1:${port}/v1`, defaultModel: 'text' },
        locked: { ...SIM, apiKey: 'test-key-that-is-wrong', defaultModel: 'text' },
        lost: { ...SIM, baseUrl: simulator.url.replace('/v1', '/v2'), defaultModel: 'text' },
        broken: { ...SIM, defaultModel: 'error-in-stream' },
      },
    })
    await using doctor = runMillrace(['doctor', '--config', config])
    await expect(doctor.exited).resolves.toBe(1)
    const words = doctor.stdout()
    expect(words).toMatch(/^good\n.*reachable.*\n {2}stream .* chunks/m)
    expect(words).toMatch(/^gone\n {2}models +failed \(connect_failed\).*\n {2}stream .*failed \(connect_failed\)/m)
    expect(words).toMatch(
      /^locked\n {2}models +failed \(upstream_auth_failed\).*\n {2}stream .*\(upstream_auth_failed\)/m,
    )
    expect(words).toMatch(/^lost\n {2}models +failed .*\n {2}stream .*is the base URL right\?/m)
    expect(words).toMatch(/^broken\n {2}models +reachable.*\n {2}stream .*failed \(upstream_error\)/m)
    expect(words).toContain('Something is wrong')
  })

  test('a configuration with mistakes: lists them, and ends with 78', async () => {
    const config = await configFile({ providers: { sim: { ...SIM, kind: 'opena' } } })
    await using doctor = runMillrace(['doctor', '--config', config])
    await expect(doctor.exited).resolves.toBe(78)
    expect(doctor.stderr()).toContain('providers.sim.kind')
  })
})

describe('simulate', () => {
  test('--help lists all scenarios', async () => {
    await using simulate = runMillrace(['simulate', '--help'])
    await expect(simulate.exited).resolves.toBe(0)
    for (const { name, summary } of SCENARIOS) {
      expect(simulate.stdout()).toContain(`\n  ${name.padEnd(16)} ${summary}\n`)
    }
  })

  test('says where it listens, answers, and ends in good order', async () => {
    await using simulate = runMillrace(['simulate', '--api-key', KEY])
    const [line] = await simulate.seen(/^\{.*\}\n/)
    const { url } = JSON.parse(line) as { url: string }
    const response = await stream(url, 'text', KEY)
    expect(await response.text()).toContain('data: [DONE]')
    simulate.signal('SIGTERM')
    await expect(simulate.exited).resolves.toBe(0)
  })
})
