import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerText } from '@millrace/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand, runMillrace, type RunningCommand } from '../run-command.ts'
import { orSkip } from './or-skip.ts'
import { gatewayWithSimulator, KEY, upstreamClosed } from './gateway-with-simulator.ts'

const curl = await orSkip('curl', async () => {
  await using command = runCommand('curl', ['--version'])
  return (await command.seen(/^curl \S+/))[0]
})

/** The data of all events. */
function eventsOf(text: string): string[] {
  return text
    .split('\n\n')
    .filter(event => event !== '')
    .map(event => event.replace(/^data: /, ''))
}

function contentOf(text: string): string {
  const chunks = eventsOf(text)
    .slice(0, -1)
    .map(data => JSON.parse(data) as { choices: { delta: { content?: string } }[] })
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
}

describe.skipIf(curl === undefined)('the line that `millrace serve` prints', () => {
  test.for([{}, { MILLRACE_API_KEY: KEY }])('streams when it is run as it stands (%o)', async env => {
    await using gateway = runMillrace(['serve', '--port', '0'], env)
    const [line] = await gateway.seen(/^ +curl -N .*\\\n.*$/m)
    await using command = runCommand('sh', ['-c', line], { env })
    await expect(command.exited).resolves.toBe(0)
    expect(contentOf(command.stdout())).toBe('Hello, Millrace, stream this back to me.')
    expect(eventsOf(command.stdout()).at(-1)).toBe('[DONE]')
  })
})

describe.skipIf(curl === undefined)('curl', () => {
  const world = gatewayWithSimulator()

  let folder: string
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'millrace-curl-'))))
  afterAll(() => rm(folder, { recursive: true }))

  function ask(body: string | object, more: readonly string[] = [], key: string = KEY): RunningCommand {
    const headers = ['-H', 'content-type: application/json', '-H', `authorization: Bearer ${key}`]
    const data = typeof body === 'string' ? body : JSON.stringify(body)
    return runCommand('curl', ['-sSN', ...headers, ...more, '-d', data, `${world.gateway.baseUrl}/chat/completions`])
  }
  const messages = [{ role: 'user', content: 'Does the mill run?' }]

  test('-N shows words while the upstream is still at it, and Ctrl-C closes the upstream', async () => {
    await using command = ask({ model: 'sim/stall?after=5', messages, stream: true })
    await command.seen(/"content":" by"/)
    expect(world.simulator.stats.streamsOpen).toBe(1)
    const leftAt = performance.now()
    command.signal('SIGINT')
    expect(await upstreamClosed(world.simulator, leftAt)).toBeLessThan(1000)
  })

  test('HTTP/1.0: the stream ends with the connection', async () => {
    await using command = ask({ model: 'sim/text', messages, stream: true }, ['--http1.0', '--include'])
    await expect(command.exited).resolves.toBe(0)
    const [head = '', body = ''] = command.stdout().split('\r\n\r\n')
    expect(head).not.toMatch(/transfer-encoding/i)
    expect(contentOf(body)).toBe(answerText(20))
  })

  test('a large body waits for 100 Continue, and gets it', async () => {
    const file = join(folder, 'large.json')
    const large = [{ role: 'user', content: 'mill'.repeat(750_000) }]
    await writeFile(file, JSON.stringify({ model: 'demo/fast', messages: large, max_tokens: 5, stream: true }))
    // Without it curl would go on by itself after a second.
    const patience = ['--expect100-timeout', '600']
    await using command = ask(`@${file}`, [...patience, '--verbose', '--output', join(folder, 'answer')])
    await expect(command.exited).resolves.toBe(0)
    expect(command.stderr()).toMatch(/^> Expect: 100-continue/m)
    expect(command.stderr()).toMatch(/^< HTTP\/1.1 100 Continue/m)
    expect(command.stderr()).toMatch(/^< HTTP\/1.1 200 OK/m)
  })

  test('a large body with a wrong key: the answer arrives all the same', async () => {
    const file = join(folder, 'refused.json')
    await writeFile(
      file,
      JSON.stringify({ model: 'demo/fast', messages: [{ role: 'user', content: 'x'.repeat(8e6) }] }),
    )
    await using command = ask(`@${file}`, [], 'test-key-of-nobody')
    await expect(command.exited).resolves.toBe(0)
    expect(JSON.parse(command.stdout())).toMatchObject({ error: { code: 'invalid_api_key' } })
  })

  test('an error before the answer is a status and JSON, for a stream too', async () => {
    await using command = ask({ model: 'unheard/of', messages, stream: true }, ['--write-out', '\n%{http_code}'])
    await expect(command.exited).resolves.toBe(0)
    const [body = '', status] = command.stdout().split('\n')
    expect(status).toBe('404')
    expect(JSON.parse(body)).toMatchObject({ error: { type: 'invalid_request_error', code: 'model_not_found' } })
  })
})
