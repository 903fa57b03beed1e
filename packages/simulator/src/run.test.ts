import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { SCENARIOS } from './scenarios.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

let child: ChildProcessWithoutNullStreams | undefined
afterEach(() => child?.kill('SIGKILL'))

async function start(...args: string[]): Promise<{ url: string; port: number; pid: number }> {
  child = spawn(process.execPath, [MAIN, ...args])
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return JSON.parse(line) as { url: string; port: number; pid: number }
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

  it('prints all scenarios and refuses what it does not know', async () => {
    const help = spawn(process.execPath, [MAIN, '--help'])
    let text = ''
    help.stdout.on('data', (piece: Buffer) => (text += piece.toString()))
    expect(await once(help, 'close')).toEqual([0, null])
    for (const { name, summary } of SCENARIOS) expect(text).toContain(`${name.padEnd(16)} ${summary}`)
    const [code] = (await once(spawn(process.execPath, [MAIN, '--nothing']), 'exit')) as [number]
    expect(code).toBe(1)
  })
})
