import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logAxis, timeTicks, valueAxis } from './ticks.ts'

describe('valueAxis', () => {
  test('starts at zero where data come near it', () =>
    expect(valueAxis(2, 9, 5)).toEqual({ min: 0, max: 10, ticks: [0, 2, 4, 6, 8, 10] }))
  test('zooms in where data stay far from zero', () => expect(valueAxis(96, 99, 4).min).toBe(96))
  test('binary bytes step in binary units', () => {
    const mib = 1024 * 1024
    expect(valueAxis(0, 180 * mib, 4, 1024).ticks.map((t) => t / mib)).toEqual([0, 50, 100, 150, 200])
  })
  test('seconds step in minutes', () => expect(valueAxis(0, 2300, 4, 60).ticks).toEqual([0, 600, 1200, 1800, 2400]))
  test('no data', () => expect(valueAxis(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 4).max).toBe(1))
  test('a flat line at zero', () => expect(valueAxis(0, 0, 4)).toMatchObject({ min: 0, max: 1 }))
  test('fractions are clean', () => expect(valueAxis(0, 0.3, 3).ticks).toEqual([0, 0.1, 0.2, 0.3]))
  test('always covers the data with few marks', () => {
    const finite = fc.double({ min: -1e12, max: 1e12, noNaN: true }).filter((v) => v === 0 || Math.abs(v) > 1e-9)
    fc.assert(
      fc.property(finite, finite, fc.constantFrom(10 as const, 60 as const, 1024 as const), (a, b, base) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        fc.pre(high - low > Math.max(Math.abs(high), Math.abs(low)) * 1e-6)
        const axis = valueAxis(low, high, 5, base)
        const slack = (high - low) * 1e-6
        expect(axis.min).toBeLessThanOrEqual(low + slack)
        expect(axis.max).toBeGreaterThanOrEqual(high - slack)
        expect(axis.ticks.length).toBeLessThanOrEqual(8)
      }),
    )
  })
})

test('logAxis marks powers of ten', () => {
  expect(logAxis(0.002, 30, 6).ticks).toEqual([0.001, 0.01, 0.1, 1, 10, 100])
})

describe('timeTicks', () => {
  const fromMs = Date.parse('2024-03-12T22:10:00Z')
  const labels = (spanMs: number, count: number) =>
    timeTicks(fromMs, fromMs + spanMs, count, 'utc').map((tick) => tick.label)
  test('an hour in quarters', () => expect(labels(3_600_000, 5)).toEqual(['22:15', '22:30', '22:45', '23:00']))
  test('midnight names the day', () => expect(labels(4 * 3_600_000, 4)).toEqual(['23:00', '13 Mar', '01:00', '02:00']))
  test('a minute shows seconds', () =>
    expect(labels(60_000, 4)).toEqual(['22:10:00', '22:10:15', '22:10:30', '22:10:45', '22:11:00']))
  test('a month shows days', () => expect(labels(4 * 86_400_000, 4)).toEqual(['13 Mar', '14 Mar', '15 Mar', '16 Mar']))
})
