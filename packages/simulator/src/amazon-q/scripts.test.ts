import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { answerText } from '../words.ts'
import { startAmazonQSimulator } from './amazon-q-simulator.ts'
import type { AmazonQSimulator } from './amazon-q-simulator.ts'
import { askAmazonQ, faultOf, framesOf, namesOf, payloadsOf, textOf } from './ask-amazon-q.ts'
import { EXCEPTION_NAMES, EXCEPTIONS } from './exceptions.ts'
import type { ServiceFault } from './exceptions.ts'
import { AMAZON_Q_SCRIPTS } from './scripts.ts'
import { TEXTS } from './scripts/texts.ts'
import { TOOLS } from './scripts/tools.ts'

let simulator: AmazonQSimulator
beforeAll(async () => {
  simulator = await startAmazonQSimulator()
})
afterEach(() => simulator.control.reset())
afterAll(() => simulator.close())

const WISH = 'script=text&words=3'
const THREE = 'the mill stands'

describe('a wish', () => {
  it('stands behind the model, in the prompt, or in a header', async () => {
    const [model, prompt, header] = await Promise.all([
      askAmazonQ(simulator, `claude-sonnet-4?${WISH}`),
      askAmazonQ(simulator, '', { content: `Run. [simulate: ${WISH}] Now!` }),
      askAmazonQ(simulator, '', { headers: { 'x-simulate': WISH } }),
    ])
    expect([model, prompt, header].map(textOf)).toEqual([THREE, THREE, THREE])
  })

  it('may be what all get', async () => {
    await using other = await startAmazonQSimulator({ defaultScenario: WISH })
    expect(textOf(await askAmazonQ(other, ''))).toBe(THREE)
    await expect(startAmazonQSimulator({ defaultScenario: 'script=none' })).rejects.toThrow('There is no script')
  })

  it('may hold for some requests only', async () => {
    const statuses: number[] = []
    for (let at = 0; at < 3; at++) statuses.push((await askAmazonQ(simulator, '?error=throttled&times=2')).status)
    expect(statuses).toEqual([429, 429, 200])
  })

  it.each([
    'script=none',
    'mill=1',
    'error=none',
    'script=text&words=many',
    'script=stall&frames=x',
    'script=exception&at=nowhere',
    'usage=odd',
  ])('is refused where it makes no sense: %s', async wish => {
    const reply = await askAmazonQ(simulator, `?${wish}`)
    expect(faultOf(reply).slice(0, 2)).toEqual([400, 'ValidationException'])
  })
})

describe('errors', () => {
  it.each(EXCEPTION_NAMES.filter(name => name !== 'dry-run'))('%s is said in both flavours', async name => {
    const { status, exception, reason, message }: ServiceFault = EXCEPTIONS[name]
    const json = await askAmazonQ(simulator, `?error=${name}`)
    const rest = await askAmazonQ(simulator, `?error=${name}`, { flavour: 'rest' })
    for (const reply of [json, rest]) expect(faultOf(reply)).toEqual([status, exception, reason, message])
    expect(json.headers).not.toHaveProperty('x-amzn-errortype')
    expect(JSON.parse(json.text)).toEqual({ __type: `com.amazon.aws.codewhisperer#${exception}`, message, reason })
    expect(JSON.parse(rest.text)).toEqual({ message, reason })
    expect([json, rest].map(reply => reply.headers['content-type'])).toEqual([
      'application/x-amz-json-1.0',
      'application/json',
    ])
  })

  it('of a dry run have no body', async () => {
    const { status, text } = await askAmazonQ(simulator, '', { members: { dryRun: true } })
    expect([status, text]).toEqual([204, ''])
  })

  it.each([
    ['short', '{"__type":"ThrottlingException","message"'],
    ['code', '{"code":"com.amazon.coral.service#ThrottlingException"'],
    ['bare', '{"message"'],
    ['capital', '{"Message"'],
    ['html', '<!DOCTYPE html>'],
    ['text', 'Too many requests'],
    ['empty', ''],
    ['cut', '{"__type":"ThrottlingException","mess'],
  ])('may be written in other ways: %s', async (shape, beginning) => {
    const { status, text } = await askAmazonQ(simulator, `?error=throttled&shape=${shape}`)
    expect([status, text.slice(0, beginning.length)]).toEqual([429, beginning])
  })

  it('may have another status, other words, and a time to wait', async () => {
    const wish = 'error=throttled&status=503&message=Later&reason=ODD&retryAfter=7'
    const reply = await askAmazonQ(simulator, `?${wish}`)
    expect(faultOf(reply)).toEqual([503, 'ThrottlingException', 'ODD', 'Later'])
    expect(reply.headers['retry-after']).toBe('7')
  })
})

describe('streams', () => {
  it.each([...Object.keys(TEXTS), ...Object.keys(TOOLS)])('%s is whole frames, however they are cut', async script => {
    const headers = { 'x-simulate': `script=${script}&words=4` }
    const whole = await askAmazonQ(simulator, '', { headers })
    const cut = await askAmazonQ(simulator, '', { headers: { 'x-simulate': `${headers['x-simulate']}&split=7` } })
    expect([whole.status, whole.error]).toEqual([200, null])
    expect(namesOf(whole)[0]).toBe('initial-response')
    expect(cut.pieces.length).toBeGreaterThan(whole.pieces.length)
    expect(Buffer.concat([...cut.pieces])).toEqual(Buffer.concat([...whole.pieces]))
  })

  it.each(Object.keys(AMAZON_Q_SCRIPTS).filter(name => name !== 'silence' && name !== 'stall'))(
    '%s is the same each time',
    async script => {
      const [one, other] = await Promise.all(
        [1, 2].map(() => askAmazonQ(simulator, `?script=${script}`).catch((error: Error) => error.message)),
      )
      expect(typeof one === 'string' ? one : one!.text).toEqual(typeof other === 'string' ? other : other!.text)
    },
  )

  it('name their frames in the usual order, their members by the alphabet', async () => {
    const frames = framesOf(await askAmazonQ(simulator, '?script=tool&stop=TOOL_USE'))
    for (const { headers, payload } of frames) {
      expect(Object.keys(headers)).toEqual([':event-type', ':content-type', ':message-type'])
      const members = Object.keys(JSON.parse(payload) as object)
      expect(members).toEqual(members.toSorted())
    }
    expect(frames.at(-1)!.payload).toBe('{"stopReason":"TOOL_USE"}')
  })

  it('tell usage in many ways', async () => {
    const usage = async (mode: string): Promise<readonly string[]> =>
      namesOf(
        await askAmazonQ(simulator, `?script=text&words=2&prompt=1000&output=10&usage=${mode}`, { flavour: 'rest' }),
      )
    const [text, context, metering, metadata] = [
      'assistantResponseEvent',
      'contextUsageEvent',
      'meteringEvent',
      'metadataEvent',
    ] as const
    expect(await usage('none')).toEqual([text, text])
    expect(await usage('context')).toEqual([text, text, context, metering])
    expect(await usage('tokens')).toEqual([text, text, metadata, metering])
    expect(await usage('both')).toEqual([text, text, metadata, context, metering])
    expect(await usage('twice')).toEqual([text, text, metadata, metadata, metering])
    expect(await usage('before')).toEqual([context, metering, text, text])
    expect(await usage('each')).toEqual([text, context, text, context, metering])
    const counted = await askAmazonQ(simulator, '?usage=tokens&prompt=1000&output=10&cached=200')
    expect(payloadsOf(counted, 'metadataEvent')).toEqual([
      { tokenUsage: { cacheReadInputTokens: 200, outputTokens: 10, totalTokens: 1010, uncachedInputTokens: 800 } },
    ])
    const negative = await askAmazonQ(simulator, '?usage=negative&prompt=1000&output=10')
    expect(payloadsOf(negative, 'metadataEvent')).toMatchObject([{ tokenUsage: { totalTokens: -1010 } }])
    const context200 = await askAmazonQ(simulator, 'claude-sonnet-4?prompt=1990&output=10')
    expect(payloadsOf(context200, context)).toEqual([{ contextUsagePercentage: 1 }])
    const full = await askAmazonQ(simulator, '?percentage=100')
    expect(payloadsOf(full, context)).toEqual([{ contextUsagePercentage: 100 }])
  })

  it('have an initial response where that is wanted', async () => {
    expect(namesOf(await askAmazonQ(simulator, '?initial=0'))[0]).toBe('assistantResponseEvent')
    expect(namesOf(await askAmazonQ(simulator, '?initial=1', { flavour: 'rest' }))[0]).toBe('initial-response')
  })

  it('think where the request wants that', async () => {
    const tags = '<thinking_mode>enabled</thinking_mode><max_thinking_length>100</max_thinking_length>Run!'
    const tagged = textOf(await askAmazonQ(simulator, '', { content: tags }))
    expect(tagged).toMatch(/^<thinking>\w.*<\/thinking>\n\nthe mill/s)
    const members = { additionalModelRequestFields: { output_config: { effort: 'high' } } }
    const native = await askAmazonQ(simulator, '', { members })
    expect(payloadsOf(native, 'reasoningContentEvent').at(-1)).toEqual({ signature: 'c2ltdWxhdGVk' })
    expect(textOf(native)).toBe(answerText())
  })

  it('echo, and keep letters of many bytes', async () => {
    const content = 'Grüße, 世界\n🏭  und mehr '
    expect(textOf(await askAmazonQ(simulator, '?script=echo', { content }))).toBe(content)
    expect(textOf(await askAmazonQ(simulator, '?script=echo&size=1&split=1', { content }))).toBe(content)
    expect(textOf(await askAmazonQ(simulator, '?script=multi-byte&split=1'))).toBe('Grüße, 世界 🏭 — done')
    expect(textOf(await askAmazonQ(simulator, '?script=split-tags&words=1'))).toMatch(
      /^<thinking>.*<\/thinking>\n\nthe$/,
    )
  })

  it('say which model it was only where it was not named', async () => {
    const [first] = payloadsOf(await askAmazonQ(simulator, 'auto'), 'assistantResponseEvent')
    expect(first).toEqual({ content: 'the', modelId: 'claude-sonnet-4.5' })
    expect(payloadsOf(await askAmazonQ(simulator, 'claude-sonnet-4'), 'assistantResponseEvent')[0]).toEqual({
      content: 'the',
    })
  })
})
