import { answerText } from '@millrace/simulator'
import { expect, test } from 'vitest'
import { gatewayWithSimulator, KEY } from './gateway-with-simulator.ts'

const world = gatewayWithSimulator()

/** What Codex sends of a turn, but for the length of its texts. */
function codexBody(model: string, ...turn: readonly object[]): object {
  return {
    model,
    stream: true,
    store: false,
    input: [
      message('developer', 'You are a coding agent.'),
      message('developer', '<permissions>'),
      message('user', '<environment_context>'),
      message('user', 'Does the mill run?'),
      ...turn,
    ],
    tools: [
      {
        type: 'function',
        name: 'exec_command',
        description: 'Runs a command.',
        strict: false,
        parameters: { type: 'object', properties: { cmd: { type: 'string' } }, required: ['cmd'] },
      },
      {
        type: 'namespace',
        name: 'multi_agent_v1',
        description: 'Agents.',
        tools: [
          { type: 'function', name: 'spawn_agent', strict: false, parameters: { type: 'object', properties: {} } },
        ],
      },
      { type: 'web_search', external_web_access: false },
    ],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: 'test-thread',
    client_metadata: { 'x-codex-installation-id': 'test' },
  }
}

function message(role: string, text: string): object {
  return { type: 'message', id: 'msg_client', role, content: [{ type: 'input_text', text }] }
}

async function ask(body: object): Promise<{ status: number; events: Record<string, unknown>[] }> {
  const response = await fetch(`${world.gateway.baseUrl}/responses`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
      originator: 'codex_exec',
      'session-id': 'test-session',
    },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!) as Record<string, unknown>)
  return { status: response.status, events }
}

function itemsIn(events: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return events
    .filter(({ type }) => type === 'response.output_item.done')
    .map(({ item }) => item as Record<string, unknown>)
}

test('a turn with a tool, and the one after it', async () => {
  const command = encodeURIComponent('{"cmd":"ls"}')
  const model = `sim/tool?arguments=${command}`
  const first = await ask(codexBody(model))
  const [call] = itemsIn(first.events)
  expect(call).toMatchObject({ type: 'function_call', name: 'exec_command', arguments: '{"cmd":"ls"}' })
  const sent = JSON.parse(world.simulator.stats.lastRequest!.body) as { messages: object[]; tools: object[] }
  expect(sent.messages.map(({ role }: { role?: string }) => role)).toEqual(['system', 'system', 'user', 'user'])
  expect(sent.tools).toMatchObject([
    { type: 'function', function: { name: 'exec_command', strict: false } },
    { type: 'function', function: { name: 'multi_agent_v1__spawn_agent' } },
  ])

  const output = { type: 'function_call_output', id: 'fco_client', call_id: call!['call_id'], output: 'Output:\nmill' }
  const second = await ask(
    codexBody(model, { type: 'reasoning', id: 'rs_1', summary: [], content: null }, call!, output),
  )
  expect(itemsIn(second.events)).toMatchObject([{ type: 'message', content: [{ text: answerText(20) }] }])
  const { usage } = second.events.at(-1)!['response'] as { usage: object }
  expect(usage).toMatchObject({ input_tokens: 12, output_tokens: 20 })
})

test('a tool of a namespace comes back in it', async () => {
  const { events } = await ask(codexBody('sim/tool?name=multi_agent_v1__spawn_agent&arguments={}'))
  expect(itemsIn(events)).toMatchObject([
    { type: 'function_call', namespace: 'multi_agent_v1', name: 'spawn_agent', arguments: '{}' },
  ])
})

test.for<[scenario: string, code: string, words: RegExp]>([
  ['error?status=500&message=Broken.', 'server_error', /^Broken/],
  ['error?status=503&message=Busy.', 'rate_limit_exceeded', /Busy. Please try again in 5s/],
  ['error?status=429&retryAfter=7&message=Slowly.', 'rate_limit_exceeded', /Slowly. Please try again in 7s/],
  ['error?status=429&code=insufficient_quota&message=Spent.', 'insufficient_quota', /Spent/],
  ['error?status=400&code=context_length_exceeded&message=Too+long.', 'context_length_exceeded', /Too long/],
  ['error?status=400&message=No.', 'invalid_prompt', /^No/],
  ['error?status=401', 'invalid_prompt', /key/],
  ['hangup', 'server_error', /\w/],
])('what would be asked thirty times over is told in a stream: %s', async ([scenario, code, words]) => {
  const { status, events } = await ask(codexBody(`sim/${scenario}`))
  expect(status).toBe(200)
  expect(events.map(({ type }) => type)).toEqual(['response.created', 'response.in_progress', 'response.failed'])
  expect(events.at(-1)).toMatchObject({ response: { error: { code, message: expect.stringMatching(words) } } })
})
