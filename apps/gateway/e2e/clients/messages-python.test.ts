import { answerText } from '@millrace/simulator'
import { describe, expect, test } from 'vitest'
import { gatewayWithSimulator, KEY } from './gateway-with-simulator.ts'
import { orSkip } from './or-skip.ts'
import { pythonEnvironment } from './python-environment.ts'

const python = await orSkip('Anthropic for Python', () => pythonEnvironment('anthropic'))
const world = gatewayWithSimulator()

function ask(way: string, model: string, key = KEY): Promise<unknown> {
  const env = { ANTHROPIC_BASE_URL: world.gateway.origin, ANTHROPIC_API_KEY: key }
  return python!.run('anthropic_current.py', [way, model], env)
}

describe.skipIf(python === undefined)('anthropic for Python', () => {
  test('a stream through the helper: text, thoughts, usage', async () => {
    await expect(ask('stream', 'sim/reasoning?words=7')).resolves.toMatchObject({
      text: answerText(7),
      message: {
        content: [
          { type: 'thinking', signature: '' },
          { type: 'text', text: answerText(7) },
        ],
        stop_reason: 'end_turn',
        usage: { input_tokens: 12, output_tokens: 14 },
      },
    })
  })

  test('a stream as it comes', async () => {
    const events = (await ask('raw', 'sim/text?words=2')) as string[]
    expect(events).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
  })

  test('tools, all the way around', async () => {
    await expect(ask('tools', 'sim/tools')).resolves.toEqual({
      calls: [
        ['get_weather', { city: 'Berlin', unit: 'celsius' }],
        ['get_weather', { city: 'Nairobi', unit: 'celsius' }],
      ],
      text: answerText(20),
    })
  })

  test('tokens and models', async () => {
    await expect(ask('count', 'sim/text')).resolves.toBeGreaterThan(5)
    await expect(ask('models', '')).resolves.toEqual(expect.arrayContaining(['sim/text', 'demo/echo']))
  })

  test('errors, before the answer and in the middle of it', async () => {
    await expect(ask('error', 'unheard/of')).resolves.toMatchObject({
      class: 'NotFoundError',
      status: 404,
      message: expect.stringContaining('unheard/of'),
    })
    await expect(ask('error', 'sim/text', 'test-key-of-nobody')).resolves.toMatchObject({
      class: 'AuthenticationError',
    })
    await expect(ask('error', 'sim/error-in-stream?after=4&message=The+sluice+is+shut.')).resolves.toMatchObject({
      message: expect.stringContaining('The sluice is shut.'),
      text: answerText(3),
    })
  })
})
