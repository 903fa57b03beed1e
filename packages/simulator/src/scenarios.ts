import { COMMON_OPTIONS, parseOptions, splitModel } from './options.ts'
import type { Options } from './options.ts'
import type { Scenario, Scenarios } from './scenario.ts'
import { ERRORS } from './scenarios/errors.ts'
import { HOSTED_SERVERS } from './scenarios/hosted-servers.ts'
import { LARGE_STREAMS } from './scenarios/large-streams.ts'
import { LOCAL_SERVERS } from './scenarios/local-servers.ts'
import { ODD_BODIES } from './scenarios/odd-bodies.ts'
import { ODD_STREAMS } from './scenarios/odd-streams.ts'
import { PLAIN } from './scenarios/plain.ts'
import { TOOLS } from './scenarios/tools.ts'
import { TRANSPORT_FAULTS } from './scenarios/transport-faults.ts'

const TABLE = new Map<string, Scenario>(
  [
    PLAIN,
    TOOLS,
    HOSTED_SERVERS,
    LOCAL_SERVERS,
    ODD_STREAMS,
    LARGE_STREAMS,
    ODD_BODIES,
    ERRORS,
    TRANSPORT_FAULTS,
  ].flatMap((scenarios: Scenarios) => Object.entries(scenarios)),
)

/** What is known about a scenario to people. `options` are those it has beside {@link COMMON_OPTIONS}. */
export interface ScenarioInfo {
  readonly name: string
  readonly summary: string
  readonly options: Readonly<Record<string, string>>
}

export const SCENARIOS: readonly ScenarioInfo[] = [...TABLE].map(([name, { summary, options = {} }]) => ({
  name,
  summary,
  options: { ...options },
}))

/**
 * What a model's name asks for: a scenario and its options. A name that is none of ours means `fallback`, whatever
 * stands behind it.
 * @throws {OptionError} an option that the scenario does not have
 */
export function findScenario(model: string, fallback = 'text'): { scenario: Scenario; options: Options } {
  const asked = splitModel(model)
  const { name, query } = TABLE.has(asked.name) ? asked : splitModel(fallback)
  const scenario = TABLE.get(name)
  if (scenario === undefined) throw new Error(`There is no scenario "${name}".`)
  const known = [...Object.keys(scenario.options ?? {}), ...Object.keys(COMMON_OPTIONS)]
  return { scenario, options: parseOptions(query, known) }
}

/** The list of all scenarios and options, as text for a terminal. */
export function describeScenarios(): string {
  const lines = [
    'A scenario is chosen by the name of the model: NAME or NAME?option=value&option=value.',
    '',
    'Options of all scenarios:',
    ...toLines(COMMON_OPTIONS),
    '',
    'Scenarios:',
  ]
  for (const { name, summary, options } of SCENARIOS) {
    lines.push(`  ${name.padEnd(16)} ${summary}`, ...toLines(options))
  }
  return `${lines.join('\n')}\n`
}

function toLines(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([name, meaning]) => `    ${name.padEnd(14)} ${meaning}`)
}
