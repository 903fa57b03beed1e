import { expect, it } from 'vitest'
import { toTable } from './table.ts'

it('gives each column the width of its widest cell', () => {
  expect(
    toTable(
      ['', 'µs', 'events/s'],
      [
        ['nginx', '11.5', '8,000'],
        ['raw-pipe', '–'],
      ],
    ),
  ).toEqual([
    '            µs  events/s', //
    '────────  ────  ────────',
    'nginx     11.5     8,000',
    'raw-pipe     –',
  ])
})
