import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { launch } from '../launch.ts'
import { freePort, listening } from './listening.ts'
import type { Subject } from './subject.ts'

const PACKAGE = '@portkey-ai/gateway'
/** With a later one, which npm would take, all its streams fail with status 500 (Portkey-AI/gateway#1389). */
const MANIFEST = { overrides: { '@hono/node-server': '1.14.1' } }
const INSTALL_TIMEOUT_MS = 120_000

/** Another gateway on Node, as npm has it today. */
export const portkey: Subject = {
  name: 'portkey',
  async start({ upstreamPort, folder }) {
    const home = join(folder, 'portkey')
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), JSON.stringify(MANIFEST))
    await promisify(execFile)('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', PACKAGE], {
      cwd: home,
      timeout: INSTALL_TIMEOUT_MS,
    }).catch((error: Error) => {
      throw new Error('npm could not install it', { cause: error })
    })
    const port = await freePort()
    const root = join(home, 'node_modules', PACKAGE)
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    const main = join(root, 'build/start-server.js')
    const launched = await launch(process.execPath, [main, `--port=${port}`, '--headless'], {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production' },
    })
    try {
      await listening(port, launched)
    } catch (error) {
      await launched.stop()
      throw error
    }
    return {
      target: {
        port,
        model: 'grain',
        headers: {
          authorization: 'Bearer test-key',
          'x-portkey-provider': 'openai',
          'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
        },
      },
      pids: [launched.pid],
      version,
      stop: launched.stop,
    }
  },
}
