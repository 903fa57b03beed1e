import { describeService } from '../service/describe.ts'
import { ACCOUNT_KINDS, STATE_WORDS } from './accounts.ts'
import { AMAZON_Q_COMMANDS } from './commands.ts'
import { ERROR_OPTIONS } from './error-answer.ts'
import { EXCEPTION_NAMES, EXCEPTIONS } from './exceptions.ts'
import type { ServiceFault } from './exceptions.ts'
import { MODELS } from './models.ts'
import { PATHS, TARGETS } from './operations.ts'
import { AMAZON_Q_OPTIONS, AMAZON_Q_SCRIPTS } from './scripts.ts'
import { USUAL_KEY } from './world.ts'

/** Operations, accounts, models, scripts, errors and commands, as text for a terminal. */
export function describeAmazonQ(): string {
  return describeService({
    head: [
      'Operations, as POST / with x-amz-target and JSON 1.0:',
      ...[...TARGETS.keys()].map(target => `  ${target}`),
      'or by their paths:',
      ...[...PATHS.keys()].map(path => `  ${path}`),
      'and to sign in:',
      '  POST /client/register, POST /device_authorization, POST /token, GET /device, and POST /refreshToken for Kiro',
      '',
      'Accounts: every bearer that begins with aoa- is good, and an account of its own; ksk_… is an API key, and needs',
      '`tokentype: API_KEY`. A word in it says of what kind it is:',
      ...Object.entries(ACCOUNT_KINDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`),
      'or in what state:',
      ...Object.entries(STATE_WORDS).map(([word, error]) => `  ${word.padEnd(10)} gets the error ${error}`),
      `Requests may be signed with the access key ${USUAL_KEY.accessKeyId}, secret ${USUAL_KEY.secretAccessKey}.`,
      '',
      'Models (none: the first):',
      ...MODELS.map(
        ({ id, maxInputTokens, kiroOnly }) =>
          `  ${id.padEnd(20)} ${maxInputTokens} tokens${kiroOnly ? ', for origins of Kiro' : ''}`,
      ),
      '',
      'What is answered is chosen by the name of the model, MODEL?name=value&name=value, by [simulate: name=value] in the',
      'last user message that is more than results of tools, or by the header x-simulate: name=value.',
      '',
      'Directives in a user message say what the model does, as long as the script is auto: [call NAME {"a":"JSON"}] calls',
      'a tool if the request declares it, [say TEXT] answers with a text; calls that stand together are made together;',
      '[then call NAME {}] and [then say TEXT] are for the turns that follow.',
    ],
    options: AMAZON_Q_OPTIONS,
    scripts: AMAZON_Q_SCRIPTS,
    errorOptions: ERROR_OPTIONS,
    errors: EXCEPTION_NAMES.map(errorLine),
    commands: AMAZON_Q_COMMANDS,
  })
}

function errorLine(name: keyof typeof EXCEPTIONS): string {
  const { status, exception, reason }: ServiceFault = EXCEPTIONS[name]
  return `  ${name.padEnd(32)} ${status} ${exception}${reason === null ? '' : `, ${reason}`}`
}
