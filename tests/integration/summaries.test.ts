import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, type Evaluation } from '../../promql/index.ts'
import { openStore, type Store, type StoreOptions } from '../../tsdb/library.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const START = 1_699_963_200_000 // A multiple of 18 hours.
const HOURS = 60
const engine = createEngine({ lookbackDeltaMs: 5 * MINUTE, defaultSubqueryStepMs: () => MINUTE, maxSamples: 1e8 })

/** A counter that begins anew each 7 hours and 20 minutes, and a gauge with a period of 90 minutes. */
const counterAt = (minute: number): number => (minute % 440) * 3 + (minute % 2)
const gaugeAt = (minute: number): number => Math.round(500 * Math.sin((minute / 90) * 2 * Math.PI)) / 10

async function filled(folder: string, options: Partial<StoreOptions>): Promise<Store> {
  const store = await openStore({ dataDir: folder, futureMaxMs: Number.POSITIVE_INFINITY, pastMaxMs: 1e15, ...options })
  for (let hour = 0; hour < HOURS; hour += 6) {
    const appender = store.tsdb.appender()
    for (let minute = hour * 60; minute < (hour + 6) * 60; minute++) {
      const timeMs = START + minute * MINUTE + 5000
      for (const instance of ['a', 'b']) {
        appender.append(undefined, ['__name__', 'requests_total', 'instance', instance], timeMs, counterAt(minute))
        appender.append(undefined, ['__name__', 'depth', 'instance', instance], timeMs, gaugeAt(minute))
      }
      // Ends in the middle of the time of which only summaries are left.
      const gone = ['__name__', 'gone', 'instance', 'a']
      if (minute < 700) appender.append(undefined, gone, timeMs, minute)
      else if (minute === 700) appender.appendStale(undefined, gone, timeMs)
    }
    await appender.commit()
    await store.tsdb.maintain()
  }
  await store.tsdb.maintain()
  return store
}

const folders = [0, 1, 2].map(() => mkdtempSync(join(tmpdir(), 'belltower-summaries-')))
/** With all samples and nothing else; with summaries of an hour instead of the first samples; with `sum` sections. */
let samples: Store
let tier: Store
let sections: Store

beforeAll(async () => {
  // Blocks of less than 12 hours have no section.
  samples = await filled(folders[0]!, { retentionMs: 80 * HOUR })
  tier = await filled(folders[1]!, {
    retentionMs: 20 * HOUR,
    tiers: [{ resolutionMs: HOUR, retentionMs: 1000 * HOUR }],
  })
  sections = await filled(folders[2]!, {})
}, 120_000)

afterAll(async () => {
  for (const store of [samples, tier, sections]) await store.close()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const range = (store: Store, query: string, fromMinute: number, toMinute: number, stepMs: number): Evaluation =>
  engine.range(store.reader, query, {
    startMs: START + fromMinute * MINUTE,
    endMs: START + toMinute * MINUTE,
    stepMs,
  })

function points(evaluation: Evaluation): Record<string, Map<number, number>> {
  const { result } = evaluation
  if (result.type !== 'matrix') throw new Error('not a matrix')
  return Object.fromEntries(
    result.series.map(({ labels, timestampsMs, values }) => [
      labels.join(),
      new Map(Array.from(values, (value, i) => [(timestampsMs[i]! - START) / MINUTE, value])),
    ]),
  )
}

function expectClose(found: Evaluation, wanted: Evaluation, relative: number): void {
  const [a, b] = [points(found), points(wanted)]
  expect(Object.keys(a)).toEqual(Object.keys(b))
  for (const [series, values] of Object.entries(b)) {
    expect([...a[series]!.keys()]).toEqual([...values.keys()])
    for (const [minute, value] of values) {
      const distance = Math.abs(a[series]!.get(minute)! - value)
      expect(
        distance,
        `${series} at minute ${minute}: ${a[series]!.get(minute)} instead of ${value}`,
      ).toBeLessThanOrEqual(relative * Math.max(1, Math.abs(value)))
    }
  }
}

describe('where only summaries of an hour are left', () => {
  test('that is so', () => {
    const blocks = tier.tsdb.blocks()
    expect(Math.min(...blocks.filter(({ resolution }) => resolution === undefined).map(({ minTime }) => minTime))).toBe(
      START + 38 * HOUR,
    )
    expect(Math.min(...blocks.filter(({ resolution }) => resolution === HOUR).map(({ minTime }) => minTime))).toBe(
      START,
    )
  })

  test.each([
    'rate(requests_total[1h])',
    'increase(requests_total[2h])',
    'sum(rate(requests_total[6h]))',
    'avg_over_time(depth[1h])',
    'count_over_time(depth[3h])',
    'sum_over_time(depth[2h])',
    'stddev(avg_over_time(depth[2h])) + 1',
    'rate(requests_total[3h] offset 2h)',
  ])('%s at whole hours is what the samples give', (query) => {
    // From what was summarised into what was not.
    const [from, to] = [6 * 60, 50 * 60]
    expectClose(range(tier, query, from, to, HOUR), range(samples, query, from, to, HOUR), 1e-9)
  })

  test.each([
    'max_over_time(depth[1h])',
    'min_over_time(depth[4h])',
    'last_over_time(depth[2h])',
    'present_over_time(gone[1h])',
  ])('%s at whole hours is what the samples give, bit for bit', (query) => {
    const [from, to] = [6 * 60, 50 * 60]
    expect(points(range(tier, query, from, to, HOUR))).toEqual(points(range(samples, query, from, to, HOUR)))
  })

  test('windows that begin anywhere: rates are near, whatever the counter did', () => {
    const [from, to] = [8 * 60 + 17, 30 * 60 + 17]
    const found = points(range(tier, 'rate(requests_total[4h])', from, to, 20 * MINUTE))
    const wanted = points(range(samples, 'rate(requests_total[4h])', from, to, 20 * MINUTE))
    expect(Object.keys(found)).toEqual(Object.keys(wanted))
    for (const [series, values] of Object.entries(wanted)) {
      for (const [minute, value] of values) {
        expect(Math.abs(found[series]!.get(minute)! - value)).toBeLessThan(0.1 * value)
      }
    }
  })

  test('an instant selector shows real samples, and nothing of a series that had ended', () => {
    const found = points(range(tier, 'requests_total{instance="a"}', 5 * 60 + 30, 34 * 60 + 30, HOUR))
    const [values] = Object.values(found)
    expect(values!.size).toBe(30)
    for (const [minute, value] of values!) {
      // The newest of the first and the last samples of each hour.
      const before = Math.floor(minute / 60) * 60
      expect([counterAt(before), counterAt(before - 1)]).toContain(value)
    }
    expect([...Object.values(points(range(tier, 'gone', 5 * 60, 20 * 60, HOUR)))[0]!.keys()].at(-1)).toBe(11 * 60)
    const { result } = engine.instant(tier.reader, 'depth{instance="b"}', START + 10.5 * HOUR)
    expect(result).toMatchObject({ type: 'vector', samples: [{ labels: ['__name__', 'depth', 'instance', 'b'] }] })
  })

  test('the statistics say what was used; what is too coarse is not used, and said', () => {
    const used = range(tier, 'rate(requests_total[2h])', 10 * 60, 50 * 60, HOUR)
    expect(used.stats.resolutions).toMatchObject([
      { resolutionMs: HOUR, isUsed: true, minTimeMs: START + 8 * HOUR + 1 },
    ])
    expect(used.infos.join()).not.toContain('coarse')
    for (const query of ['rate(requests_total[30m])', 'depth']) {
      const missed = range(tier, query, 10 * 60, 20 * 60, 10 * MINUTE)
      expect(points(missed)).toEqual({})
      expect(missed.stats.resolutions).toMatchObject([{ resolutionMs: HOUR, isUsed: false }])
      expect(missed.infos.join()).toContain('only summaries of 1h, which are too coarse')
    }
    expect(range(tier, 'rate(requests_total[30m])', 50 * 60, 55 * 60, 10 * MINUTE).stats.resolutions).toBeUndefined()
    const explained = engine.explain(
      tier.reader,
      'depth',
      { startMs: START, endMs: START + 9 * HOUR, stepMs: HOUR },
      { run: true },
    )
    expect(explained.evaluation?.stats.resolutions).toMatchObject([{ resolutionMs: HOUR, isUsed: true }])
  })

  test('names and labels of that time are found', () => {
    const querier = tier.reader.querier({ minTimeMs: START, maxTimeMs: START + HOUR })
    const within = { minTimeMs: START, maxTimeMs: START + HOUR }
    expect(querier.labelValues('__name__', [], within)).toEqual(['depth', 'gone', 'requests_total'])
    expect(querier.series([], within)).toHaveLength(5)
    querier.close()
  })
})

describe('sum sections', () => {
  test('long blocks have one, short ones do not', () => {
    expect(sections.tsdb.blocks().some(({ summary }) => summary === HOUR)).toBe(true)
    expect(samples.tsdb.blocks().some(({ summary }) => summary !== undefined)).toBe(false)
  })

  test.each(['max', 'min', 'count', 'last', 'first', 'present'])('%s_over_time is the same bit for bit', (name) => {
    for (const atMinute of [53 * 60, 55 * 60 + 7.3]) {
      const query = `${name}_over_time(depth[40h])`
      const timeMs = START + atMinute * MINUTE
      const found = engine.instant(sections.reader, query, timeMs)
      expect(found.result).toEqual(engine.instant(samples.reader, query, timeMs).result)
      // It did read less.
      if (name !== 'last') expect(found.stats.samples.totalQueryableSamples).toBeLessThan(3000)
    }
    const query = `${name}_over_time(depth[6h])`
    expect(points(range(sections, query, 600, 3000, HOUR))).toEqual(points(range(samples, query, 600, 3000, HOUR)))
    expect(points(range(sections, query, 607, 3007, HOUR))).toEqual(points(range(samples, query, 607, 3007, HOUR)))
  })

  test.each(['sum', 'avg'])('%s_over_time differs by rounding at most', (name) => {
    for (const from of [600, 607]) {
      const query = `${name}_over_time(depth[12h])`
      expectClose(range(sections, query, from, 3000, HOUR), range(samples, query, from, 3000, HOUR), 1e-12)
    }
  })
})
