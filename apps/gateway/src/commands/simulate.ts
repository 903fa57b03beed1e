import { runSimulator } from '@millrace/simulator'
import { Command } from 'commander'

/** `millrace simulate`: an upstream in the OpenAI dialect that behaves, or misbehaves, as the model's name asks it to. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description(
      'run an upstream with faults on demand; `simulate qwen` and `simulate amazon-q` are those services; --help lists all',
    )
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .action((options: string[]) => runSimulator(options))
}
