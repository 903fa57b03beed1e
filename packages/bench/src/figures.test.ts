import { describe, expect, it } from 'vitest'
import { createMedians, spreadOf, withAdded, type Figures, type Result } from './figures.ts'

const result = (round: number, subject: string, figures: Figures): Result => ({
  round,
  load: 'paced',
  subject,
  figures,
})

describe('withAdded', () => {
  it('takes off what the same round took without a server between', () => {
    const results = withAdded([
      result(1, 'direct', { firstP50Us: 100, gapP99Us: 40 }),
      result(1, 'millrace', { firstP50Us: 350, gapP99Us: 30, cpuUs: 9 }),
      result(2, 'millrace', { firstP50Us: 350 }),
      result(2, 'direct', { firstP50Us: 200 }),
    ])
    expect(results.map(({ figures }) => [figures.addedFirstP50Us, figures.addedGapP99Us])).toEqual([
      [undefined, undefined],
      [250, -10],
      [150, undefined],
      [undefined, undefined],
    ])
    expect(results[1]?.figures.cpuUs).toBe(9)
  })

  it('adds nothing where there is nothing to compare with', () => {
    const alone = result(1, 'millrace', { firstP50Us: 350 })
    expect(withAdded([alone])).toEqual([alone])
  })
})

describe('createMedians and spreadOf', () => {
  const results = [10, 14, 11].map((cpuUs, index) => result(index + 1, 'millrace', { cpuUs }))

  it('go over the rounds of one load on one subject', () => {
    const all = [
      ...results,
      result(1, 'nginx', { cpuUs: 1 }),
      { ...result(1, 'millrace', { cpuUs: 90 }), load: 'busy' },
    ]
    expect(createMedians(all)('paced', 'millrace', 'cpuUs')).toBe(11)
    expect(spreadOf(all, 'paced', 'millrace', 'cpuUs')).toBeCloseTo(4 / 11)
  })

  it('leave out rounds that have failed', () => {
    const all = [...results, { ...result(4, 'millrace', {}), failure: 'it ended' }]
    expect(createMedians(all)('paced', 'millrace', 'cpuUs')).toBe(11)
    expect(createMedians(all)('paced', 'nginx', 'cpuUs')).toBeUndefined()
  })
})
