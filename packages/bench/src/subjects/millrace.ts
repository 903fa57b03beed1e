import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from '../launch.ts'
import { freePort, listening } from './listening.ts'
import type { Subject } from './subject.ts'

const MAIN = fileURLToPath(new URL('../../../../apps/gateway/src/main.ts', import.meta.url))
const KEY = 'test-key-of-the-bench'
/** Of what it wrote, when it would not start. */
const LAST_WORDS = 300

/** The gateway as a user runs it: with a key, a log, and everything on that is on by default. */
export const millrace: Subject = {
  name: 'millrace',
  async start({ upstreamPort, folder: parent }) {
    const folder = mkdtempSync(join(parent, 'millrace-'))
    const config = join(folder, 'millrace.yaml')
    const log = join(folder, 'millrace.log')
    const port = await freePort()
    writeFileSync(config, toConfig(port, upstreamPort))
    const file = openSync(log, 'a')
    const { PATH, HOME } = process.env
    const args = [MAIN, 'serve', '--config', config]
    const launched = await launch(process.execPath, args, { stdio: ['ignore', file, file], env: { PATH, HOME } })
    closeSync(file)
    try {
      await listening(port, launched)
    } catch (error) {
      await launched.stop()
      throw new Error(`${(error as Error).message}: … ${readFileSync(log, 'utf8').slice(-LAST_WORDS).trim()}`, {
        cause: error,
      })
    }
    return {
      target: { port, model: 'bench/grain', headers: { authorization: `Bearer ${KEY}` } },
      pids: [launched.pid],
      stop: launched.stop,
    }
  },
}

const toConfig = (port: number, upstreamPort: number): string => `
server: { port: ${port} }
auth: { keys: [${KEY}] }
providers:
  bench: { kind: openai, baseUrl: 'http://127.0.0.1:${upstreamPort}/v1', apiKey: test-key }
`
