import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { describeAmazonQ } from './amazon-q/describe-amazon-q.ts'
import { describeQwen } from './qwen/describe-qwen.ts'
import { SCENARIOS } from './scenarios.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

interface Started {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly baseUrls?: Readonly<Record<string, string>>
}

let child: ChildProcessWithoutNullStreams | undefined
afterEach(() => child?.kill('SIGKILL'))

async function start(...args: string[]): Promise<Started> {
  child = spawn(process.execPath, [MAIN, ...args])
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return JSON.parse(line) as Started
}

async function help(...args: string[]): Promise<string> {
  const { stdout } = (child = spawn(process.execPath, [MAIN, ...args, '--help']))
  let text = ''
  stdout.on('data', (piece: Buffer) => (text += piece.toString()))
  expect(await once(child, 'close')).toEqual([0, null])
  return text
}

describe('the simulator as a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says where it listens, serves, and ends on %s', async signal => {
    const { url, port, pid } = await start('--port', '0', '--scenario', 'error?status=503')
    expect([url, pid]).toEqual([`http://127.0.0.1:${port}/v1`, child!.pid])
    const body = JSON.stringify({ model: 'any', messages: [{ role: 'user', content: 'hello' }] })
    expect((await fetch(`${url}/chat/completions`, { method: 'POST', body })).status).toBe(503)
    const ended = once(child!, 'exit')
    child!.kill(signal)
    expect(await ended).toEqual([0, null])
  })

  it('ends with its standard input when tied, open streams or not', async () => {
    const { url } = await start('--tied')
    const body = JSON.stringify({ model: 'stall', stream: true, messages: [{ role: 'user', content: 'hello' }] })
    const response = await fetch(`${url}/chat/completions`, { method: 'POST', body })
    const ended = once(child!, 'exit')
    child!.stdin.end()
    expect(await ended).toEqual([0, null])
    await expect(response.text()).rejects.toThrow('terminated')
  })

  it('may be Qwen, with all its hosts', async () => {
    const { url, port, pid, baseUrls } = await start(
      'qwen',
      '--tied',
      '--api-key',
      'sk-test-1',
      '--scenario',
      'words=1',
    )
    expect([url, pid]).toEqual([`http://127.0.0.1:${port}`, child!.pid])
    const body = JSON.stringify({ model: 'qwen3-max', messages: [{ role: 'user', content: 'hello' }] })
    const headers = { authorization: 'Bearer sk-test-1' }
    const path = `${baseUrls!['singapore/payg']}/chat/completions`
    const answer = (await (await fetch(path, { method: 'POST', body, headers })).json()) as { choices: object[] }
    expect(answer.choices).toMatchObject([{ message: { content: 'the' } }])
    const ended = once(child!, 'exit')
    child!.stdin.end()
    expect(await ended).toEqual([0, null])
  })

  it('may be Amazon Q', async () => {
    const { url, port } = await start('amazon-q', '--tied', '--api-key', 'test-key', '--scenario', 'words=1')
    expect(url).toBe(`http://127.0.0.1:${port}`)
    const currentMessage = { userInputMessage: { content: 'hello' } }
    const body = JSON.stringify({ conversationState: { chatTriggerType: 'MANUAL', currentMessage } })
    const ask = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`${url}/generateAssistantResponse`, { method: 'POST', body, headers })).status
    }
    expect([await ask('test-key'), await ask('aoa-test-1')]).toEqual([200, 403])
    const ended = once(child!, 'exit')
    child!.stdin.end()
    expect(await ended).toEqual([0, null])
  })

  it('prints all scenarios and refuses what it does not know', async () => {
    const text = await help()
    for (const { name, summary } of SCENARIOS) expect(text).toContain(`${name.padEnd(16)} ${summary}`)
    expect(await help('qwen')).toContain(describeQwen())
    expect(await help('amazon-q')).toContain(describeAmazonQ())
    const [code] = (await once(spawn(process.execPath, [MAIN, '--nothing']), 'exit')) as [number]
    expect(code).toBe(1)
  })
})
