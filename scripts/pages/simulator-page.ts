import { COMMON_OPTIONS, SCENARIOS } from '../../packages/simulator/src/index.ts'

const START = '<!-- scenarios: written by `npm run generate` -->'
const END = '<!-- /scenarios -->'

/** The README with the list of what the simulator can do brought up to date. */
export function withScenarios(readme: string): string {
  const [before, rest = ''] = readme.split(START)
  const after = rest.split(END)[1] ?? ''
  return `${before}${START}\n${scenarioTable()}\n${END}${after}`
}

function scenarioTable(): string {
  const rows = SCENARIOS.map(({ name, summary, options }) => {
    const names = Object.keys(options).map(option => `\`${option}\``)
    return `| \`${name}\` | ${escape(summary)} | ${names.join(', ')} |`
  })
  const common = Object.keys(COMMON_OPTIONS).map(option => `\`${option}\``)
  return [
    '<details>',
    '<summary>What it can do</summary>',
    '',
    '| scenario | what it does | options |',
    '|---|---|---|',
    ...rows,
    '',
    `Every scenario takes ${common.join(', ')}; \`npm run millrace -- simulate --help\` explains all options.`,
    '',
    '</details>',
  ].join('\n')
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
