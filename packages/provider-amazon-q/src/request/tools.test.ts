import { expect, test } from 'vitest'
import { toConversation } from './index.ts'
import { call, calls, OPTIONS, result, saidIn, says, system, tool, user } from '../testing/conversations.ts'

test('tools stand on the current message only', async () => {
  const said = await saidIn([user(), calls('1'), result('1'), says('a'), user('b')], { tools: [tool('look')] })
  expect(said.map(({ userInputMessageContext }) => userInputMessageContext?.tools?.length)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    1,
  ])
})

test('tools of the history that are not offered any more are there, and not to be called', async () => {
  const said = await saidIn([user(), calls('1'), result('1')], { tools: [tool('other')] })
  const specifications = said.at(-1)!.userInputMessageContext!.tools!.map(({ toolSpecification }) => toolSpecification)
  expect(specifications.map(({ name, description }) => [name, description])).toEqual([
    ['other', 'Tool: other'],
    ['look', 'This tool is not available any more. Do not call it.'],
  ])
})

test('tool_choice "none": no tools where the history knows none, and else a word about it', async () => {
  const members = { tools: [tool('look'), tool('other')], tool_choice: 'none' }
  expect((await saidIn([user()], members))[0]!.userInputMessageContext).toBeUndefined()

  const said = await saidIn([user(), calls('1'), result('1')], members)
  expect(said[0]!.content).toBe('Do not call any tool now: answer in words.')
  expect(said.at(-1)!.userInputMessageContext?.tools?.map(({ toolSpecification }) => toolSpecification.name)).toEqual([
    'look',
  ])
})

test('names that are too long or not acceptable are changed everywhere, and can be changed back', async () => {
  const long = `mcp__${'a'.repeat(80)}`
  const request = {
    model: 'M',
    messages: [user(), { role: 'assistant' as const, tool_calls: [call('1', long), call('2', 'my.tool')] }],
    tools: [tool(long), tool('my.tool'), tool('fine-name')],
  }
  const { body, toolNames } = await toConversation(request, OPTIONS)
  expect([...toolNames.values()]).toEqual([long, 'my.tool'])
  const { conversationState } = JSON.parse(body.toString()) as { conversationState: Record<string, unknown> }
  for (const sent of toolNames.keys()) {
    expect(sent).toMatch(/^[a-zA-Z][\w-]{0,63}$/)
    expect(JSON.stringify(conversationState['history'])).toContain(`"name":"${sent}"`)
    expect(JSON.stringify(conversationState['currentMessage'])).toContain(`"name":"${sent}"`)
  }
})

test('what does not fit into a description goes on in the system prompt', async () => {
  const description = `${'a'.repeat(9999)}😀 the rest`
  const [first, , last] = await saidIn([system('s'), user()], { tools: [tool('look', { description })] })
  expect(last!.userInputMessageContext?.tools?.[0]?.toolSpecification.description).toBe('a'.repeat(9999))
  expect(first!.content).toBe('s\n\nThe description of the tool "look" goes on:\n😀 the rest')
})

test('a blank description is one', async () => {
  const [said] = await saidIn([user()], { tools: [tool('look', { description: ' ' })] })
  expect(said!.userInputMessageContext?.tools?.[0]?.toolSpecification.description).toBe('Tool: look')
})
