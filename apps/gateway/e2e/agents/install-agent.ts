import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Agent } from './agent.ts'

const run = promisify(execFile)

const CACHE = fileURLToPath(new URL('../../../../.cache/agents/', import.meta.url))

/** Where an agent's program is, installed from npm where it is not there yet. @throws {Error} it cannot be installed */
export async function installAgent({ spec, program }: Agent): Promise<string> {
  const folder = join(CACHE, spec.replaceAll(/[^A-Za-z0-9.-]+/g, '_'))
  if (!existsSync(folder)) await install(spec, folder)
  return join(folder, 'node_modules', program)
}

/** Under another name until it is whole. Install scripts stay off: what they would fetch is what `spec` names. */
async function install(spec: string, folder: string): Promise<void> {
  const making = `${folder}.${process.pid}`
  await mkdir(making, { recursive: true })
  try {
    await writeFile(join(making, 'package.json'), JSON.stringify({ private: true, dependencies: { agent: spec } }))
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: making })
    await rename(making, folder)
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}
