import { CodeWhispererStreaming } from '@aws/codewhisperer-streaming-client'
import type {
  ChatResponseStream,
  GenerateAssistantResponseCommandInput,
  UserInputMessage,
} from '@aws/codewhisperer-streaming-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerText } from '../words.ts'
import { startAmazonQSimulator } from './amazon-q-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'
import { CONVERSATION_ID, TOKEN } from './ask-amazon-q.ts'
import { EXCEPTION_NAMES, EXCEPTIONS } from './exceptions.ts'
import type { ServiceFault } from './exceptions.ts'
import { BROKEN_FRAMES } from './frames.ts'

let simulator: AmazonQSimulator
let client: CodeWhispererStreaming
beforeAll(async () => {
  simulator = await startAmazonQSimulator()
  client = connect(TOKEN)
})
afterAll(async () => {
  client.destroy()
  await simulator.close()
})

function connect(token: string, maxAttempts = 1): CodeWhispererStreaming {
  return new CodeWhispererStreaming({ endpoint: simulator.url, region: 'us-east-1', token: { token }, maxAttempts })
}

const GET_WEATHER = {
  toolSpecification: {
    name: 'get_weather',
    description: 'Current weather of a city',
    inputSchema: { json: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
  },
}

function toInput(message: UserInputMessage, history?: object[]): GenerateAssistantResponseCommandInput {
  return {
    conversationState: {
      conversationId: CONVERSATION_ID,
      chatTriggerType: 'MANUAL',
      history: history as never,
      currentMessage: { userInputMessage: { origin: 'CLI', ...message } },
    },
  }
}

/** What came, and what went wrong then. */
async function ask(
  input: GenerateAssistantResponseCommandInput,
  by = client,
): Promise<{ readonly events: ChatResponseStream[]; readonly error: unknown }> {
  const events: ChatResponseStream[] = []
  try {
    const output = await by.generateAssistantResponse(input)
    expect(output.conversationId).toBe(CONVERSATION_ID)
    for await (const event of output.generateAssistantResponseResponse ?? []) events.push(event)
    return { events, error: null }
  } catch (error) {
    return { events, error }
  }
}

function textOf(events: readonly ChatResponseStream[]): string {
  return events.map(event => event.assistantResponseEvent?.content ?? '').join('')
}

describe("the service's own client", () => {
  it('streams text and what is told of it', async () => {
    const { events, error } = await ask(toInput({ content: 'Hello' }))
    expect(error).toBeNull()
    expect(textOf(events)).toBe(answerText())
    expect(events.slice(-2)).toMatchObject([
      { contextUsageEvent: { contextUsagePercentage: expect.any(Number) as number } },
      { meteringEvent: { unit: 'credit', unitPlural: 'credits' } },
    ])
  })

  it('streams a send message', async () => {
    const { sendMessageResponse } = await client.sendMessage({
      ...toInput({ content: 'Hello' }),
      source: 'CLI',
    } as never)
    const events: ChatResponseStream[] = []
    for await (const event of sendMessageResponse ?? []) events.push(event)
    expect(textOf(events)).toBe(answerText())
  })

  it('goes around with a tool', async () => {
    const content = 'Weather? [call get_weather {"city":"Lima"}]'
    const context = { userInputMessageContext: { tools: [GET_WEATHER] } }
    const { events } = await ask(toInput({ content, ...context }))
    const uses = events.flatMap(event => event.toolUseEvent ?? [])
    expect(uses.at(-1)).toMatchObject({ name: 'get_weather', stop: true })
    const { toolUseId } = uses[0]!
    const input = JSON.parse(uses.map(use => use.input ?? '').join('')) as object
    expect(input).toEqual({ city: 'Lima' })

    const history = [
      { userInputMessage: { content } },
      { assistantResponseMessage: { content: '', toolUses: [{ toolUseId, name: 'get_weather', input }] } },
    ]
    const toolResults = [{ toolUseId, status: 'success' as const, content: [{ text: '18 C, cloudy' }] }]
    const userInputMessageContext = { tools: [GET_WEATHER], toolResults: toolResults as never }
    const second = await ask(toInput({ content: '', userInputMessageContext }, history))
    expect(second.error).toBeNull()
    expect(textOf(second.events)).toBe('The tool said: "18 C, cloudy".')
  })

  it('reads reasoning, and skips what it does not know', async () => {
    const reasoning = await ask(toInput({ content: '[simulate: script=reasoning]' }))
    expect(reasoning.events[0]).toMatchObject({ reasoningContentEvent: { text: expect.any(String) as string } })
    const all = await ask(toInput({ content: '[simulate: script=all-events]' }))
    expect([all.error, textOf(all.events)]).toEqual([null, answerText()])
  })

  it.each(EXCEPTION_NAMES.filter(name => name !== 'dry-run'))('raises %s before the stream', async name => {
    const fault: ServiceFault = EXCEPTIONS[name]
    const { error } = await ask(toInput({ content: `[simulate: error=${name}]` }))
    expect(error).toMatchObject({
      name: fault.exception,
      message: fault.message,
      $metadata: { httpStatusCode: fault.status, requestId: expect.stringMatching(/^0{8}-/) as string },
    })
  })

  it('raises exceptions in the stream, by what they are called', async () => {
    const member = await ask(toInput({ content: '[simulate: script=exception&error=capacity]' }))
    expect(member.error).toMatchObject({ name: 'InternalServerException', message: EXCEPTIONS.capacity.message })
    const named = await ask(toInput({ content: '[simulate: script=exception&error=capacity&as=name]' }))
    expect(named.error).toMatchObject({ name: 'ThrottlingException' })
    expect((named.error as Error).message).toContain('INSUFFICIENT_MODEL_CAPACITY')
    const unmodelled = await ask(toInput({ content: '[simulate: script=error-frame]' }))
    expect(unmodelled.error).toMatchObject({ name: 'InternalServerException', message: EXCEPTIONS.internal.message })
    for (const { events } of [member, named, unmodelled]) expect(textOf(events)).toBe('the mill stands')
  })

  it.each(Object.keys(BROKEN_FRAMES).filter(name => /crc|payload|header-bytes|length-15/.test(name)))(
    'refuses a broken frame: %s',
    async how => {
      const { events, error } = await ask(toInput({ content: `[simulate: script=broken-frame&how=${how}]` }))
      expect(error).toBeInstanceOf(Error)
      expect(textOf(events)).toBe('the mill stands')
    },
  )

  it('tries again what is worth it, under the same invocation', async () => {
    const patient = connect('aoa-patient', 3)
    simulator.control.script({ credential: 'aoa-patient', answers: ['error=throttled', 'error=high-load', ''] })
    const { events, error } = await ask(toInput({ content: 'Hello' }), patient)
    patient.destroy()
    expect([error, textOf(events)]).toEqual([null, answerText()])
    const calls = simulator.state.calls.filter(call => call.credential === 'aoa-patient')
    expect(calls.map(({ attempt, status }) => [attempt, status])).toEqual([
      ['attempt=1; max=3', 429],
      ['attempt=2; max=3', 500],
      ['attempt=3; max=3', 200],
    ])
    expect(new Set(calls.map(call => call.invocationId)).size).toBe(1)
  })
})
