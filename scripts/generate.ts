// Writes the files that follow from the sources; with `--check` says which of them are stale, and exits 1 if any is.
import { readFile, writeFile } from 'node:fs/promises'
import { toEditorSchema } from '../apps/gateway/src/config/json-schema.ts'
import { DEFINITIONS } from '../apps/gateway/src/providers.ts'
import { configurationPage } from './pages/configuration-page.ts'
import { errorsPage } from './pages/errors-page.ts'
import { withScenarios } from './pages/simulator-page.ts'

const root = new URL('../', import.meta.url)

const files: Readonly<Record<string, string>> = {
  'README.md': withScenarios(await readFile(new URL('README.md', root), 'utf8')),
  'config/millrace.schema.json': toJson(toEditorSchema(DEFINITIONS)),
  'docs/configuration.md': configurationPage(DEFINITIONS),
  'docs/errors.md': errorsPage(),
}

/** JSON as the formatter leaves it: lists of single values in one line, where that is not too long. */
function toJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2)
  const compact = text.replace(
    /^(.*)\[\n([^[\]{}]*)\n *\](,?)$/gm,
    (whole, before: string, items: string, after: string) => {
      const line = `${before}[${items.trim().replaceAll(/\n */g, ' ')}]${after}`
      return line.length <= 120 ? line : whole
    },
  )
  return `${compact}\n`
}

const stale: string[] = []
for (const [name, text] of Object.entries(files)) {
  const current = await readFile(new URL(name, root), 'utf8').catch(() => '')
  if (current !== text) stale.push(name)
}

if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    console.error(`Stale, to be written anew by \`npm run generate\`: ${stale.join(', ')}`)
    process.exitCode = 1
  }
} else {
  for (const name of stale) await writeFile(new URL(name, root), files[name] ?? '')
  console.log(stale.length === 0 ? 'Everything was up to date.' : `Written: ${stale.join(', ')}`)
}
