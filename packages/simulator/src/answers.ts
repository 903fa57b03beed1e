import { createAttempts } from './attempts.ts'
import type { ChatRequest } from './chat-request.ts'
import { toEmbeddings } from './embeddings.ts'
import { toPlan } from './plan.ts'
import type { Plan } from './plan.ts'
import type { Answer, Ask } from './scenario.ts'
import { findScenario } from './scenarios.ts'
import { ordinaryChat } from './scenarios/chat-scenario.ts'

/** From requests to plans, with what has to be remembered for that between requests. */
export interface Answers {
  /** @throws {OptionError} */
  chat(request: ChatRequest, framed: boolean): Plan
  /** @throws {OptionError} */
  embeddings(body: Record<string, unknown>, model: string, framed: boolean): Plan
  /** Forgets how often what was asked. */
  reset(): void
}

const MAX_PLANS = 50

export function createAnswers(defaultScenario?: string): Answers {
  const plans = new Map<string, Plan>()
  const attempts = createAttempts()
  let random = createRandom()

  return {
    chat(request, framed) {
      const { prompt, ...rest } = request
      const key = JSON.stringify([framed, rest])
      const known = plans.get(key)
      if (known !== undefined) return known

      const { scenario, options } = findScenario(request.model, defaultScenario)
      const ask: Ask = {
        ...rest,
        stream: options.oneOf('as', ['json', 'sse'], request.stream ? 'sse' : 'json') === 'sse',
        options,
        random,
        prompt: scenario.varies ? prompt() : '',
        attempt: scenario.varies ? attempts.count(request.model) : 1,
      }
      const plan = toPlan(
        scenario.answer(ask, () => ordinaryChat(ask)),
        options,
        framed,
      )
      if (scenario.varies !== true) {
        if (plans.size === MAX_PLANS) plans.clear()
        plans.set(key, plan)
      }
      return plan
    },

    embeddings(body, model, framed) {
      const { scenario, options } = findScenario(model, defaultScenario)
      const ordinary = (): Answer => ({ body: JSON.stringify(toEmbeddings(body, model)) })
      if (scenario.anyEndpoint !== true) return toPlan(ordinary(), options, framed)
      const ask: Ask = {
        model,
        stream: false,
        includeUsage: false,
        choices: 1,
        tools: [],
        hasToolResult: false,
        options,
        random,
        prompt: '',
        attempt: attempts.count(model),
      }
      return toPlan(scenario.answer(ask, ordinary), options, framed)
    },

    reset() {
      attempts.reset()
      random = createRandom()
    },
  }
}

/** The same sequence from 0 to 1 each time (mulberry32). */
function createRandom(): () => number {
  let state = 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
