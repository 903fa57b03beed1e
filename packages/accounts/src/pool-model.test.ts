import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Lease } from './pool.ts'
import { createTestPool, down, failWith, refused, spent, take, throttled, wrong } from './test-pool.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const EXPECTED = new Set(['refused', 'ok', 'rate-limited as a probe', 'quota-exhausted as a probe'])

test('whatever happens: no account that is out is leased but as a probe, and never by two', () => {
  const event = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('lease' as const), sticky: fc.option(fc.constantFrom('x', 'y')) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        which: fc.nat(),
        how: fc.constantFrom('succeed', throttled(), throttled(5 * SECOND), spent, refused, down, wrong, 'release'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 5000, MINUTE, HOUR) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.constantFrom(-HOUR, HOUR) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('clear' as const, 'disable' as const),
        name: fc.constantFrom('a', 'b'),
      }),
    },
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), events => {
      const { pool, clock } = createTestPool(['a', 'b', 'c'])
      const open: Lease[] = []
      const seen = new Set<string>()
      for (const event of events) {
        if (event.do === 'lease') {
          const before = new Map(pool.list().map(account => [account.name, account]))
          const lease = pool.lease({ sticky: event.sticky ?? undefined, signal: AbortSignal.abort() })
          if (lease instanceof Promise) {
            lease.catch(() => {})
            seen.add([...before.values()].some(({ state }) => state.state === 'ok') ? 'refused in vain' : 'refused')
          } else {
            const { state, probing } = before.get(lease.name)!
            seen.add(`${state.state}${lease.probe ? ' as a probe' : ''}${probing ? ' by two' : ''}`)
            open.push(lease)
          }
        } else if (event.do === 'end') {
          const [lease] = open.length > 0 ? open.splice(event.which % open.length, 1) : []
          if (event.how === 'succeed') lease?.succeed()
          else if (event.how !== 'release') lease?.fail(event.how)
          lease?.release()
        } else if (event.do === 'pass') clock.advance(event.ms)
        else if (event.do === 'jump') clock.jump(event.ms)
        else pool[event.do](event.name)
      }
      expect(seen.difference(EXPECTED)).toEqual(new Set())
      expect(pool.list().reduce((sum, { active }) => sum + active, 0)).toBe(open.length)
      for (const lease of open) lease.release()
      expect(pool.list().some(({ probing }) => probing)).toBe(false)
      clock.advance(33 * 24 * HOUR)
      // All but those that only a hand can help have their time by now.
      const due = pool.list().filter(({ state }) => state.state !== 'auth-expired' && state.state !== 'disabled')
      const healed = new Set<string>()
      for (const { name } of due) {
        const exclude = new Set(pool.list().map(account => account.name)).difference(new Set([name]))
        healed.add(take(pool, { exclude }).name)
      }
      expect(healed.size).toBe(due.length)
    }),
    { numRuns: 300 },
  )
})

test('choosing from 1,000 accounts is quick', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `account-${index}`)
  const plain = createTestPool(names, { clock: undefined }).pool
  const half = createTestPool(names).pool
  for (const name of names.slice(500)) failWith(half, name, throttled(MINUTE))
  const rounds = 50_000
  const measure = (what: string, choose: (round: number) => Lease): string => {
    const begun = performance.now()
    for (let round = 0; round < rounds; round++) choose(round).release()
    return `${what} ${(((performance.now() - begun) / rounds) * 1000).toFixed(2)} µs`
  }
  const report = [
    measure('one of 1,000', () => take(plain)),
    measure('by key', round => take(plain, { sticky: `session ${round % 5000}` })),
    measure('with 500 out', () => take(half)),
  ]
  process.stdout.write(`choosing an account: ${report.join(', ')}\n`)
  expect(plain.list().every(({ requestsToday }) => requestsToday >= 50)).toBe(true)
})
