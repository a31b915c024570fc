import { expect, test } from 'vitest'
import { scrapedBy, targetIntervals } from './target-interval.ts'

const HOUR = 3_600_000
const base = { fromMs: 0, toMs: HOUR, pointsMax: 1000, scrapeIntervalMs: 15_000, targetMin: '', panelMin: '' }

test.each<[string, object, number, number]>([
  ['1 h', {}, 15_000, 60_000],
  ['24 h', { toMs: 24 * HOUR }, 60_000, 75_000],
  ['5 s scrapes', { scrapeIntervalMs: 5000 }, 5000, 20_000],
  ['panel min step', { panelMin: '>1m' }, 60_000, 75_000],
  ['own min step', { targetMin: '2m' }, 120_000, 480_000],
  ['bare seconds', { targetMin: '30' }, 30_000, 120_000],
  ['factor', { factor: 2 }, 30_000, 60_000],
  ['a step as long as the window', { targetMin: '$__rate_interval' }, 60_000, 60_000],
  [
    'never more than 11,000 points',
    { toMs: 30 * 24 * HOUR, pointsMax: 1_000_000, scrapeIntervalMs: 1000 },
    300_000,
    4000,
  ],
])('%s', (_, change, stepMs, rateIntervalMs) => {
  const found = targetIntervals({ ...base, ...change })
  expect(found.stepMs).toBe(stepMs)
  expect(found.rateIntervalMs).toBe(rateIntervalMs)
  expect(found.startMs % stepMs).toBe(0)
})

test('matchers of jobs and instances', () => {
  const found = scrapedBy('rate(a{job=~"node|x", instance="h:1"}[5m])')
  expect(found.map(({ name }) => name)).toEqual(['job', 'instance'])
  expect([found[0]!.pattern.test('node'), found[0]!.pattern.test('nodes'), found[1]!.pattern.test('h:1')]).toEqual([
    true,
    false,
    true,
  ])
  expect(scrapedBy('a{job=~"("}')).toEqual([])
})
