import type { ChatRequest } from '@millrace/core'
import { describe, expect, test } from 'vitest'
import { responses } from './index.ts'
import { createToolNames } from './tool-names.ts'

const read = (body: object): ChatRequest => responses.read({ model: 'm', input: 'Go', ...body }).chat
const parameters = { type: 'object', properties: { by: { type: 'number' } } }
const TURN = { type: 'function', name: 'turn', description: 'Turns.', parameters, strict: false }
const PATCH = {
  type: 'custom',
  name: 'patch',
  description: 'Patches.',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
}
const AGENTS = { type: 'namespace', name: 'agents', description: 'Agents.', tools: [{ ...TURN, name: 'spawn' }] }
const SEARCH = { type: 'web_search', external_web_access: false }

const namesOf = (chat: ChatRequest): unknown => chat.tools?.map(tool => tool.function!.name)

describe('tools', () => {
  test('functions, custom ones and namespaces are functions; what a service would run is left out', () => {
    const { tools } = read({ tools: [TURN, AGENTS, SEARCH, PATCH] })
    expect(tools).toEqual([
      { type: 'function', function: { name: 'turn', description: 'Turns.', parameters, strict: false } },
      {
        type: 'function',
        function: {
          name: 'patch',
          description: 'Patches.\n\nThe input must follow this lark grammar:\nstart: "x"',
          parameters: expect.objectContaining({ required: ['input'] }),
        },
      },
      { type: 'function', function: { name: 'agents__spawn', description: 'Turns.', parameters, strict: false } },
    ])
  })

  test('without any left, nothing is said of them', () => {
    const chat = read({ tools: [SEARCH], tool_choice: 'required', parallel_tool_calls: true })
    expect(chat).toEqual(read({}))
  })

  test.each<[unknown, unknown]>([
    ['required', 'required'],
    [
      { type: 'function', name: 'turn' },
      { type: 'function', function: { name: 'turn' } },
    ],
    [
      { type: 'custom', name: 'patch' },
      { type: 'function', function: { name: 'patch' } },
    ],
    [
      { type: 'function', name: 'spawn', namespace: 'agents' },
      { type: 'function', function: { name: 'agents__spawn' } },
    ],
  ])('the choice %j', (tool_choice, chosen) => {
    expect(read({ tools: [TURN, PATCH, AGENTS], tool_choice, parallel_tool_calls: false })).toMatchObject({
      tool_choice: chosen,
      parallel_tool_calls: false,
    })
  })

  test('a choice among some offers these alone', () => {
    const tools = [{ type: 'function', name: 'turn' }, { type: 'web_search' }]
    const chat = read({ tools: [TURN, PATCH, SEARCH], tool_choice: { type: 'allowed_tools', mode: 'required', tools } })
    expect([namesOf(chat), chat['tool_choice']]).toEqual([['turn'], 'required'])
  })

  test.each<[string, object, string, string]>([
    [
      'one that a service would run',
      { tools: [TURN, { type: 'code_interpreter' }] },
      'unsupported_parameter',
      'tools[1].type',
    ],
    [
      'a choice of one',
      { tools: [TURN], tool_choice: { type: 'file_search' } },
      'unsupported_parameter',
      'tool_choice.type',
    ],
    ['a function without a name', { tools: [{ type: 'function' }] }, 'missing_required_parameter', 'tools[0].name'],
    [
      'the same in a namespace',
      { tools: [{ ...AGENTS, tools: [{ type: 'custom' }] }] },
      'missing_required_parameter',
      'tools[0].tools[0].name',
    ],
    [
      'a choice without a name',
      { tool_choice: { type: 'function' } },
      'missing_required_parameter',
      'tool_choice.name',
    ],
  ])('%s is refused', (_, body, code, param) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ code, param }))
  })
})

describe('names', () => {
  const spawn = { kind: 'function', name: 'spawn', namespace: 'agents' } as const

  test('come back as they were', () => {
    const names = createToolNames()
    const tools = [{ kind: 'custom', name: 'patch' } as const, spawn]
    expect(tools.map(tool => names.identify(names.flatten(tool)))).toEqual(tools)
    expect(names.identify('unheard_of')).toEqual({ kind: 'function', name: 'unheard_of' })
  })

  test('are never shared', () => {
    const names = createToolNames()
    const tools = [
      { kind: 'function', name: 'a__b__c' } as const,
      { kind: 'function', name: 'c', namespace: 'a__b' } as const,
      { kind: 'function', name: 'b__c', namespace: 'a' } as const,
    ]
    const flats = tools.map(tool => names.flatten(tool))
    expect(flats[0]).toBe('a__b__c')
    expect(new Set(flats).size).toBe(3)
    expect(flats.map(flat => names.identify(flat))).toEqual(tools)
  })

  test('are such as services take, and the same each time', () => {
    const tools = [
      { kind: 'function', name: 'n'.repeat(70), namespace: 'ns' } as const,
      { kind: 'function', name: 'a.b', namespace: 'ns' } as const,
      { kind: 'function', name: 'a/b', namespace: 'ns' } as const,
    ]
    const flats = tools.map(tool => createToolNames().flatten(tool))
    for (const flat of flats) expect(flat).toMatch(/^[\w-]{1,64}$/)
    expect(new Set(flats).size).toBe(3)
    expect(tools.map(tool => createToolNames().flatten(tool))).toEqual(flats)
  })
})
