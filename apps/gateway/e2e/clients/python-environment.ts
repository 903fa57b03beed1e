import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const SCRIPTS = fileURLToPath(new URL('./python/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../../.cache/python/', import.meta.url))
/** Longer than any script needs, on any machine: one that takes as long hangs. */
const PATIENCE_MS = 25_000

/** A Python with packages of its own. */
export interface PythonEnvironment {
  readonly interpreter: string
  /** What a script of ours prints, which is one line of JSON. @throws {Error} it failed, with what it said */
  run(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<unknown>
}

/**
 * A virtual environment with what `python/requirements-NAME.txt` pins. It is made once for each list and version of
 * Python, and then found again in `.cache/`. @throws {Error} there is no Python, or it cannot be made
 */
export async function pythonEnvironment(name: string): Promise<PythonEnvironment> {
  const requirements = join(SCRIPTS, `requirements-${name}.txt`)
  const { stdout: version } = await run('python3', ['--version'])
  const state = createHash('sha256')
    .update(version)
    .update(await readFile(requirements))
  const folder = join(CACHE, `${name}-${state.digest('hex').slice(0, 12)}`)
  const interpreter = interpreterIn(folder)
  if (!existsSync(interpreter)) await makeEnvironment(folder, requirements)
  return {
    interpreter,
    async run(script, args, env) {
      const { stdout } = await run(interpreter, [join(SCRIPTS, script), ...args], {
        env: { ...env, PYTHONIOENCODING: 'utf-8', PYTHONDONTWRITEBYTECODE: '1' },
        timeout: PATIENCE_MS,
      })
      return JSON.parse(stdout)
    },
  }
}

function interpreterIn(folder: string): string {
  return join(folder, 'bin/python')
}

/** Under another name until it is whole: what is there under its own is ready. */
async function makeEnvironment(folder: string, requirements: string): Promise<void> {
  const making = `${folder}.${process.pid}`
  await mkdir(CACHE, { recursive: true })
  try {
    await run('python3', ['-m', 'venv', making])
    await run(interpreterIn(making), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements])
    // Somebody else may have been faster.
    if (existsSync(interpreterIn(folder))) return
    // What is left of one whose Python is gone.
    await rm(folder, { recursive: true, force: true })
    await rename(making, folder)
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}
