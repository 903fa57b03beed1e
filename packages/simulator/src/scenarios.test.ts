import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askSimulator } from './ask-simulator.ts'
import { COMMON_OPTIONS } from './options.ts'
import { describeScenarios, findScenario, SCENARIOS } from './scenarios.ts'
import { startSimulator } from './simulator.ts'
import type { Simulator } from './simulator.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

/** Options that make an answer small or quick. */
const SMALL: Readonly<Record<string, string>> = {
  'big-line': 'bytes=1000',
  'big-comment': 'bytes=1000',
  'many-data-lines': 'bytes=1000',
  tiny: 'count=3',
  trickle: 'pace=0&words=1',
}

/** Those that have no end, or no beginning. */
const ENDLESS = new Set(['refuse-headers', 'stall', 'hangup'])

const ENDING = SCENARIOS.map(({ name }) => name).filter(name => !ENDLESS.has(name))

describe('the table of scenarios', () => {
  it.each(ENDING)('%s has an end, streamed or not', async name => {
    for (const stream of [true, false]) {
      const reply = await askSimulator(simulator, `${name}?${SMALL[name] ?? ''}`, { stream })
      expect(reply.status).toBeGreaterThanOrEqual(200)
    }
    await simulator.when(stats => stats.streamsOpen === 0)
    expect(simulator.stats.streamsAborted).toBe(0)
  })

  it('is described as a whole', () => {
    const text = describeScenarios()
    for (const { name, summary, options } of SCENARIOS) {
      expect(summary).toMatch(/^\S.*\.$/)
      expect(text).toContain(summary)
      for (const option of [name, ...Object.keys(options)]) expect(text).toContain(option)
      expect(Object.keys(options).filter(option => option in COMMON_OPTIONS)).toEqual([])
    }
  })

  it('knows no scenario but its own', () => {
    expect(() => findScenario('', 'constructor')).toThrow(/no scenario/)
  })
})
