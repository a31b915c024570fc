import type { RangeQuery, TestSeries, TestValue } from './promql-peer.ts'

const DEMO_BASE_S = 1_700_006_400
const DEMO_SCRAPES = 1260
const DEMO_INTERVAL_S = 5

/** Ten minutes at the end of the samples, as the compliance tester asks for. */
export const DEMO_RANGE: RangeQuery = {
  startS: DEMO_BASE_S + DEMO_SCRAPES * DEMO_INTERVAL_S - 22 * 60,
  endS: DEMO_BASE_S + DEMO_SCRAPES * DEMO_INTERVAL_S - 12 * 60,
  stepS: 10,
}

/** Random numbers in [0, 1) that are the same each time. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** Samples like those of the demo service that the compliance queries were written for: three instances, each 5 s. */
export function demoSeries(): TestSeries[] {
  const random = randomNumbers(7)
  return ['demo.promlabs.com:10000', 'demo.promlabs.com:10001', 'demo.promlabs.com:10002'].flatMap((instance, n) => {
    const all: TestSeries[] = []
    const add = (name: string, labels: Record<string, string>, valueOf: (i: number) => TestValue | undefined): void => {
      const points: [number, TestValue][] = []
      for (let i = 0; i < DEMO_SCRAPES; i++) {
        const value = valueOf(i)
        // Never on a whole second.
        if (value !== undefined) points.push([(DEMO_BASE_S + i * DEMO_INTERVAL_S) * 1000 + 250 + n * 100, value])
      }
      all.push({ labels: { __name__: name, instance, job: 'demo', ...labels }, points })
    }
    const counter = (perScrape: number, resetChance = 0): (() => number) => {
      let total = 1e5 * (1 + random())
      return () => {
        total = random() < resetChance ? random() * perScrape : total + random() * perScrape
        return total
      }
    }
    for (const [type, bytes] of Object.entries({ used: 4e9, cached: 2e9, buffers: 3e8, free: 1e9 })) {
      add('demo_memory_usage_bytes', { type }, (i) =>
        Math.round(bytes * (1 + 0.1 * Math.sin(i / 50 + n)) + random() * 1e6),
      )
    }
    add('demo_num_cpus', {}, () => 4)
    for (const mode of ['idle', 'user', 'system']) add('demo_cpu_usage_seconds_total', { mode }, counter(8, 0.003))
    add('demo_disk_usage_bytes', {}, (i) => 1e11 + i * 12_345.5 + random() * 1e5)
    add('demo_disk_total_bytes', {}, () => 2.6e11)
    add('demo_batch_last_success_timestamp_seconds', {}, (i) => DEMO_BASE_S + Math.floor(i / 12) * 60 + n)
    // Half a minute there, half a minute away, the end marked as stale.
    add('demo_intermittent_metric', {}, (i) => (i % 24 < 12 ? 1 : i % 24 === 12 ? 'stale' : undefined))
    for (const path of ['/api/bar', '/api/foo']) {
      const labels = { path, method: 'GET', status: '200' }
      const bounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1]
      const counts = [...bounds, 0].map((_, b) => 1000 * (b + 1))
      let scraped = -1
      const countUpTo = (b: number) => (i: number) => {
        if (i !== scraped) for (let k = 0; k < counts.length; k++) counts[k]! += Math.floor(random() * 20) * (k + 1)
        scraped = i
        return counts.slice(0, b + 1).reduce((x, y) => x + y, 0)
      }
      const columns = [...bounds.map(String), '+Inf'].map((le, b) => ({
        le,
        values: [] as number[],
        valueOf: countUpTo(b),
      }))
      for (let i = 0; i < DEMO_SCRAPES; i++) for (const { values, valueOf } of columns) values.push(valueOf(i))
      for (const { le, values } of columns) {
        add('demo_api_request_duration_seconds_bucket', { ...labels, le }, (i) => values[i])
      }
      add('demo_api_request_duration_seconds_count', labels, (i) => columns[columns.length - 1]!.values[i])
      add('demo_api_request_duration_seconds_sum', labels, counter(3))
    }
    return all
  })
}

const BASE_S = 1_700_006_400
const SCRAPES = 240
const INTERVAL_S = 15

/** Evaluation falls between scrapes, and off the grid of subqueries. */
export const VARIED_RANGE: RangeQuery = { startS: BASE_S + 1801.25, endS: BASE_S + 3001.25, stepS: 41 }

/**
 * Counters with resets, gaps, staleness markers, NaN, infinities, jitter, classic and native histograms. Plain values are
 * quarters, so that sums are exact in any order; scrapes of one target share their times.
 */
export function variedSeries(): TestSeries[] {
  const all: TestSeries[] = []
  const random = randomNumbers(42)
  const add = (
    labels: Record<string, string>,
    shiftS: number,
    valueOf: (i: number) => TestValue | undefined,
    jitterMs = 0,
  ): void => {
    const points: [number, TestValue][] = []
    for (let i = 0; i < SCRAPES; i++) {
      const value = valueOf(i)
      const jitter = Math.floor(random() * jitterMs)
      if (value !== undefined) points.push([(BASE_S + i * INTERVAL_S + shiftS) * 1000 + jitter, value])
    }
    all.push({ labels, points })
  }
  for (const [n, instance] of ['a:1', 'b:2', 'c:3'].entries()) {
    const job = n < 2 ? 'api' : 'web'
    const target = { instance, job }
    const shiftS = 3.5 + n
    add({ __name__: 'up', ...target }, shiftS, () => (random() < 0.9 ? 1 : 0))
    add({ __name__: 'load', ...target }, shiftS, () => {
      const value = Math.round((random() - 0.3) * 400) / 4
      return random() < 0.7 ? value : undefined
    })
    add({ __name__: 'temperature', ...target, room: `r${n % 2}` }, shiftS, (i) => {
      return 20 + n + Math.round(8 * Math.sin(i / 20)) / 4
    })
    add({ __name__: 'odd', ...target }, shiftS, () => {
      const kind = random()
      if (kind < 0.05) return Number.NaN
      if (kind < 0.08) return kind < 0.065 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
      return kind < 0.12 ? -0 : Math.round(kind * 80) / 4
    })
    add({ __name__: 'ending', ...target }, shiftS, (i) => (i % 30 < 20 ? i / 4 : i % 30 === 20 ? 'stale' : undefined))
    add({ __name__: 'jittered', ...target }, shiftS, (i) => i * 3 + n, 400)
    for (const code of ['200', '404', '500']) {
      let total = 1000
      add({ __name__: 'requests_total', ...target, code }, shiftS, () => {
        total = random() < 0.02 ? 400 : total + Math.floor(random() * 20)
        return total
      })
    }
    for (const [b, le] of ['0.1', '0.5', '2', '+Inf'].entries()) {
      add({ __name__: 'latency_bucket', ...target, le }, shiftS, (i) => (b + 1) * (100 + i * (n + 1)))
    }
    add({ __name__: 'sizes', ...target }, shiftS, nativeHistograms(random, n))
  }
  return all
}

/** A growing histogram that is reset now and then. */
function nativeHistograms(random: () => number, n: number): () => TestValue {
  const start = (): { zero: number; positive: number[]; negative: number[]; sum: number } => {
    return { zero: 50, positive: [200, 300, 0, 400, 250], negative: [100, 0, 120], sum: 2000 }
  }
  let now = start()
  const grow = (counts: number[]): number[] =>
    counts.map((count) => (count === 0 ? 0 : count + Math.floor(random() * 9)))
  return () => {
    if (random() < 0.02) now = start()
    const { zero, positive, negative, sum } = now
    now = {
      zero: zero + 1,
      positive: grow(positive),
      negative: grow(negative),
      sum: sum + Math.round(random() * 90) / 4,
    }
    const count = [now.zero, ...now.positive, ...now.negative].reduce((a, b) => a + b, 0)
    return {
      integer: true,
      counterResetHint: 0,
      schema: n,
      zeroThreshold: 2 ** -128,
      zeroCount: now.zero,
      count,
      sum: now.sum,
      positiveSpans: [{ offset: -2, length: 5 }],
      positiveBuckets: Float64Array.from(now.positive),
      negativeSpans: [{ offset: 1, length: 3 }],
      negativeBuckets: Float64Array.from(now.negative),
      customBounds: new Float64Array(0),
    }
  }
}
