// `npm test`: the checks (format, lint, types, unused, generated files), then every test, then one line that counts them.
// Arguments go to the test runner and leave the checks out: `npm test -- packages/sse-core`. `npm run test:clients` runs what
// is too heavy for every time.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { config } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { config: { pnpm: string } }
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }

interface Counts {
  passed: number
  failed: number
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { cwd: root, env, stdio: 'inherit' }).status === 0
}

function check(): Counts {
  // Through pnpm, since turbo looks for it on the path.
  const passed = run('npx', ['--yes', `pnpm@${config.pnpm}`, 'run', 'check'])
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1 }
}

function test(patterns: readonly string[]): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const report = join(folder, 'report.json')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const passed = run(process.execPath, [
    vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...patterns,
  ])
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8')) as Record<
      string,
      number
    >
    // A file that does not even load, or an error outside every test, fails no test of its own.
    const others = passed || numFailedTests! > 0 ? 0 : Math.max(1, numFailedTestSuites!)
    return { passed: numPassedTests!, failed: numFailedTests! + others }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const args = process.argv.slice(2)
const isOfClients = args[0] === '--clients'
const patterns = isOfClients ? args.slice(1) : args
const project = `--project=${isOfClients ? 'clients' : 'tests'}`
const results = args.length > 0 ? [test([project, ...patterns])] : [check(), test([project])]
const passed = results.reduce((sum, counts) => sum + counts.passed, 0)
const failed = results.reduce((sum, counts) => sum + counts.failed, 0)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
