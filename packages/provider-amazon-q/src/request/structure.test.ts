import { array, assert, asyncProperty, constantFrom, oneof, option, record, string, type Arbitrary } from 'fast-check'
import { expect, test } from 'vitest'
import { toConversation } from './index.ts'
import type { ChatRequest } from '@millrace/core'
import type { ConversationState, ToolResult, ToolUse, UserInputMessage } from './conversation-state.ts'

type Message = ChatRequest['messages'][number]

const ids = constantFrom('call_1', 'call_2', 'call:1', 'call.1', 'x'.repeat(70), `${'x'.repeat(70)}y`)
const names = oneof(
  constantFrom('look', 'my.tool', 'my_tool', '9', 'é', '\ud83d', 'n'.repeat(70)),
  string({ minLength: 1 }),
)
const words = oneof(constantFrom('', ' \n', 'hello', '\ud83d', '😀'), string({ unit: 'binary' }))
const text = record({ type: constantFrom('text'), text: words })
const picture = constantFrom({ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } })
const call = record({
  id: ids,
  type: constantFrom('function'),
  function: record({ name: names, arguments: constantFrom('{}', '', '{"a":1}', '{"":"\\ud83d"}', '[1]', '{"cut') }),
})
const message: Arbitrary<Message> = oneof(
  record({ role: constantFrom('system', 'developer'), content: words }),
  record({ role: constantFrom('user'), content: oneof(words, array(oneof(text, picture), { maxLength: 2 })) }),
  record({
    role: constantFrom('assistant'),
    content: oneof(words, array(text, { maxLength: 2 }), constantFrom(null)),
    tool_calls: option(array(call, { maxLength: 3 })),
  }),
  record({ role: constantFrom('tool'), tool_call_id: ids, content: oneof(words, array(text, { maxLength: 2 })) }),
)
const conversation = array(message, { minLength: 1, maxLength: 10 })

function usesOf(state: ConversationState, at: number): readonly ToolUse[] {
  const message = state.history?.[at]
  return message !== undefined && 'assistantResponseMessage' in message
    ? (message.assistantResponseMessage.toolUses ?? [])
    : []
}

function resultsOf(said: UserInputMessage): readonly ToolResult[] {
  return said.userInputMessageContext?.toolResults ?? []
}

/** The rules of the service that a conversation breaks. */
function mistakesIn({ conversationState: state }: { conversationState: ConversationState }, json: string): string[] {
  const mistakes: string[] = []
  const must = (isKept: boolean, rule: string): void => void (isKept || mistakes.push(rule))
  const current = state.currentMessage.userInputMessage
  const history = state.history ?? []
  const tools = current.userInputMessageContext?.tools ?? []
  const offered = tools.map(({ toolSpecification }) => toolSpecification.name)
  const allUses = history.flatMap((_, at) => usesOf(state, at))

  must(history.length % 2 === 0, 'the history ends with the assistant')
  for (const [at, said] of [...history, state.currentMessage].entries()) {
    must('userInputMessage' in said === (at % 2 === 0), 'sides alternate, the user first')
    const content = 'userInputMessage' in said ? said.userInputMessage.content : said.assistantResponseMessage.content
    must(content.trim() !== '', 'content is not empty')
    if (!('userInputMessage' in said)) continue
    const answers = resultsOf(said.userInputMessage)
    must(
      JSON.stringify(answers.map(({ toolUseId }) => toolUseId)) ===
        JSON.stringify(usesOf(state, at - 1).map(({ toolUseId }) => toolUseId)),
      'results are those of the calls before, in their order',
    )
    must(
      answers.every(({ content }) => content.length > 0 && content.every(({ text }) => text !== '')),
      'results say something',
    )
    must(
      said.userInputMessage === current || said.userInputMessage.userInputMessageContext?.tools === undefined,
      'tools are on the current message only',
    )
  }
  must(new Set(allUses.map(({ toolUseId }) => toolUseId)).size === allUses.length, 'no id twice')
  for (const { toolUseId, name, input } of allUses) {
    must(/^[\w-]{1,64}$/.test(toolUseId), 'ids are acceptable')
    must(offered.includes(name), 'tools of the history are offered')
    must(typeof input === 'object' && input !== null && !Array.isArray(input), 'input is an object')
  }
  must(new Set(offered).size === offered.length, 'no tool twice')
  for (const { toolSpecification } of tools) {
    must(/^[a-zA-Z][\w-]{0,63}$/.test(toolSpecification.name), 'names are acceptable')
    must(toolSpecification.description !== '', 'descriptions are not empty')
    must(toolSpecification.inputSchema.json['type'] === 'object', 'schemas are of objects')
  }
  must(!/\\ud[89a-f]|"":|:null|:\[\]/.test(json.replaceAll('\\\\', '')), 'nothing null, empty or half')
  return mistakes
}

function textsOf({ content }: Message): string[] {
  const texts = Array.isArray(content) ? content.flatMap(part => (part['text'] as string | undefined) ?? []) : [content]
  return texts.filter(text => typeof text === 'string').map(text => text.toWellFormed())
}

test('any messages make a conversation that keeps the rules, says all they say, and knows all tools by their names', async () => {
  await assert(
    asyncProperty(
      conversation,
      option(array(names)),
      constantFrom('auto', 'none'),
      async (messages, called, choice) => {
        const unique = [...new Set(called)]
        const request: ChatRequest = {
          model: 'M',
          messages,
          tools: called && unique.map(name => ({ type: 'function', function: { name } })),
          tool_choice: choice,
        }
        const { body, toolNames } = await toConversation(request, {
          conversationId: 'c',
          modelId: 'm',
          origin: 'CLI',
          profileArn: undefined,
          flavour: 'json',
          hasBareSchemas: false,
          signal: new AbortController().signal,
        })
        const json = body.toString()
        const value = JSON.parse(json) as { conversationState: ConversationState }
        expect(mistakesIn(value, json)).toEqual([])

        const lost = messages.flatMap(textsOf).filter(text => !json.includes(JSON.stringify(text.trim()).slice(1, -1)))
        expect(lost).toEqual([])
        const sent = value.conversationState.currentMessage.userInputMessage.userInputMessageContext?.tools ?? []
        const known = new Set(sent.map(({ toolSpecification: { name } }) => toolNames.get(name) ?? name))
        const unknown = choice === 'auto' ? unique.filter(name => !known.has(name)) : []
        expect(unknown).toEqual([])
      },
    ),
    { numRuns: 300 },
  )
})
