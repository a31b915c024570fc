import { expect, test } from 'vitest'
import { formatAge, formatValue, unitBase } from './units.ts'

const cases: readonly [number, string, string][] = [
  [0, 'short', '0'],
  [999.96, 'short', '1K'],
  [1234, 'short', '1.23K'],
  [45_600_000, 'short', '45.6M'],
  [1024, 'bytes', '1 KiB'],
  [1536 * 1024, 'bytes', '1.5 MiB'],
  [0, 'bytes', '0 B'],
  [2_500_000, 'Bps', '2.5 MB/s'],
  [0.1234, 'percentunit', '12.3%'],
  [12.34, 'percent', '12.3%'],
  [0.00025, 's', '250 µs'],
  [0.25, 's', '250 ms'],
  [250, 'ms', '250 ms'],
  [1.5, 's', '1.5 s'],
  [3600, 's', '1 h'],
  [-0.5, 's', '-500 ms'],
  [12.5, 'reqps', '12.5 req/s'],
  [7, 'none', '7'],
  [3, 'widgets', '3 widgets'],
  [Number.NaN, 'bytes', '–'],
  [Number.POSITIVE_INFINITY, 's', '+Inf'],
  [0.00001, 'short', '1.0e-5'],
]
test.each(cases)('%d in %s reads %s', (value, unit, want) => expect(formatValue(value, unit)).toBe(want))

test('formatAge keeps the two largest parts', () => {
  expect([0, 59, 60, 200, 3600, 7500, 200_000].map(formatAge)).toEqual([
    '0 s',
    '59 s',
    '1 m',
    '3 m 20 s',
    '1 h',
    '2 h 5 m',
    '2 d 7 h',
  ])
})

test('axis steps are round in the unit', () => {
  expect(unitBase('bytes')).toBe(1024)
  expect(unitBase('Bps')).toBe(10)
  expect(unitBase('s')).toBe(60)
})
