import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Tsdb, TsdbOptions } from '../index.ts'
import { type CellValue, openStore, temporaryFolder, writeRow } from '../testing/store.ts'
import { readWindow, sumOf, type WindowSamples } from '../testing/windows.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const START = 1_699_963_200_000 // A multiple of 18 hours.
const HOURS = 48
const TIERS: Partial<TsdbOptions> = {
  // Of the first 24 hours and more only summaries are left.
  retentionMs: 20 * HOUR,
  tiers: [
    { resolutionMs: 5 * MINUTE, retentionMs: 1000 * HOUR },
    { resolutionMs: HOUR, retentionMs: 2000 * HOUR },
  ],
}

type Sample = readonly [timeMs: number, value: CellValue]

/** A value for each minute: counters that begin anew, gauges, gaps, markers; the target itself may pause. */
const seriesArb = fc.record({
  kind: fc.constantFrom('counter', 'gauge'),
  seed: fc.nat(1_000_000),
  resetEvery: fc.integer({ min: 7, max: 900 }),
  gapEvery: fc.integer({ min: 3, max: 500 }),
  gapLength: fc.integer({ min: 0, max: 90 }),
})

type SeriesKind = typeof seriesArb extends fc.Arbitrary<infer T> ? T : never

const cellOf =
  ({ kind, seed, resetEvery, gapEvery, gapLength }: SeriesKind) =>
  (minute: number): CellValue => {
    const noise = Math.abs(Math.imul(minute + seed, 2_654_435_761) >> 7) % 1000
    const inGap = minute % (gapEvery + gapLength)
    if (gapLength > 0 && inGap === gapEvery) return 'stale'
    if (inGap > gapEvery) return 'absent'
    return kind === 'counter' ? (minute % resetEvery) * 10 + (noise % 10) : noise - 500
  }

function fill(store: Tsdb, cells: readonly ((minute: number) => CellValue)[], fromHour: number, toHour: number): void {
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries(cells.map((_, i) => ['__name__', `s${i}`]))
  for (let minute = fromHour * 60; minute < toHour * 60; minute++) {
    // On the whole and beside it: samples at the very end of a stretch, and not.
    const timeMs = START + minute * MINUTE + (minute % 2 === 0 ? 0 : 17)
    writeRow(
      writer,
      timeMs,
      cells.map((cell, i) => [i, cell(minute)]),
    )
  }
  writer.close()
}

const increase = (values: readonly number[]): number =>
  sumOf(values.slice(1).map((value, i) => (value < values[i]! ? value : value - values[i]!)))

function check(store: Tsdb, name: string, samples: readonly Sample[], fromMs: number, toMs: number): void {
  const raw = samples.filter(([timeMs, value]) => timeMs > fromMs && timeMs <= toMs && typeof value === 'number')
  const values = raw.map(([, value]) => value as number)
  const ask = (functionName: string): WindowSamples | undefined =>
    readWindow(store, functionName, fromMs, toMs)[`__name__,${name},job,x`]
  if (values.length === 0) {
    expect(ask('max_over_time')?.values ?? []).toEqual([])
    return
  }
  expect(Math.max(...ask('max_over_time')!.values)).toBe(Math.max(...values))
  expect(Math.min(...ask('min_over_time')!.values)).toBe(Math.min(...values))
  expect(sumOf(ask('sum_over_time')!.values)).toBeCloseTo(sumOf(values), 6)
  const counted = ask('avg_over_time')!
  expect(sumOf(counted.counts)).toBe(values.length)
  expect(sumOf(counted.values)).toBeCloseTo(sumOf(values), 6)
  const last = ask('last_over_time')!
  expect([last.times.at(-1), last.values.at(-1)]).toEqual(raw.at(-1))
  // Of what falls below zero rates mean nothing.
  if (Math.min(...values) < 0) return
  const counter = ask('increase')!
  expect([counter.times[0], counter.times.at(-1)]).toEqual([raw[0]![0], raw.at(-1)![0]])
  expect(increase(counter.values)).toBeCloseTo(increase(values), 6)
}

test('tiers: whole stretches say of the samples what these would have said, also once they are gone, after a restart', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(seriesArb, { minLength: 3, maxLength: 8 }), async (series) => {
      const cells = series.map(cellOf)
      const { folder, remove } = temporaryFolder()
      let store = await openStore(folder, TIERS)
      try {
        for (const [from, to] of [
          [0, 26],
          [26, HOURS],
        ] as const) {
          fill(store, cells, from, to)
          await store.maintain()
          await store.maintain()
        }
        const raw = store.blocks().filter(({ resolution }) => resolution === undefined)
        expect(raw[0]!.minTime).toBeGreaterThan(START + 17 * HOUR)
        for (let round = 0; round < 2; round++) {
          for (const [i, cell] of cells.entries()) {
            const samples = Array.from(
              { length: HOURS * 60 },
              (_, minute): Sample => [START + minute * MINUTE + (minute % 2 === 0 ? 0 : 17), cell(minute)],
            )
            check(store, `s${i}`, samples, START - HOUR, START + 15 * HOUR)
            check(store, `s${i}`, samples, START + 3 * HOUR, START + 4 * HOUR)
            check(store, `s${i}`, samples, START + 5 * MINUTE, START + 65 * MINUTE)
            check(store, `s${i}`, samples, START + 10 * HOUR, START + HOURS * HOUR)
          }
          await store.close()
          store = await openStore(folder, TIERS)
        }
      } finally {
        await store.close()
        remove()
      }
    }),
    { numRuns: 2 },
  )
}, 120_000)
