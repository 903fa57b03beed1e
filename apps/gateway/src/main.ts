#!/usr/bin/env node
import { program } from 'commander'
import { accountsCommand } from './commands/accounts.ts'
import { doctorCommand } from './commands/doctor.ts'
import { loginCommand } from './commands/login.ts'
import { serveCommand } from './commands/serve.ts'
import { simulateCommand } from './commands/simulate.ts'

const ADVICE = '(run with --help for what there is)'

program
  .name('millrace')
  .description('A self-hosted LLM gateway: many model streams in, one strict OpenAI-compatible stream out.')
  .version('0.1.0')
  .showHelpAfterError(ADVICE)
for (const command of [serveCommand, doctorCommand, loginCommand, accountsCommand, simulateCommand]) {
  program.addCommand(command(process.env).showHelpAfterError(ADVICE))
}
await program.parseAsync()
