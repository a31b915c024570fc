import { describe, expect, test } from 'vitest'
import {
  createKernelMemory,
  createWindowKernels,
  instantiateKernels,
  KERNEL_RESERVED_BYTES,
  WINDOW_WORK_BYTES,
} from '../../kernels/index.ts'
import { ManualClock } from '../../lib/index.ts'
import { labelsFromRecord, labelsText, type Querier, type Queryable, type SeriesColumn } from '../../model/index.ts'
import {
  createEngine,
  type EngineOptions,
  MemoryStorage,
  parseExpr,
  parseSeriesLine,
  type QueryOptions,
} from '../index.ts'

const MINUTE_MS = 60_000

function engineWith(options: Partial<EngineOptions> = {}): ReturnType<typeof createEngine> {
  return createEngine({
    lookbackDeltaMs: 5 * MINUTE_MS,
    defaultSubqueryStepMs: () => MINUTE_MS,
    maxSamples: 1e6,
    ...options,
  })
}

/** One sample a minute from time 0. */
function storageWith(...lines: string[]): MemoryStorage {
  const storage = new MemoryStorage()
  for (const line of lines) {
    const { labels, values } = parseSeriesLine(line)
    const floats = values.flatMap((value) => (value.kind === 'float' ? [value.value] : []))
    storage.add(
      labels,
      Float64Array.from(floats, (_, i) => i * MINUTE_MS),
      Float64Array.from(floats),
    )
  }
  return storage
}

const counters = storageWith('c_total{i="a"} 0+60x20', 'c_total{i="b"} 0+120x20', 'd_total{i="a"} 0+60x20')
const range = { startMs: 0, endMs: 20 * MINUTE_MS, stepMs: MINUTE_MS }

function instant(text: string, options?: QueryOptions, engine = engineWith()): unknown {
  const { result } = engine.instant(counters, text, 10 * MINUTE_MS, options)
  if (result.type !== 'vector') return result
  return Object.fromEntries(result.samples.map(({ labels, value }) => [labelsText(labels), value]))
}

describe('results', () => {
  test('vectors, scalars and strings carry the evaluation time', () => {
    expect(engineWith().instant(counters, 'd_total', 90_000).result).toEqual({
      type: 'vector',
      samples: [{ labels: ['__name__', 'd_total', 'i', 'a'], timestampMs: 90_000, value: 60 }],
    })
    expect(instant('time() / 2')).toEqual({ type: 'scalar', timestampMs: 600_000, value: 300 })
    expect(instant('"text"')).toEqual({ type: 'string', timestampMs: 600_000, value: 'text' })
  })

  test('a range selector gives raw samples', () => {
    expect(instant('d_total[2m]')).toEqual({
      type: 'matrix',
      series: [
        {
          labels: ['__name__', 'd_total', 'i', 'a'],
          timestampsMs: Float64Array.of(540_000, 600_000),
          values: Float64Array.of(540, 600),
        },
      ],
    })
  })

  test('range queries leave absent steps out and sort by labels', () => {
    const { result } = engineWith().range(counters, 'c_total > 1100', range)
    expect(result).toEqual({
      type: 'matrix',
      series: ['a', 'b'].map((i) => {
        const first = i === 'a' ? 19 : 10
        const steps = Array.from({ length: 21 - first }, (_, k) => first + k)
        return {
          labels: ['__name__', 'c_total', 'i', i],
          timestampsMs: Float64Array.from(steps, (step) => step * MINUTE_MS),
          values: Float64Array.from(steps, (step) => step * (i === 'a' ? 60 : 120)),
        }
      }),
    })
  })

  test('a scalar in a range query is one series without labels', () => {
    const { result } = engineWith().range(counters, '1 + 1', { startMs: 0, endMs: 1000, stepMs: 1000 })
    expect(result).toEqual({
      type: 'matrix',
      series: [{ labels: [], timestampsMs: Float64Array.of(0, 1000), values: Float64Array.of(2, 2) }],
    })
  })

  test('parsed expressions are taken as well as text', () => {
    const engine = engineWith()
    const expr = parseExpr('sum(rate(c_total[5m]))')
    expect(engine.instant(counters, expr, 600_000).result).toEqual(
      engine.instant(counters, 'sum(rate(c_total[5m]))', 600_000).result,
    )
  })
})

describe('names', () => {
  test('series that only differ in name collide at once without delayed removal', () => {
    expect(() => instant('rate({i="a"}[5m])')).toThrow('vector cannot contain metrics with the same labelset')
    expect(() => instant('-{i="a"}')).toThrow('vector cannot contain metrics with the same labelset')
    expect(instant('sum(rate({__name__="c_total"}[5m]))')).toEqual({ '{}': 3 })
  })

  test('with delayed removal the name lasts until the end', () => {
    const delayed = engineWith({ delayedNameRemoval: true })
    const text = 'label_replace(rate({i="a"}[5m]), "of", "$1", "__name__", "(.)_.*")'
    expect(instant(text, {}, delayed)).toEqual({ '{i="a", of="c"}': 1, '{i="a", of="d"}': 1 })
    expect(instant('sum by (__name__) (rate({__name__="c_total"}[5m]))', {}, delayed)).toEqual({ '{}': 3 })
  })
})

describe('limits', () => {
  const expectError = (evaluate: () => unknown, code: string, httpStatus: number, message: string): void => {
    expect(evaluate).toThrow(expect.objectContaining({ code, httpStatus, message }))
  }

  test('samples in memory', () => {
    const small = engineWith({ maxSamples: 30 })
    const message = 'query processing would load too many samples into memory in query execution'
    expectError(() => small.range(counters, 'c_total', range), 'ERR_QUERY_TOO_MANY_SAMPLES', 422, message)
    const before = 'count_over_time(c_total[100y:1ms])'
    expectError(() => instant(before), 'ERR_QUERY_TOO_MANY_SAMPLES', 422, message)
    // A sum holds one group and one series at a time, not all series.
    const wide = storageWith(...Array.from({ length: 50 }, (_, i) => `m{i="${i}"} 1+1x4`))
    const times = { startMs: 0, endMs: 4 * MINUTE_MS, stepMs: MINUTE_MS }
    expect(small.range(wide, 'sum(m)', times).stats.samples).toEqual({ totalQueryableSamples: 250, peakSamples: 10 })
  })

  test('deadline', () => {
    const engine = engineWith({ clock: new ManualClock(1000) })
    const message = 'query timed out in expression evaluation'
    expectError(() => engine.instant(counters, 'c_total', 0, { deadlineMs: 999 }), 'ERR_QUERY_TIMEOUT', 503, message)
    expect(engine.instant(counters, 'c_total', 0, { deadlineMs: 1000 }).result.type).toBe('vector')
  })

  test('cancel flag', () => {
    const cancelFlag = new Int32Array(new SharedArrayBuffer(4))
    expect(instant('count(c_total)', { cancelFlag })).toEqual({ '{}': 2 })
    Atomics.store(cancelFlag, 0, 1)
    const message = 'query was canceled in expression evaluation'
    expectError(() => instant('count(c_total)', { cancelFlag }), 'ERR_QUERY_CANCELED', 499, message)
  })

  test('number of series in the answer', () => {
    const { result, warnings } = engineWith().range(counters, 'c_total', range, { limit: 1 })
    expect(result.type === 'matrix' && result.series.length).toBe(1)
    expect(warnings).toEqual(['results truncated due to limit'])
    expect(engineWith().range(counters, 'c_total', range, { limit: 2 }).warnings).toEqual([])
  })

  test('lookback can be given for one query', () => {
    const engine = engineWith()
    expect(engine.instant(counters, 'd_total', 22 * MINUTE_MS, { lookbackDeltaMs: 60_000 }).result).toMatchObject({
      samples: [],
    })
    expect(engine.instant(counters, 'd_total', 22 * MINUTE_MS).result).toMatchObject({ samples: [{ value: 1200 }] })
  })
})

describe('refused', () => {
  test.each([
    ['c_total[5m]', range, 'invalid expression type "range vector" for range query, must be Scalar or instant Vector'],
    ['"a"', range, 'invalid expression type "string" for range query, must be Scalar or instant Vector'],
    ['c_total', { ...range, endMs: -1 }, 'end timestamp must not be before start time'],
    [
      'c_total',
      { ...range, stepMs: 0 },
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
  ])('%s %o', (text, times, message) => {
    expect(() => engineWith().range(counters, text, times)).toThrow(
      expect.objectContaining({ code: 'ERR_QUERY_INVALID', httpStatus: 400, message }),
    )
  })
})

test('annotations say where', () => {
  const text = 'rate(c_total[5m])\n  + on (i)\n  increase(gauge[5m])'
  const { infos } = engineWith().instant(storageWith('c_total{i="a"} 0+60x9', 'gauge{i="a"} 1+1x9'), text, 300_000)
  expect(infos).toEqual([
    'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "gauge" (3:12)',
  ])
})

test('the part that @ fixes is read once, and counts at each step', () => {
  let selects = 0
  let samples = 0
  const counting: Queryable = {
    querier: (times): Querier => {
      const inner = counters.querier(times)
      return {
        ...inner,
        select: (matchers, hints) => {
          selects++
          samples += hints.maxTimeMs - hints.minTimeMs
          return inner.select(matchers, hints)
        },
      }
    },
  }
  const { result, stats } = engineWith().range(counting, 'sum(rate(c_total[5m] @ 600)) + 0 * time()', range)
  expect(result.type === 'matrix' && new Set(result.series[0]!.values)).toEqual(new Set([3]))
  expect([selects, samples, stats.samples.totalQueryableSamples]).toEqual([1, 5 * MINUTE_MS - 1, 210])
})

test('equal parts are read once, and may be changed by each user', () => {
  let selects = 0
  const counting: Queryable = {
    querier: (times): Querier => {
      const inner = counters.querier(times)
      return {
        ...inner,
        select: (matchers, hints) => {
          selects++
          return inner.select(matchers, hints)
        },
      }
    },
  }
  const text = 'sum(-rate(c_total[5m])) + sum(rate(c_total[5m])) * sum(rate(c_total[5m])) + 0 * sum(rate(c_total[4m]))'
  const { result } = engineWith().instant(counting, text, 600_000)
  expect(result).toMatchObject({ samples: [{ value: 6 }] })
  expect(selects).toBe(2)
})

test('columns in the kernels’ memory give the same answers', () => {
  const memory = createKernelMemory({ initialBytes: 1 << 20, maximumBytes: 2 << 20 })
  const windowKernels = createWindowKernels({
    memory,
    kernels: instantiateKernels(memory),
    offset: KERNEL_RESERVED_BYTES,
    bytes: WINDOW_WORK_BYTES,
  })
  const length = 200
  const at = KERNEL_RESERVED_BYTES + Math.ceil(WINDOW_WORK_BYTES / 8) * 8
  const column: SeriesColumn = {
    labels: labelsFromRecord({ __name__: 'c_total' }),
    timestampsMs: new Float64Array(memory.buffer, at, length).map((_, i) => i * 15_000),
    values: Float64Array.from({ length }, (_, i) => (i % 70) * 1.1),
    length,
    stale: undefined,
  }
  const shared: SeriesColumn = {
    ...column,
    timestampsMs: new Float64Array(memory.buffer, at, length),
    values: new Float64Array(memory.buffer, at + 8 * length, length),
  }
  shared.timestampsMs.set(column.timestampsMs)
  shared.values.set(column.values)
  const storeOf = (only: SeriesColumn): Queryable => ({
    querier: () => ({
      select: () => [only],
      series: () => [],
      labelNames: () => [],
      labelValues: () => [],
      close: () => undefined,
    }),
  })
  for (const name of [
    'rate',
    'increase',
    'delta',
    'sum_over_time',
    'avg_over_time',
    'min_over_time',
    'max_over_time',
  ]) {
    const text = `${name}(c_total[5m])`
    const ours = engineWith({ windowKernels }).range(storeOf(shared), text, range)
    const plain = engineWith().range(storeOf(column), text, range)
    expect(ours.result, text).toEqual(plain.result)
  }
})

test('places of annotations count bytes, as those of errors', () => {
  const text = 'c_total{i!="é"} or quantile(2, c_total)'
  const { warnings } = engineWith().instant(counters, text, 0)
  const column = Buffer.byteLength(text.slice(0, text.indexOf('2'))) + 1
  expect(warnings).toEqual([`PromQL warning: quantile value should be between 0 and 1, got 2 (1:${column})`])
})
