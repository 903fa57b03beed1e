import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from '../launch.ts'
import { freePort, listening } from './listening.ts'
import type { DialectName } from '../dialects.ts'
import type { SubjectName } from '../loads.ts'
import type { Subject } from './subject.ts'

const MAIN = fileURLToPath(new URL('../../../../apps/gateway/src/main.ts', import.meta.url))
const KEY = 'test-key-of-the-bench'
/** Of what it wrote, when it would not start. */
const LAST_WORDS = 300

/** One way through the gateway. */
interface Way {
  readonly name: SubjectName
  readonly dialect?: DialectName
  /** The provider `bench`, as it stands in the configuration. */
  provider(upstream: string): Readonly<Record<string, unknown>>
}

const openai: Way['provider'] = upstream => ({ kind: 'openai', baseUrl: `${upstream}/v1`, apiKey: 'test-key' })

const WAYS: readonly Way[] = [
  { name: 'millrace', provider: openai },
  { name: 'responses', dialect: 'responses', provider: openai },
  { name: 'messages', dialect: 'messages', provider: openai },
  { name: 'qwen', provider: upstream => ({ kind: 'qwen', baseUrl: `${upstream}/v1`, apiKey: 'test-key' }) },
  { name: 'amazon-q', provider: upstream => ({ kind: 'amazon-q', endpoint: upstream, accessToken: 'test-token' }) },
]

/** The gateway as a user runs it: with a key, a log, and everything on that is on by default. Each way in its own process. */
export const millraces: readonly Subject[] = WAYS.map(toSubject)

function toSubject({ name, dialect = 'chat', provider }: Way): Subject {
  return {
    name,
    async start({ upstreamPort, folder: parent }) {
      const folder = mkdtempSync(join(parent, 'millrace-'))
      const config = join(folder, 'millrace.yaml')
      const log = join(folder, 'millrace.log')
      const port = await freePort()
      const settings = {
        server: { port },
        auth: { keys: [KEY] },
        providers: { bench: provider(`http://127.0.0.1:${upstreamPort}`) },
      }
      // JSON is YAML, too.
      writeFileSync(config, JSON.stringify(settings))
      const file = openSync(log, 'a')
      const { PATH, HOME } = process.env
      const env = { PATH, HOME, MILLRACE_STATE_DIR: folder }
      const args = [MAIN, 'serve', '--config', config]
      const launched = await launch(process.execPath, args, { stdio: ['ignore', file, file], env })
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
        target: { port, model: 'bench/grain', headers: { authorization: `Bearer ${KEY}` }, dialect },
        pids: [launched.pid],
        stop: launched.stop,
      }
    },
  }
}
