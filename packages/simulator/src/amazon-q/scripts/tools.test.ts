import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Reply } from '../../ask-simulator.ts'
import { startAmazonQSimulator } from '../amazon-q-simulator.ts'
import type { AmazonQSimulator } from '../amazon-q-simulator.ts'
import { askAmazonQ, callsOf, namesOf, payloadsOf, textOf, toTool } from '../ask-amazon-q.ts'
import type { AmazonQAskOptions } from '../ask-amazon-q.ts'
import type { Message } from '../conversation.ts'

let simulator: AmazonQSimulator
beforeAll(async () => {
  simulator = await startAmazonQSimulator()
})
afterAll(() => simulator.close())

const TOOLS = [
  toTool('write_file', { path: { type: 'string' }, content: { type: 'string' }, mode: { enum: ['w', 'a'] } }, [
    'path',
    'content',
    'mode',
  ]),
  toTool('get_time'),
]

/** A conversation with tools, turn by turn: each turn answers all calls of the one before, or says something. */
function converse(options: AmazonQAskOptions = {}): (said: string) => Promise<Reply> {
  const history: Message[] = []
  let asked: readonly { readonly id: unknown; readonly name: unknown; readonly input: unknown }[] = []
  return async said => {
    const results = asked.map(({ id, name }) => {
      return { toolUseId: String(id), status: 'success', content: [{ text: `${String(name)}: ${said}` }] }
    })
    const content = results.length > 0 ? '' : said
    const current = { content, ...(results.length > 0 && { results }) }
    const reply = await askAmazonQ(simulator, '', { tools: TOOLS, ...options, ...current, history: [...history] })
    asked = callsOf(reply)
    const toolUses = asked.map(({ id, name, input }) => {
      return { toolUseId: String(id), name: String(name), input: input as object }
    })
    const context = results.length > 0 ? { userInputMessageContext: { toolResults: results } } : {}
    history.push(
      { userInputMessage: { content, ...context } },
      { assistantResponseMessage: { content: textOf(reply) || '.', ...(toolUses.length > 0 && { toolUses }) } },
    )
    return reply
  }
}

describe('a turn with tools', () => {
  it('calls the first of them with arguments that fit, then tells of the result', async () => {
    const turn = converse()
    const first = await turn('Write!')
    expect(callsOf(first)).toEqual([
      {
        id: expect.stringMatching(/^tooluse_[\w-]{22}$/) as string,
        name: 'write_file',
        input: { path: 'README.md', content: 'simulated', mode: 'w' },
      },
    ])
    expect(textOf(await turn('done'))).toBe('The tool said: "write_file: done".')
    expect(callsOf(await turn('And again!'))).toHaveLength(1)
  })

  it('does what directives say, step by step', async () => {
    const turn = converse()
    const content = '{"path":"a.txt","content":"]} \\"quoted\\" ["}'
    const first = await turn(
      `Please: [call write_file ${content}] [call get_time] [then call get_time {}] [then say All [done]!] Thanks.`,
    )
    expect(callsOf(first)).toMatchObject([
      { name: 'write_file', input: { path: 'a.txt', content: ']} "quoted" [' } },
      { name: 'get_time', input: {} },
    ])
    const second = await turn('ok')
    expect(callsOf(second)).toMatchObject([{ name: 'get_time', input: {} }])
    expect(callsOf(second)[0]!.id).not.toBe(callsOf(first)[1]!.id)
    expect(textOf(await turn('ok'))).toBe('All [done]!')
  })

  it('tells of the results where directives have come to their end', async () => {
    const turn = converse()
    await turn('[call write_file {"path":"b"}][call get_time {}]')
    expect(textOf(await turn('ok'))).toBe('The tool said: "write_file: ok" and "get_time: ok".')
  })

  it('calls nothing that was not declared', async () => {
    const reply = await askAmazonQ(simulator, '', { content: '[call rm {"path":"/"}]' })
    expect(namesOf(reply)).not.toContain('toolUseEvent')
    expect(textOf(reply)).toMatch(/^the mill/)
  })

  it('says texts without any tools, one in each turn', async () => {
    const turn = converse({ tools: [] })
    expect(textOf(await turn('[say <a href="x">\n  One</a>] [then say Two]'))).toBe('<a href="x">\n  One</a>')
    expect(textOf(await turn('go on'))).toBe('Two')
    expect(textOf(await turn('go on'))).toMatch(/^the mill/)
  })
})

describe('calls', () => {
  const WEATHER = 'name=get_weather&arguments={"city":"Lima","unit":"c"}'
  const call = async (script: string, more = WEATHER): Promise<Reply> =>
    askAmazonQ(simulator, '', { headers: { 'x-simulate': `script=${script}&${more}` } })
  const eventsOf = async (script: string, more?: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    payloadsOf(await call(script, more), 'toolUseEvent')
  const LIMA = { city: 'Lima', unit: 'c' }

  it('come as start, fragments and stop', async () => {
    const events = await eventsOf('tool', `${WEATHER}&size=9`)
    const toolUseId = events[0]!['toolUseId']
    expect(events).toEqual([
      { name: 'get_weather', toolUseId },
      { input: '{"city":"', name: 'get_weather', toolUseId },
      { input: 'Lima","un', name: 'get_weather', toolUseId },
      { input: 'it":"c"}', name: 'get_weather', toolUseId },
      { name: 'get_weather', stop: true, toolUseId },
    ])
  })

  it.each(['tools', 'tools-whole', 'tools-started', 'tools-stopped-twice', 'tools-unstopped', 'tools-mixed'])(
    'are two: %s',
    async script => expect(callsOf(await call(script)).map(({ input }) => input)).toEqual([LIMA, LIMA]),
  )

  it('are as many as are wanted', async () =>
    expect(callsOf(await call('tools', `${WEATHER}&calls=5`))).toHaveLength(5))

  it('are odd in every way', async () => {
    expect((await eventsOf('tools-whole'))[0]).toMatchObject({ stop: true, input: JSON.stringify(LIMA) })
    expect((await eventsOf('tools-object'))[1]).toMatchObject({ input: LIMA })
    expect((await eventsOf('tools-empty')).flatMap(event => event['input'] ?? [])).toEqual([])
    expect((await eventsOf('tools-blank'))[2]).toMatchObject({ input: '', stop: true })
    expect((await eventsOf('tools-null'))[0]).toMatchObject({ input: null, stop: false })
    expect((await eventsOf('tools-unstopped')).some(event => 'stop' in event)).toBe(false)
    expect((await eventsOf('tools-cut')).at(-1)).toMatchObject({ input: '{"city":"Lima' })
    expect((await eventsOf('tools-half')).at(-1)).toMatchObject({ stop: true })
    expect((await eventsOf('tools-no-object')).slice(1, 3)).toMatchObject([{ input: '["Ber' }, { input: 'lin"]' }])
    expect((await eventsOf('tools-no-id'))[0]).toMatchObject({ toolUseId: '' })
    expect((await eventsOf('tools-late-name')).map(event => event['name'])).toEqual(
      [1, 2].flatMap(() => [undefined, undefined, 'get_weather']),
    )
    expect((await eventsOf('tools-hostile'))[0]).toMatchObject({ toolUseId: '__proto__' })
    const repeated = await eventsOf('tools-repeated')
    expect(new Set(repeated.map(event => event['toolUseId'])).size).toBe(2)
    expect(repeated.filter(event => event['stop'])).toHaveLength(4)
    expect(textOf(await call('tools-as-text'))).toContain('[Called get_weather with args {"city":"Lima"')
  })

  it('stand before, behind and among text', async () => {
    expect(namesOf(await call('tools-behind-text')).indexOf('toolUseEvent')).toBeGreaterThan(2)
    expect(namesOf(await call('tools-before-text'))[1]).toBe('toolUseEvent')
    const ids = (await eventsOf('tools-mixed')).slice(0, 2).map(event => event['toolUseId'])
    expect(ids[0]).not.toBe(ids[1])
  })

  it('end with stop reasons that do not fit', async () => {
    expect(payloadsOf(await call('tools-ended'), 'metadataEvent')).toEqual([{ stopReason: 'END_TURN' }])
    const missing = await call('tools-missing')
    expect(payloadsOf(missing, 'metadataEvent')).toEqual([{ stopReason: 'TOOL_USE' }])
    expect(namesOf(missing)).not.toContain('toolUseEvent')
  })

  it('refuse arguments that are no JSON where they must be', async () => {
    expect((await call('tools-object', 'arguments={"cut')).status).toBe(400)
    expect((await eventsOf('tool', 'arguments={"cut'))[1]).toMatchObject({ input: '{"cut' })
  })
})
