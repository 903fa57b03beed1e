import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerText } from '@millrace/simulator'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chromiumFile, FOREIGN_HOST, launchChromium } from './chromium.ts'
import { orSkip } from './or-skip.ts'
import { gatewayWithSimulator, KEY, upstreamClosed } from './gateway-with-simulator.ts'

const file = await orSkip('Chromium', chromiumFile)
let browser: Browser
beforeAll(async () => void (browser = await launchChromium(file!)))
afterAll(() => browser.close())

const html = await readFile(new URL('./page.html', import.meta.url))
const site = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html))
site.listen(0, '127.0.0.1')
await once(site, 'listening')
afterAll(() => void site.close())
const { port } = site.address() as AddressInfo

let page: Page
beforeEach(async () => void (page = await browser.newPage()))
afterEach(() => page.close())

/** Calls a function of the page. */
function call(name: string, ...args: readonly string[]): Promise<unknown> {
  return page.evaluate(`${name}(${args.map(argument => JSON.stringify(argument)).join()})`)
}

function shown(): Promise<string | null> {
  return page.locator('#text').textContent()
}

/** Resolves as soon as the page shows the text. */
async function shows(text: string): Promise<void> {
  await page.waitForFunction(`output.textContent === ${JSON.stringify(text)}`)
}

describe.skipIf(file === undefined)('a gateway with keys', () => {
  const world = gatewayWithSimulator()

  const ask = (model: string, key = KEY): Promise<unknown> => call('ask', world.gateway.baseUrl, key, model)

  test.for(['localhost', FOREIGN_HOST])('a page of %s reads a stream, and its id', async host => {
    await page.goto(`http://${host}:${port}/`)
    await expect(ask('sim/text')).resolves.toEqual({
      status: 200,
      requestId: expect.stringMatching(/^[\da-f-]{36}$/),
      ended: 'done',
    })
    await expect(shown()).resolves.toBe(answerText(20))
    await expect(call('models', world.gateway.baseUrl, KEY)).resolves.toContain('sim/text')
  })

  test('every character of every script', async () => {
    await page.goto(`http://localhost:${port}/`)
    await ask('sim/unicode?size=1')
    await expect(shown()).resolves.toContain('龙骑士在河边磨面。 👩‍🚀🌾 line\u2028separator')
  })

  test('words are shown while the upstream is still at it, and aborting closes the upstream', async () => {
    await page.goto(`http://localhost:${port}/`)
    const asked = ask('sim/stall?after=5')
    asked.catch(() => undefined)
    await shows(answerText(4))
    expect(world.simulator.stats.streamsOpen).toBe(1)
    const leftAt = performance.now()
    await call('controller.abort')
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
    await expect(asked).rejects.toThrow('AbortError')
  })

  test('leaving the page closes the upstream', async () => {
    await page.goto(`http://localhost:${port}/`)
    ask('sim/stall?after=5').catch(() => undefined)
    await shows(answerText(4))
    const leftAt = performance.now()
    await page.goto('about:blank')
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
  })

  test('an error in the middle comes after the words before it', async () => {
    await page.goto(`http://localhost:${port}/`)
    const model = 'sim/error-in-stream?after=4&message=The+sluice+is+shut.'
    await expect(ask(model)).resolves.toMatchObject({ status: 200, ended: 'The sluice is shut.' })
    await expect(shown()).resolves.toBe(answerText(3))
  })

  test.for([
    ['no key', '', 'sim/text', 401, 'invalid_api_key'],
    ['a wrong key', 'test-key-of-nobody', 'sim/text', 401, 'invalid_api_key'],
    ['a model that is not there', KEY, 'unheard/of', 404, 'model_not_found'],
    ['an upstream at its limit', KEY, 'sim/error?status=429', 429, 'rate_limit_exceeded'],
  ] as const)('%s: the page can read the error', async ([, key, model, status, code]) => {
    await page.goto(`http://${FOREIGN_HOST}:${port}/`)
    await expect(ask(model, key)).resolves.toMatchObject({
      status,
      requestId: expect.stringMatching(/^[\da-f-]{36}$/),
      error: { code },
    })
  })
})

describe.skipIf(file === undefined)('an open gateway', () => {
  const world = gatewayWithSimulator({ auth: { keys: [] } })

  test('a page of this machine reads a stream without a key', async () => {
    await page.goto(`http://localhost:${port}/`)
    await expect(call('ask', world.gateway.baseUrl, '', 'sim/text')).resolves.toMatchObject({
      status: 200,
      ended: 'done',
    })
    await expect(shown()).resolves.toBe(answerText(20))
  })

  test('a page of another host gets nothing, and spends nothing', async () => {
    await page.goto(`http://${FOREIGN_HOST}:${port}/`)
    await expect(call('ask', world.gateway.baseUrl, '', 'sim/text')).rejects.toThrow('Failed to fetch')
    expect(world.simulator.stats.chats).toBe(0)
  })
})
