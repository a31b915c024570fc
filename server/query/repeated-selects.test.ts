import { expect, test } from 'vitest'
import { createMatcher, type Querier, type SelectHints, type SeriesColumn, STALE_NAN_HIGH } from '../../model/index.ts'
import { RepeatedSelects } from './repeated-selects.ts'

const MATCHERS = [createMatcher('=', '__name__', 'up')]
const HINTS: SelectHints = { minTimeMs: 1, maxTimeMs: 60_001 }

/** Gives columns out of the same memory one after the other, as the store does. */
function storeOf(series: readonly { labels: string[]; samples: [number, number][]; stale?: number[] }[]) {
  const counts = { selects: 0 }
  const values = new Float64Array(10)
  const view = {
    *select(): Generator<SeriesColumn> {
      counts.selects++
      for (const { labels, samples, stale } of series) {
        const timestampsMs = Float64Array.from(samples, ([timeMs]) => timeMs)
        values.fill(0).set(samples.map(([, value]) => value))
        yield { labels, timestampsMs, values, length: samples.length, stale: stale && Uint8Array.from(stale) }
      }
    },
  } as Partial<Querier> as Querier
  return { view, counts }
}

const read = (columns: Iterable<SeriesColumn>) =>
  Array.from(columns, ({ labels, timestampsMs, values, length, stale }) => ({
    labels,
    samples: Array.from({ length }, (_, i) => [timestampsMs[i], values[i], stale?.[i] ?? 0]),
  }))

test('what a batch asks for again comes from memory, and is the same; later batches find it anew', () => {
  const { view, counts } = storeOf([
    {
      labels: ['a', '1'],
      samples: [
        [1, 10],
        [2, 20],
      ],
      stale: [0, 1],
    },
    { labels: ['a', '2'], samples: [[1, 30]] },
  ])
  const repeated = new RepeatedSelects()
  const ask = (hints = HINTS) => read(repeated.select(view, MATCHERS, hints))
  const fresh = read(view.select(MATCHERS, HINTS))
  for (const selects of [3, 4, 5]) {
    repeated.startBatch()
    for (let i = 0; i < 5; i++) expect(ask()).toEqual(fresh)
    // It takes a second question to see that it is worth it; from then on it is known.
    expect(counts.selects).toBe(selects)
  }
  expect(ask({ ...HINTS, maxTimeMs: 60_002 })).toEqual(fresh)
  expect(ask({ ...HINTS, minTimeMs: 2, maxTimeMs: 60_002 })).toEqual(fresh)
  expect(ask({ ...HINTS, newestOnly: true })).toEqual(fresh)
  expect(counts.selects).toBe(8)
})

test('a reader that stops early leaves nothing half kept, and histograms are not kept', () => {
  const { view, counts } = storeOf([
    { labels: ['a', '1'], samples: [[1, 10]] },
    { labels: ['a', '2'], samples: [[1, 30]] },
  ])
  const repeated = new RepeatedSelects()
  repeated.startBatch()
  for (let i = 0; i < 3; i++) for (const _ of repeated.select(view, MATCHERS, HINTS)) break
  expect(read(repeated.select(view, MATCHERS, HINTS))).toHaveLength(2)
  expect(counts.selects).toBe(4)
  const histogram = { labels: ['h', '1'], timestampsMs: Float64Array.of(1), values: Float64Array.of(0), length: 1 }
  const odd = {
    select: () => {
      counts.selects++
      return [{ ...histogram, stale: undefined, histograms: [undefined] }]
    },
  } as Partial<Querier> as Querier
  const before = counts.selects
  for (let i = 0; i < 4; i++) read(repeated.select(odd, [createMatcher('=', 'h', '1')], HINTS))
  expect(counts.selects).toBe(before + 4)
})

test('the bits of staleness markers survive', () => {
  const values = new Float64Array(1)
  new Uint32Array(values.buffer).set([2, STALE_NAN_HIGH])
  const column = { labels: ['a', '1'], timestampsMs: Float64Array.of(1), values, length: 1, stale: Uint8Array.of(1) }
  const view = { select: () => [column] } as Partial<Querier> as Querier
  const repeated = new RepeatedSelects()
  repeated.startBatch()
  for (let i = 0; i < 3; i++) {
    const [kept] = [...repeated.select(view, MATCHERS, HINTS)]
    expect([...new Uint32Array(kept!.values.buffer, kept!.values.byteOffset, 2)]).toEqual([2, STALE_NAN_HIGH])
    expect(kept).toMatchObject({ stale: Uint8Array.of(1) })
  }
})

test('newest values are told to a batch once for each question and time', () => {
  let asked = 0
  const view = {
    newestByGroup(_matchers: unknown, { maxTimeMs }: SelectHints) {
      asked++
      return { groups: [], values: Float64Array.of(maxTimeMs), groupIndexes: Uint32Array.of(0), length: 1 }
    },
  } as Partial<Querier> as Querier
  const repeated = new RepeatedSelects()
  const ask = (hints: Partial<SelectHints>) => repeated.newestByGroup(view, MATCHERS, { ...HINTS, ...hints })?.values[0]
  const grouping = { key: 'by i', names: new Set(['i']), keep: true }
  repeated.startBatch()
  expect([ask({}), ask({}), asked]).toEqual([60_001, 60_001, 1])
  expect([ask({ maxTimeMs: 60_002, minTimeMs: 2 }), asked]).toEqual([60_002, 2])
  expect([ask({ grouping }), ask({ grouping }), asked]).toEqual([60_001, 60_001, 3])
  repeated.startBatch()
  expect([ask({}), asked]).toEqual([60_001, 4])
  expect(repeated.newestByGroup({} as Querier, [createMatcher('=', '__name__', 'other')], HINTS)).toBeUndefined()
})
