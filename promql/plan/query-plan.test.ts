// One parsed expression evaluated again and again gives what a new one gives, wherever the times have a say.
import { expect, test } from 'vitest'
import { labelsFromRecord } from '../../model/index.ts'
import { createEngine, MemoryStorage, parseExpr } from '../index.ts'
import { hasOwnTimes } from './durations.ts'
import { queryPlanOf } from './query-plan.ts'

const MINUTE_MS = 60_000
const FEATURES = { durationExpressions: true, experimentalFunctions: true }

const storage = new MemoryStorage()
for (const i of [1, 2]) {
  storage.add(
    labelsFromRecord({ __name__: 'c_total', i: String(i) }),
    Float64Array.from({ length: 60 }, (_, at) => at * MINUTE_MS),
    Float64Array.from({ length: 60 }, (_, at) => at * at * i),
  )
}

const DEPENDENT = [
  'c_total @ start()',
  'sum(c_total @ end())',
  'rate(c_total[10m] @ end()) + 1',
  'max_over_time(c_total[10m:] @ 1200)',
  'avg_over_time(sum(c_total @ start())[10m:2m])',
  'max_over_time(c_total[10m:] offset 1m)',
  'rate(c_total[step() + 5m])',
  'c_total offset range()',
  '-(sum_over_time(c_total[range() + 5m]) > 3)',
  'sum_over_time(c_total[10m:step() + 1m])',
]
const INDEPENDENT = [
  'c_total',
  'c_total @ 1200',
  'rate(c_total[10m] @ 600 offset -1m)',
  'max_over_time(c_total[10m:2m])',
  'sum by (i) (c_total) / on (i) c_total offset 3m > 1 + 2',
  'histogram_count(c_total)',
]

test.each([...DEPENDENT, ...INDEPENDENT])('%s', (text) => {
  let defaultStepMs = MINUTE_MS
  const options = { lookbackDeltaMs: 5 * MINUTE_MS, maxSamples: 1e6, features: FEATURES }
  const engine = createEngine({ ...options, defaultSubqueryStepMs: () => defaultStepMs })
  const held = parseExpr(text, FEATURES)
  for (const stepMs of [1, 3, 7].map((minutes) => minutes * MINUTE_MS)) {
    defaultStepMs = stepMs
    for (const startMs of [10, 17, 30].map((minutes) => minutes * MINUTE_MS)) {
      const times = { startMs, endMs: startMs + 4 * stepMs, stepMs }
      const fresh = parseExpr(text, FEATURES)
      expect(engine.range(storage, held, times).result).toEqual(engine.range(storage, fresh, times).result)
      const anew = parseExpr(text, FEATURES)
      expect(engine.instant(storage, held, startMs).result).toEqual(engine.instant(storage, anew, startMs).result)
    }
  }
})

test('a plan is made once, unless times have a say in it', () => {
  const times = { startMs: 0, endMs: MINUTE_MS, stepMs: MINUTE_MS }
  const planOf = (expr: ReturnType<typeof parseExpr>) => queryPlanOf(expr, times, () => MINUTE_MS)
  for (const text of INDEPENDENT) {
    const expr = parseExpr(text, FEATURES)
    expect(hasOwnTimes(expr), text).toBe(true)
    expect(planOf(expr)).toBe(planOf(expr))
  }
  for (const text of DEPENDENT) expect(hasOwnTimes(parseExpr(text, FEATURES)), text).toBe(false)
})
