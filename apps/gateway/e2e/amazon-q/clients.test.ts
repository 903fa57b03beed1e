import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answerText } from '@millrace/simulator'
import OpenAI from 'openai'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { chromiumFile, FOREIGN_HOST, launchChromium } from '../clients/chromium.ts'
import { orSkip } from '../clients/or-skip.ts'
import { pythonEnvironment } from '../clients/python-environment.ts'
import { runCommand, runMillrace } from '../run-command.ts'
import { ask, type Seen } from './ask.ts'
import { gatewayWithAmazonQ, KEY, serviceOf } from './gateway-with-amazon-q.ts'
import { createFolder } from './logins.ts'

const world = gatewayWithAmazonQ(service => ({ 'amazon-q': { ...service, accessToken: 'aoa-canary' } }))

type Message = OpenAI.Chat.ChatCompletionMessageParam

const tools = ['weather', 'time'].map(name => ({
  type: 'function' as const,
  function: {
    name,
    description: `Tells the ${name}`,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}))
const WISH =
  '[call weather {"city":"Paris"}] [call weather {"city":"Lima"}] [then call time {"city":"Paris"}] [then say All is told.]'
const TOLD = {
  calls: [
    ['weather', { city: 'Paris' }],
    ['weather', { city: 'Lima' }],
    ['time', { city: 'Paris' }],
  ],
  text: 'All is told.',
  finish: 'stop',
}

/** One request as a program without an SDK makes it. */
function post(body: object): Promise<Response> {
  return fetch(`${world.gateway.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify(body),
  })
}

const toParts = (...texts: readonly string[]): object[] => texts.map(text => ({ type: 'text', text }))

const MESSAGES = [{ role: 'user' as const, content: 'Does the mill run?' }]

describe('`model: amazon-q` and nothing more', () => {
  test.for([{}, { stream: false }, { stream: null }])('%j is one whole answer, with all members', async members => {
    const response = await post({ model: 'amazon-q', messages: MESSAGES, ...members })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('cache-control')).toContain('no-store')
    expect(await response.json()).toEqual({
      id: expect.stringMatching(/^chatcmpl-\w+$/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'amazon-q',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: answerText(20),
            refusal: null,
            tool_calls: null,
            function_call: null,
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: expect.any(Number),
        completion_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
      },
      system_fingerprint: null,
      service_tier: null,
    })
    // The service chooses the model.
    expect((await world.amazonQ.state()).stats.lastRequest!.body).not.toContain('modelId')
  })

  test('`stream: true` is a stream that keeps its contract', async () => {
    const response = await post({ model: 'amazon-q', messages: MESSAGES, stream: true })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).toMatch(/no-cache.*no-transform/)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const text = await response.text()
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    const events = text.split('\n\n').slice(0, -2)
    const chunks = events.map(event => JSON.parse(event.slice('data: '.length)) as OpenAI.Chat.ChatCompletionChunk)
    const [first, last] = [chunks[0]!, chunks.at(-1)!]
    for (const { id, object, created, model } of chunks) {
      expect([id, object, created, model]).toEqual([first.id, 'chat.completion.chunk', first.created, 'amazon-q'])
    }
    const deltas = chunks.map(({ choices }) => choices[0]!.delta)
    expect(deltas.map(({ role }) => role).filter(Boolean)).toEqual(['assistant'])
    expect(deltas[0]!.role).toBe('assistant')
    expect(deltas.map(({ content }) => content ?? '').join('')).toBe(answerText(20))
    expect(last.choices).toEqual([{ index: 0, delta: {}, finish_reason: 'stop' }])
    expect(chunks.filter(({ choices }) => choices[0]!.finish_reason !== null)).toEqual([last])
  })

  test.for([true, false])('content is a text or a list of parts (stream: %s)', async stream => {
    for (const [content, text] of [
      ['[say The same.]', 'The same.'],
      [toParts('[say The same.]'), 'The same.'],
      [toParts('[say In two', 'parts.]'), 'In two\nparts.'],
    ]) {
      const messages = [{ role: 'user', content }] as Message[]
      expect(await ask(world.client(), '', { messages, stream })).toMatchObject({ text })
    }
  })

  test('words arrive while the service is still at it', async () => {
    const messages = [{ role: 'user' as const, content: '[simulate: script=stall&frames=6]' }]
    const stream = await world.client().chat.completions.create({ model: 'amazon-q', messages, stream: true })
    let text = ''
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? ''
      if (text === answerText(5)) break
    }
    expect(text).toBe(answerText(5))
    await world.amazonQ.until(({ stats }) => stats.streamsAborted === 1)
  })
})

describe('a conversation with tools', () => {
  test.for([true, false])('through the SDK for Node (stream: %s)', async stream => {
    const messages: Message[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: WISH },
    ]
    const calls: unknown[] = []
    let seen: Seen
    for (;;) {
      seen = await ask(world.client(), '', { messages, tools, stream })
      if (seen.finish !== 'tool_calls') break
      const tool_calls = seen.calls.map(({ id, ...called }) => ({ id, type: 'function' as const, function: called }))
      messages.push({ role: 'assistant', content: seen.text || null, tool_calls })
      for (const { id, name, arguments: json } of seen.calls) {
        calls.push([name, JSON.parse(json)])
        messages.push({ role: 'tool', tool_call_id: id, content: 'fine' })
      }
    }
    expect(seen.failure).toBeUndefined()
    expect({ calls, text: seen.text, finish: seen.finish }).toEqual(TOLD)
  })

  test("through the SDK's own loop of tools", async () => {
    const asked: unknown[] = []
    const runner = world.client().chat.completions.runTools({
      model: 'amazon-q',
      stream: true,
      messages: [{ role: 'user', content: WISH }],
      tools: tools.map(({ type, function: definition }) => ({
        type,
        function: {
          ...definition,
          parse: JSON.parse,
          function: (given: unknown) => {
            asked.push([definition.name, given])
            return 'fine'
          },
        },
      })),
    })
    await expect(runner.finalContent()).resolves.toBe('All is told.')
    expect(asked).toEqual(TOLD.calls)
  })
})

const python = await orSkip('Python', () => pythonEnvironment('current'))

/** What one of our programs prints that uses the SDK for Python. */
async function runPython(script: string, ...args: readonly string[]): Promise<unknown> {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const env = { OPENAI_BASE_URL: world.gateway.baseUrl, OPENAI_API_KEY: KEY }
  await using command = runCommand(python!.interpreter, [file, ...args], { env })
  expect([await command.exited, command.stderr()]).toEqual([0, ''])
  return JSON.parse(command.stdout())
}

const SIMPLE = '../clients/python/openai_current.py'

describe.skipIf(python === undefined)('openai for Python', () => {
  test.for(['stream', 'whole'])('a conversation with tools: %s', async way => {
    await expect(runPython('./conversation.py', way, 'amazon-q')).resolves.toEqual(TOLD)
  })

  test('a stream with usage, and a whole answer', async () => {
    const seen = (await runPython(SIMPLE, 'stream', 'amazon-q')) as { content: string[] }
    const usages = [{ total_tokens: expect.any(Number) }]
    expect(seen).toMatchObject({ roles: ['assistant'], finishes: ['stop'], usages })
    expect(seen.content.join('')).toBe(answerText(20))
    await expect(runPython(SIMPLE, 'whole', 'amazon-q')).resolves.toMatchObject({
      choices: [{ message: { role: 'assistant', content: answerText(20) }, finish_reason: 'stop' }],
    })
  })

  test('errors, before the answer and in the middle of it', async () => {
    await expect(runPython(SIMPLE, 'error', 'amazon-q/claude-sonnet-4.5?error=too-long')).resolves.toMatchObject({
      class: 'BadRequestError',
      status: 400,
      code: 'context_length_exceeded',
    })
    await expect(runPython(SIMPLE, 'error', 'amazon-q/claude-sonnet-4.5?script=broken-frame')).resolves.toMatchObject({
      class: 'APIError',
      code: 'upstream_malformed',
      text: 'the mill stands',
    })
  })
})

const chromium = await orSkip('Chromium', chromiumFile)

describe.skipIf(chromium === undefined)('a page of another origin', () => {
  let browser: Browser
  let site: Server
  beforeAll(async () => {
    browser = await launchChromium(chromium!)
    const html = await readFile(new URL('../clients/page.html', import.meta.url))
    site = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html))
    site.listen(0, '127.0.0.1')
    await once(site, 'listening')
  })
  afterAll(async () => {
    site.close()
    await browser.close()
  })

  test('reads a stream, and an error in it', async () => {
    const page = await browser.newPage()
    await page.goto(`http://${FOREIGN_HOST}:${(site.address() as AddressInfo).port}/`)
    const read = (model: string): Promise<unknown> =>
      page.evaluate(`ask(${JSON.stringify(world.gateway.baseUrl)}, ${JSON.stringify(KEY)}, ${JSON.stringify(model)})`)
    expect(await read('amazon-q')).toMatchObject({ status: 200, ended: 'done' })
    expect(await page.locator('#text').textContent()).toBe(answerText(20))
    expect(await read('amazon-q/claude-sonnet-4.5?script=exception')).toMatchObject({
      status: 200,
      ended: expect.stringContaining('unexpected error'),
    })
    expect(await read('amazon-q/claude-sonnet-4.5?error=suspended')).toMatchObject({
      status: 502,
      error: { code: 'upstream_auth_failed' },
    })
    await page.close()
  })
})

test('`--port` says where the gateway listens', async () => {
  await using folder = await createFolder()
  const file = join(folder.path, 'millrace.yaml')
  await writeFile(
    file,
    stringify({ providers: { 'amazon-q': { ...serviceOf(world.amazonQ), accessToken: 'aoa-canary' } } }),
  )
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')
  const env = { MILLRACE_STATE_DIR: folder.path }
  await using gateway = runMillrace(['serve', '--port', String(port), '--config', file], env)
  await gateway.seen(/^ +Models +amazon-q\/claude-sonnet-4\.5, /m)
  // What cline is given: a base URL and a model.
  const client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'any', maxRetries: 0 })
  expect(await ask(client, 'Hello')).toMatchObject({ text: answerText(20), finish: 'stop' })
  expect(gateway.stdout() + gateway.stderr()).not.toContain('canary')
})
