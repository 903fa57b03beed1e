import { runSimulator } from '@millrace/simulator'
import { Command } from 'commander'

/** `millrace simulate`: an upstream in the OpenAI dialect that behaves, or misbehaves, as the model's name asks it to. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('run an upstream with faults on demand, or with `simulate qwen` those of Qwen; --help lists them')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .action((options: string[]) => runSimulator(options))
}
