import { describeCommands } from '../commands.ts'
import { QWEN_COMMANDS } from './commands.ts'
import { ERROR_OPTIONS } from './error-answer.ts'
import { ERROR_NAMES, ERRORS } from './errors.ts'
import type { Script } from './script.ts'
import { QWEN_OPTIONS, QWEN_SCRIPTS } from './scripts.ts'
import { SITES } from './sites.ts'

/** Hosts, scripts, errors and commands, as text for a terminal. */
export function describeQwen(): string {
  return `${[
    'Hosts, by the beginning of the path or by the header `host`:',
    ...SITES.map(({ name, hostname, base }) => `  ${`/${name}${base}`.padEnd(38)} ${hostname}`),
    '',
    'What is answered is chosen by the name of the model, MODEL?name=value&name=value, by [simulate: name=value] in the',
    'last user message, or by the header x-simulate: name=value. In a message a value may be JSON as it is:',
    '[simulate: script=tool&name=read&arguments={"path":"a.txt"}] calls that tool, and then tells what it gave.',
    '',
    'Options of all requests:',
    ...toLines(QWEN_OPTIONS),
    '',
    'Scripts (script=NAME):',
    ...Object.entries(QWEN_SCRIPTS).flatMap(([name, script]) => scriptLines(name, script)),
    '',
    'Options of errors:',
    ...toLines(ERROR_OPTIONS),
    '',
    'Errors (error=NAME):',
    ...ERROR_NAMES.map(name => `  ${name.padEnd(20)} ${ERRORS[name].status} ${ERRORS[name].message}`),
    '',
    'Commands, in the JSON body of POST /control, COMMAND → object; GET /control tells the state:',
    ...describeCommands(QWEN_COMMANDS),
  ].join('\n')}\n`
}

function scriptLines(name: string, { summary, options = {} }: Script): string[] {
  return [`  ${name.padEnd(20)} ${summary}`, ...toLines(options)]
}

function toLines(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([name, meaning]) => `    ${name.padEnd(14)} ${meaning}`)
}
