import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { answerText } from '@millrace/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contentOf, MESSAGES, openaiClient } from './openai-client.ts'
import { orSkip } from './or-skip.ts'
import { pythonEnvironment } from './python-environment.ts'
import { gatewayWithSimulator, KEY, upstreamClosed } from './gateway-with-simulator.ts'

const python = await orSkip('Python', async () => {
  const [current, legacy] = await Promise.all(['current', 'legacy'].map(pythonEnvironment))
  return { current: current!, legacy: legacy! }
})
const world = gatewayWithSimulator()

const TEXT = answerText(20)
const UNICODE = '龙骑士在河边磨面。 👩‍🚀🌾 line\u2028separator paragraph\u2029separator next\u0085line'

function chatUrl(): string {
  return `${world.gateway.baseUrl}/chat/completions`
}

function askCurrent(way: string, model: string): Promise<unknown> {
  const env = { OPENAI_BASE_URL: world.gateway.baseUrl, OPENAI_API_KEY: KEY }
  return python!.current.run('openai_current.py', [way, model], env)
}

function askLegacy(way: string, model: string, key = KEY): Promise<unknown> {
  const env = { OPENAI_API_BASE: world.gateway.baseUrl, OPENAI_API_KEY: key }
  return python!.legacy.run('openai_legacy.py', [way, model], env)
}

describe.skipIf(python === undefined)('openai for Python, today', () => {
  test('a stream', async () => {
    const seen = (await askCurrent('stream', 'sim/text')) as { content: string[] }
    expect(seen).toMatchObject({
      roles: ['assistant'],
      finishes: ['stop'],
      usages: [{ prompt_tokens: 12, completion_tokens: 20, total_tokens: 32 }],
    })
    expect(seen.content.join('')).toBe(TEXT)
    expect(seen.content).toHaveLength(20)
  })

  test('words while the upstream is still at it, and leaving', async () => {
    const pieces = (await askCurrent('first_words', 'sim/stall?after=5')) as string[]
    expect(pieces.join('')).toBe(answerText(4))
    await upstreamClosed(world.simulator, 0)
  })

  test('the helper puts text and tool calls together', async () => {
    await expect(askCurrent('helper', 'sim/text')).resolves.toMatchObject({ content: TEXT, calls: [], finish: 'stop' })
    await expect(askCurrent('helper', 'sim/tools')).resolves.toMatchObject({
      events: expect.arrayContaining(['tool_calls.function.arguments.delta', 'tool_calls.function.arguments.done']),
      calls: [
        ['call_simulated_1', 'get_weather', { city: 'Berlin', unit: 'celsius' }],
        ['call_simulated_2', 'get_weather', { city: 'Nairobi', unit: 'celsius' }],
      ],
      finish: 'tool_calls',
    })
  })

  test('a whole answer', async () => {
    await expect(askCurrent('whole', 'sim/text')).resolves.toMatchObject({
      request_id: expect.stringMatching(/^[\da-f-]{36}$/),
      choices: [{ message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
      usage: { completion_tokens: 20 },
    })
  })

  test('structured answers', async () => {
    await expect(askCurrent('parsed', 'sim/echo')).resolves.toEqual({ city: 'Berlin', degrees: 21 })
  })

  test('models', async () => {
    await expect(askCurrent('models', '')).resolves.toEqual(expect.arrayContaining(['sim/text', 'demo/echo']))
  })

  test('errors, before the answer and in the middle of it', async () => {
    await expect(askCurrent('error', 'unheard/of')).resolves.toMatchObject({
      class: 'NotFoundError',
      status: 404,
      code: 'model_not_found',
      message: expect.stringContaining('unheard/of'),
    })
    await expect(askCurrent('error', 'sim/error?status=429')).resolves.toMatchObject({
      class: 'RateLimitError',
      status: 429,
    })
    await expect(askCurrent('error', 'sim/error-in-stream?after=4&message=The+sluice+is+shut.')).resolves.toMatchObject(
      {
        class: 'APIError',
        message: 'The sluice is shut.',
        text: answerText(3),
      },
    )
  })
})

describe.skipIf(python === undefined)('openai for Python, before its version 1', () => {
  test('a stream', async () => {
    const seen = (await askLegacy('stream', 'sim/text')) as { content: string[] }
    expect(seen).toMatchObject({ roles: ['assistant'], finishes: ['stop'] })
    expect(seen.content.join('')).toBe(TEXT)
  })

  test('every character of every script', async () => {
    const seen = (await askLegacy('stream', 'sim/unicode')) as { content: string[] }
    expect(seen.content.join('')).toContain(UNICODE)
  })

  test('functions in a stream', async () => {
    await expect(askLegacy('functions', 'sim/tool')).resolves.toEqual({
      name: 'get_weather',
      arguments: { city: 'Berlin', unit: 'celsius' },
      finish: 'function_call',
    })
  })

  test('a whole answer, and the models', async () => {
    await expect(askLegacy('whole', 'sim/text')).resolves.toMatchObject({ choices: [{ message: { content: TEXT } }] })
    await expect(askLegacy('models', '')).resolves.toEqual(expect.arrayContaining(['sim/text', 'demo/echo']))
  })

  test('errors, before the answer and in the middle of it', async () => {
    await expect(askLegacy('error', 'sim/text', 'test-key-of-nobody')).resolves.toMatchObject({
      class: 'AuthenticationError',
      message: expect.stringContaining('API key'),
    })
    await expect(askLegacy('error', 'sim/error-in-stream?after=4&message=The+sluice+is+shut.')).resolves.toMatchObject({
      class: 'APIError',
      message: expect.stringContaining('The sluice is shut.'),
      text: answerText(3),
    })
  })
})

describe.skipIf(python === undefined)('the other endpoints for Python, old and new', () => {
  test('text completions', async () => {
    const same = { stream: TEXT, whole: TEXT }
    await expect(askCurrent('text_completions', 'sim/text')).resolves.toEqual(same)
    await expect(askLegacy('completions', 'sim/text')).resolves.toEqual(same)
  })

  test('responses', async () => {
    await expect(askCurrent('responses', 'sim/text')).resolves.toEqual({
      stream: TEXT,
      final: TEXT,
      whole: TEXT,
      status: ['completed', 'completed'],
      tokens: [20, 20],
    })
    await expect(askCurrent('response_calls', 'sim/tools')).resolves.toEqual([
      ['get_weather', { city: 'Berlin', unit: 'celsius' }],
      ['get_weather', { city: 'Nairobi', unit: 'celsius' }],
    ])
  })

  test('embeddings', async () => {
    const [length, ...others] = (await askCurrent('embeddings', 'sim/embed')) as number[]
    expect(length).toBeGreaterThan(1)
    expect(others).toEqual([length])
  })
})

describe.skipIf(python === undefined).for(['requests', 'httpx'])('%s, line by line', library => {
  const read = (model: string, ...count: string[]): Promise<unknown> =>
    python!.current.run('read_lines.py', [library, chatUrl(), KEY, model, ...count], {})

  test('all pieces, to the end', async () => {
    const pieces = (await read('sim/text')) as string[]
    expect(pieces.join('')).toBe(TEXT)
  })

  test('every character of every script, line separators too', async () => {
    const pieces = (await read('sim/unicode')) as string[]
    expect(pieces.join('')).toContain(UNICODE)
  })

  test('words while the upstream is still at it, and leaving', async () => {
    const pieces = (await read('sim/stall?after=5', '5')) as string[]
    expect(pieces.join('')).toBe(answerText(4))
    await upstreamClosed(world.simulator, 0)
  })
})

/** All events of a stream, without what differs from one request to the next. */
async function eventsOf(url: string, model: string): Promise<string[]> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: MESSAGES }),
  })
  const text = await response.text()
  return text.split('\n\n').map(event => event.replace(/"id":"chatcmpl-[^"]*"|"created":\d+/g, ''))
}

describe.skipIf(python === undefined)('a web app that streams on what it gets', () => {
  let app: ChildProcess
  let appUrl: string
  beforeAll(async () => {
    const script = fileURLToPath(new URL('./python/restream_app.py', import.meta.url))
    const started = spawn(python!.current.interpreter, [script, chatUrl(), KEY], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    app = started
    const [port] = (await once(started.stdout, 'data')) as [Buffer]
    appUrl = `http://127.0.0.1:${port.toString().trim()}`
  })
  afterAll(() => void app.kill())

  test.for(
    ['bytes', 'lines'].flatMap(way =>
      ['sim/unicode', 'sim/tools', 'sim/error-in-stream', 'demo/fast'].map(model => [way, model] as const),
    ),
  )('by %s: the caller sees the same events of %s', async ([way, model]) => {
    const direct = await eventsOf(chatUrl(), model)
    expect(direct.length).toBeGreaterThan(4)
    await expect(eventsOf(`${appUrl}/${way}/chat/completions`, model)).resolves.toEqual(direct)
  })

  test.for(['bytes', 'lines'])('by %s: words reach the caller while the upstream is still at it', async way => {
    const { chat } = openaiClient({ ...world.gateway, baseUrl: `${appUrl}/${way}` })
    const stream = await chat.completions.create({ model: 'sim/stall?after=5', messages: MESSAGES, stream: true })
    let text = ''
    for await (const chunk of stream) {
      text += contentOf([chunk])
      if (text === answerText(4)) break
    }
    expect(text).toBe(answerText(4))
  })
})
