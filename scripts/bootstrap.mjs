// Runs one of our TypeScript files on the Node that the workspace brings, installing first where that is needed.
// Plain JavaScript without dependencies, since it is what runs before anything is installed, on Node 20 or later.
// Usage: node scripts/bootstrap.mjs FILE.ts [ARGUMENT...]
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

const root = fileURLToPath(new URL('..', import.meta.url))
const { config } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const node = join(root, 'node_modules/.bin/node')

/** Whether what is installed is what the lockfile asks for: pnpm keeps the lockfile it last installed from. */
function isInstalled() {
  const installed = join(root, 'node_modules/.pnpm/lock.yaml')
  if (!existsSync(node) || !existsSync(installed)) return false
  return readFileSync(installed).equals(readFileSync(join(root, 'pnpm-lock.yaml')))
}

if (!isInstalled()) {
  console.error('Installing dependencies (once; a minute or so) …')
  // `--config.confirmModulesPurge=false`: without a terminal pnpm would stop to ask before it replaces an old install.
  const args = [
    '--yes',
    `pnpm@${config.pnpm}`,
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
    '--config.confirmModulesPurge=false',
  ]
  const { status, error } = spawnSync('npx', args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    console.error(
      `Could not install the dependencies${error ? `: ${error.message}` : ''}. Is there a way to the npm registry?`,
    )
    process.exit(1)
  }
}

const [file, ...args] = process.argv.slice(2)
const child = spawn(node, [join(root, file), ...args], { stdio: 'inherit' })
// Ctrl-C reaches the whole process group, the child included; sent on as well it would count as a second signal.
process.on('SIGINT', () => !process.stdin.isTTY && child.kill('SIGINT'))
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
