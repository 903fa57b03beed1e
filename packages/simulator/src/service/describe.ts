import { describeCommands } from './commands.ts'
import type { Commands } from './commands.ts'
import type { Script, Scripts } from './scripts.ts'

interface Description<Ask, Control> {
  /** What only this service has, and how to ask for something. */
  readonly head: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly scripts: Scripts<Ask>
  readonly errorOptions: Readonly<Record<string, string>>
  readonly errors: readonly string[]
  readonly commands: Commands<Control>
}

/** A service, its scripts, errors and commands, as text for a terminal. */
export function describeService<Ask, Control>({
  head,
  options,
  scripts,
  errorOptions,
  errors,
  commands,
}: Description<Ask, Control>): string {
  return `${[
    ...head,
    '',
    'Options of all requests:',
    ...toLines(options),
    '',
    'Scripts (script=NAME):',
    ...Object.entries(scripts).flatMap(([name, script]) => scriptLines(name, script)),
    '',
    'Options of errors:',
    ...toLines(errorOptions),
    '',
    'Errors (error=NAME):',
    ...errors,
    '',
    'Commands, in the JSON body of POST /control, COMMAND → object; GET /control tells the state:',
    ...describeCommands(commands),
  ].join('\n')}\n`
}

function scriptLines<Ask>(name: string, { summary, options = {} }: Script<Ask>): string[] {
  return [`  ${name.padEnd(20)} ${summary}`, ...toLines(options)]
}

function toLines(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([name, meaning]) => `    ${name.padEnd(14)} ${meaning}`)
}
