import type { Anthropic } from '@anthropic-ai/sdk'
import { answerText } from '@millrace/simulator'
import { beforeAll, describe, expect, test } from 'vitest'
import { anthropicClient, ASKED, textOf, WEATHER } from './anthropic-client.ts'
import { gatewayWithSimulator, KEY, UPSTREAM_KEY, upstreamClosed } from './gateway-with-simulator.ts'

const aliases = { 'claude-mill-1': 'sim/text', 'claude-mill-tools': 'sim/tool' }
const world = gatewayWithSimulator({ aliases, stream: { commitAfter: '200ms', heartbeat: '200ms' } })

let anthropic: Anthropic
let messages: Anthropic['messages']
beforeAll(() => {
  anthropic = anthropicClient(world.gateway)
  messages = anthropic.messages
})

/** What the upstream was asked last. */
function lastBody(): unknown {
  return JSON.parse(world.simulator.stats.lastRequest!.body)
}

describe('a stream', () => {
  test('every event in its turn, and the words', async () => {
    const events = await Array.fromAsync(await messages.create({ model: 'sim/text?words=5', ...ASKED, stream: true }))
    expect(events.map(({ type }) => type)).toEqual([
      'message_start',
      'content_block_start',
      ...Array.from({ length: 5 }, () => 'content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events[0]).toMatchObject({ message: { model: 'sim/text?words=5', usage: { output_tokens: 0 } } })
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: 12, output_tokens: 5 },
    })
  })

  test('the helper: its events, and the message that they make', async () => {
    let text = ''
    const stream = messages.stream({ model: 'sim/text', ...ASKED }).on('text', piece => (text += piece))
    const message = await stream.finalMessage()
    expect(text).toBe(answerText(20))
    expect(message).toMatchObject({
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 12, output_tokens: 20, cache_read_input_tokens: 0 },
    })
    expect(message.id).toMatch(/^msg_/)
  })

  test('the id of the request, and the version and betas of the API in the access line', async () => {
    const asked = anthropic.beta.messages.create({
      model: 'sim/text',
      ...ASKED,
      stream: true,
      betas: ['mill-2026-01-01'],
    })
    const { data, request_id } = await asked.withResponse()
    await Array.fromAsync(data)
    await expect(world.gateway.access(request_id!)).resolves.toMatchObject({
      status: 200,
      ending: 'completed',
      completionTokens: 20,
      anthropicVersion: expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
      anthropicBeta: 'mill-2026-01-01',
    })
    expect(world.simulator.stats.lastRequest?.authorization).toBe(`Bearer ${UPSTREAM_KEY}`)
  })

  test.for(['reasoning_content', 'reasoning'])('thoughts from %s, without a signature', async field => {
    const message = await messages.stream({ model: `sim/reasoning?words=6&field=${field}`, ...ASKED }).finalMessage()
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text'])
    const [thoughts] = message.content as [Anthropic.ThinkingBlock]
    expect(thoughts.thinking.split(' ')).toHaveLength(6)
    expect(thoughts.signature).toBe('')
    expect(textOf(message)).toBe(answerText(6))
  })

  test('thoughts that nobody wants to see', async () => {
    const thinking = { type: 'adaptive', display: 'omitted' } as const
    const message = await messages.stream({ model: 'sim/reasoning?words=6', ...ASKED, thinking }).finalMessage()
    expect(message.content).toEqual([{ type: 'text', text: answerText(6) }])
  })

  test('every character of every script', async () => {
    const message = await messages.stream({ model: 'sim/unicode', ...ASKED }).finalMessage()
    expect(textOf(message)).toContain(
      '龙骑士在河边磨面。 👩‍🚀🌾 line\u2028separator paragraph\u2029separator next\u0085line',
    )
    expect(textOf(message).endsWith('\0\u001b')).toBe(true)
  })

  test('pings while the upstream is silent', async () => {
    const response = await fetch(`${world.gateway.baseUrl}/messages`, {
      method: 'POST',
      headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sim/text?words=1&first=700', ...ASKED, stream: true }),
    })
    const names = Array.from((await response.text()).matchAll(/^event: (.*)$/gm), ([, name]) => name)
    expect(names.slice(0, 3)).toEqual(['message_start', 'ping', 'ping'])
    expect(names.filter(name => name !== 'ping')).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
  })

  test('leaving closes the upstream', async () => {
    const stream = messages.stream({ model: 'sim/stall?after=5', ...ASKED })
    let leftAt = 0
    let text = ''
    stream.on('text', piece => {
      text += piece
      if (text !== answerText(4)) return
      leftAt = performance.now()
      stream.abort()
    })
    await expect(stream.finalMessage()).rejects.toThrow('aborted')
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
  })
})

describe('tools', () => {
  test.for([true, false])('all the way around, stream: %s', async isStream => {
    const history: Anthropic.MessageParam[] = [...ASKED.messages]
    const ask = (): Promise<Anthropic.Message> => {
      const asked = { model: 'sim/tools', max_tokens: 1024, messages: history, tools: [WEATHER] }
      return isStream ? messages.stream(asked).finalMessage() : messages.create(asked)
    }
    const called = await ask()
    expect(called.stop_reason).toBe('tool_use')
    const uses = called.content.filter(block => block.type === 'tool_use')
    expect(uses.map(({ name, input }) => [name, input])).toEqual([
      ['get_weather', { city: 'Berlin', unit: 'celsius' }],
      ['get_weather', { city: 'Nairobi', unit: 'celsius' }],
    ])
    const results = uses.map(({ id }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: 'No sky.',
      is_error: true,
    }))
    history.push({ role: 'assistant', content: called.content }, { role: 'user', content: results })
    expect(textOf(await ask())).toBe(answerText(20))
    expect(lastBody()).toMatchObject({
      tools: [{ type: 'function', function: { name: 'get_weather' } }],
      messages: [
        { role: 'user' },
        { role: 'assistant', content: null, tool_calls: uses.map(({ id }) => ({ id, type: 'function' })) },
        ...uses.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'Error: No sky.' })),
      ],
    })
  })

  test.for(['no-index', 'whole', 'late-name', 'object-arguments', 'no-id'])(
    'from a careless server: %s',
    async variant => {
      const asked = { model: `sim/tools-loose?variant=${variant}`, ...ASKED, tools: [WEATHER] }
      const { content } = await messages.stream(asked).finalMessage()
      const cities = content.map(block =>
        block.type === 'tool_use' ? (block.input as { city: string }).city : block.type,
      )
      expect(cities).toEqual(['Berlin', 'Nairobi'])
    },
  )

  test('the runner of the SDK', async () => {
    const runner = anthropic.beta.messages.toolRunner({
      model: 'claude-mill-tools',
      ...ASKED,
      tools: [{ ...WEATHER, type: 'custom', run: async () => 'clear', parse: (input: unknown) => input }],
    })
    const message = (await runner) as Anthropic.Message
    expect(textOf(message)).toBe(answerText(20))
  })
})

describe('what is asked comes to the upstream', () => {
  test('instructions, pictures and all settings', async () => {
    const picture = { type: 'base64', media_type: 'image/png', data: 'aGVsbG8=' } as const
    await messages.create({
      model: 'sim/text',
      max_tokens: 99,
      system: [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look:' },
            { type: 'image', source: picture },
          ],
        },
      ],
      stop_sequences: ['END'],
      thinking: { type: 'enabled', budget_tokens: 2048 },
    })
    expect(lastBody()).toEqual({
      model: 'text',
      messages: [
        { role: 'system', content: 'Be short.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look:' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGVsbG8=' } },
          ],
        },
      ],
      max_tokens: 99,
      stop: ['END'],
      reasoning_effort: 'low',
    })
  })
})

test('tokens are counted, as an estimate, without asking the upstream', async () => {
  const { input_tokens } = await messages.countTokens({ model: 'sim/text', messages: ASKED.messages })
  expect(input_tokens).toBeGreaterThan(5)
  const more = await messages.countTokens({ model: 'sim/text', messages: ASKED.messages, tools: [WEATHER] })
  expect(more.input_tokens).toBeGreaterThan(input_tokens)
  expect(world.simulator.stats.chats).toBe(0)
})

describe('models', () => {
  test('aliases answer, and are listed first with what they stand for', async () => {
    const listed = await Array.fromAsync(anthropic.models.list({ limit: 1000 }))
    expect(listed.slice(0, 2)).toMatchObject([
      { id: 'claude-mill-1', type: 'model', display_name: 'claude-mill-1 (sim/text)' },
      { id: 'claude-mill-tools', type: 'model' },
    ])
    expect(listed.map(({ id }) => id)).toContain('sim/text')
    await expect(anthropic.models.retrieve('claude-mill-1')).resolves.toMatchObject({ id: 'claude-mill-1' })
    const message = await messages.create({ model: 'claude-mill-1', ...ASKED })
    expect(message).toMatchObject({ model: 'claude-mill-1', content: [{ text: answerText(20) }] })
  })

  test('what Claude Code asks for before all else needs no key', async () => {
    const { status } = await fetch(new URL('/api/hello', world.gateway.origin), { method: 'HEAD' })
    expect(status).toBe(200)
  })

  test('keys are taken from either header', async () => {
    for (const headers of [{ 'x-api-key': KEY }, { authorization: `Bearer ${KEY}` }]) {
      const { status } = await fetch(`${world.gateway.baseUrl}/models?limit=1000`, { headers })
      expect(status).toBe(200)
    }
  })
})
