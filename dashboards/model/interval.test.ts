import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alignRange, expandIntervals, POINTS_MAX, panelIntervals, roundInterval, tryParseDuration } from './interval.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

describe('panelIntervals', () => {
  const check = (spanMs: number, pointsMax: number, scrapeIntervalMs: number) => {
    const { stepMs, rateIntervalMs } = panelIntervals({ fromMs: 0, toMs: spanMs, pointsMax, scrapeIntervalMs })
    return [stepMs / 1000, rateIntervalMs / 1000]
  }
  test('a day on 1000 px at 15 s: one-minute steps, 75 s window', () =>
    expect(check(24 * HOUR_MS, 1000, 15_000)).toEqual([60, 75]))
  test('an hour on 1000 px at 15 s: the scrape interval is the floor, window 4 scrapes', () =>
    expect(check(HOUR_MS, 1000, 15_000)).toEqual([15, 60]))
  test('an hour on 1000 px at 5 s', () => expect(check(HOUR_MS, 1000, 5000)).toEqual([5, 20]))
  test('a week on 500 px', () => expect(check(168 * HOUR_MS, 500, 15_000)).toEqual([1200, 1215]))

  test('the query API never refuses the step, and the window always holds four scrapes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 * 24 * HOUR_MS }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1000, max: 5 * MINUTE_MS }),
        (spanMs, pointsMax, scrapeIntervalMs) => {
          const got = panelIntervals({ fromMs: 0, toMs: spanMs, pointsMax, scrapeIntervalMs })
          expect(spanMs / got.stepMs).toBeLessThanOrEqual(POINTS_MAX)
          expect(got.stepMs).toBeGreaterThanOrEqual(scrapeIntervalMs)
          expect(got.rateIntervalMs).toBeGreaterThanOrEqual(4 * scrapeIntervalMs)
        },
      ),
    )
  })
})

test('roundInterval never falls while its argument grows', () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 4e10, noNaN: true }), fc.double({ min: 1, max: 10, noNaN: true }), (a, k) => {
      expect(roundInterval(a * k)).toBeGreaterThanOrEqual(roundInterval(a))
    }),
  )
})

test('alignRange floors both ends to multiples of the step', () => {
  expect(alignRange(61_234, 121_999, 15_000)).toEqual({ startMs: 60_000, endMs: 120_000 })
})

test('expandIntervals knows both spellings and leaves other variables alone', () => {
  const intervals = { stepMs: 60_000, rateIntervalMs: 75_000, rangeMs: 86_400_000 }
  expect(expandIntervals('rate(a[$__rate_interval]) + $__interval_ms + ${__range_s} + $__ranger', intervals)).toBe(
    'rate(a[1m15s]) + 60000 + 86400 + $__ranger',
  )
  expect(expandIntervals('a[$__range]', intervals)).toBe('a[86400s]')
})

test('tryParseDuration', () => {
  expect(tryParseDuration('1m30s')).toBe(90_000)
  expect(tryParseDuration('soon')).toBeUndefined()
})
