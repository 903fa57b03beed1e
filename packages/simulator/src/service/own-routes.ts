import { isImproper, parseBody } from '../chat-request.ts'
import { sendJson } from '../exchange.ts'
import type { Exchange } from '../exchange.ts'
import type { StatsRecorder } from '../stats.ts'
import { CommandError, runCommands } from './commands.ts'
import type { Commands } from './commands.ts'

interface Simulated<Control> {
  readonly recorder: StatsRecorder
  readonly state: object
  readonly control: Control
  readonly commands: Commands<Control>
}

/** A simulator's own endpoints, which are none of the service's, and do not count: method, blank, path → answer. */
export function ownRoutes<Control>({
  recorder,
  state,
  control,
  commands,
}: Simulated<Control>): ReadonlyMap<string, (exchange: Exchange) => void> {
  return new Map<string, (exchange: Exchange) => void>([
    ['GET /stats', ({ response }) => sendJson(response, 200, recorder.stats)],
    [
      'POST /stats/reset',
      ({ response }) => {
        recorder.reset()
        sendJson(response, 200, recorder.stats)
      },
    ],
    ['GET /control', ({ response }) => sendJson(response, 200, state)],
    [
      'POST /control',
      ({ response, body }) => {
        try {
          runCommands(commands, control, parseBody(body))
          sendJson(response, 200, state)
        } catch (error) {
          if (!(error instanceof CommandError || isImproper(error))) throw error
          sendJson(response, 400, { error: { message: error.message } })
        }
      },
    ],
  ])
}
