import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { errorsPage } from './pages/errors-page.ts'
import { FAILURES } from '../packages/core/src/index.ts'

test('the generated files are those that follow from the sources', async () => {
  const script = fileURLToPath(new URL('generate.ts', import.meta.url))
  const run = promisify(execFile)(process.execPath, [script, '--check'], { timeout: 25_000 })
  await expect(run.then(({ stderr }) => stderr)).resolves.toBe('')
})

test('every failure has its row', () => {
  const codes = [...errorsPage().matchAll(/^\| `(\w+)` \| \d{3} /gm)].map(([, code]) => code)
  expect(codes).toEqual(Object.keys(FAILURES))
})
