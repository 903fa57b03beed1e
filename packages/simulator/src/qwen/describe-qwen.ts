import { describeService } from '../service/describe.ts'
import { QWEN_COMMANDS } from './commands.ts'
import { ERROR_OPTIONS } from './error-answer.ts'
import { ERROR_NAMES, ERRORS } from './errors.ts'
import { QWEN_OPTIONS, QWEN_SCRIPTS } from './scripts.ts'
import { SITES } from './sites.ts'

/** Hosts, scripts, errors and commands, as text for a terminal. */
export function describeQwen(): string {
  return describeService({
    head: [
      'Hosts, by the beginning of the path or by the header `host`:',
      ...SITES.map(({ name, hostname, base }) => `  ${`/${name}${base}`.padEnd(38)} ${hostname}`),
      '',
      'What is answered is chosen by the name of the model, MODEL?name=value&name=value, by [simulate: name=value] in the',
      'last user message, or by the header x-simulate: name=value. In a message a value may be JSON as it is:',
      '[simulate: script=tool&name=read&arguments={"path":"a.txt"}] calls that tool, and then tells what it gave.',
    ],
    options: QWEN_OPTIONS,
    scripts: QWEN_SCRIPTS,
    errorOptions: ERROR_OPTIONS,
    errors: ERROR_NAMES.map(name => `  ${name.padEnd(20)} ${ERRORS[name].status} ${ERRORS[name].message}`),
    commands: QWEN_COMMANDS,
  })
}
