// The public list of compliance queries, each expanded with all its variants and asked of us and of a real Prometheus over the
// same samples, made to look like those of the list's demo service. Prometheus 2.42 has windows that are closed on the left:
// samples are taken between the seconds at which anything can begin or end.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ownWindowKernels } from '../../kernels/index.ts'
import { createEngine, writeQueryJson } from '../../promql/index.ts'
import { askEngine, differenceOf, hasPrometheus, PrometheusPeer, storageOf } from './promql-peer.ts'
import { DEMO_RANGE, demoSeries } from './promql-series.ts'

const yardsticks =
  process.env.BELLTOWER_YARDSTICKS ?? fileURLToPath(new URL('../../../shared/yardsticks', import.meta.url))
const file = join(yardsticks, 'promql-compliance/promql-test-queries.yml')
const isPossible = existsSync(file) && hasPrometheus()
if (!isPossible) console.log(`promql-compliance: skipped, needs ${file} and prometheus on PATH`)

const QUERIES = 539
const TOLERANCE = 1e-9

const ARITHMETIC = ['+', '-', '*', '/', '%', '^']
const COMPARISONS = ['==', '!=', '<', '>', '<=', '>=']
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  range: ['1s', '15s', '1m', '5m', '15m', '1h'],
  offset: ['1m', '5m', '10m'],
  simpleAggrOp: ['sum', 'avg', 'max', 'min', 'count', 'stddev', 'stdvar'],
  simpleTimeAggrOp: ['sum', 'avg', 'max', 'min', 'count', 'stddev', 'stdvar', 'absent', 'last'],
  topBottomOp: ['topk', 'bottomk'],
  quantile: ['-0.5', '0.1', '0.5', '0.75', '0.95', '0.90', '0.99', '1', '1.5'],
  arithBinOp: ARITHMETIC,
  compBinOp: COMPARISONS,
  binOp: [...ARITHMETIC, ...COMPARISONS],
  simpleMathFunc: ['abs', 'ceil', 'floor', 'exp', 'sqrt', 'ln', 'log2', 'log10', 'round'],
  extrapolatedRateFunc: ['delta', 'rate', 'increase'],
  clampFunc: ['clamp_min', 'clamp_max'],
  instantRateFunc: ['idelta', 'irate'],
  dateFunc: ['day_of_month', 'day_of_week', 'days_in_month', 'hour', 'minute', 'month', 'year'],
}

/** What has changed between 2.42 and 3.x on purpose, each with its reason. */
const EXPLAINED: readonly { readonly query: RegExp; readonly why: RegExp; readonly reason: string }[] = [
  {
    query: /"~invalid"/,
    why: /^should fail: undefined$/,
    reason: 'any UTF-8 text is a label name since 3.0',
  },
  {
    query: /^avg_over_time\(rate\(demo_cpu_usage_seconds_total\[1m\]\)\[2m:10s\]\)$/,
    why: /^\{.*\}: ours [\d.]+, theirs [\d.]+ at/,
    reason: 'a subquery no longer has the point at its left border since 3.0: twelve points, not thirteen',
  },
]

interface TestCase {
  readonly query: string
  readonly variant_args?: readonly string[]
  readonly should_fail?: boolean
}

function expand({ query, variant_args: names = [], should_fail: shouldFail = false }: TestCase): {
  query: string
  shouldFail: boolean
}[] {
  let queries = [query]
  for (const name of names) {
    queries = queries.flatMap((text) => VARIANTS[name]!.map((value) => text.replaceAll(`{{.${name}}}`, value)))
  }
  return queries.map((text) => ({ query: text, shouldFail }))
}

describe.skipIf(!isPossible)('compliance queries', () => {
  const cases = isPossible
    ? (parse(readFileSync(file, 'utf8')) as { test_cases: TestCase[] }).test_cases.flatMap(expand)
    : []
  const series = demoSeries()
  const storage = storageOf(series)
  const engine = createEngine({
    lookbackDeltaMs: 300_000,
    defaultSubqueryStepMs: () => 60_000,
    maxSamples: 50_000_000,
    windowKernels: ownWindowKernels(),
  })
  let peer: PrometheusPeer

  beforeAll(async () => {
    peer = await PrometheusPeer.start()
    await peer.load(series)
  }, 60_000)

  afterAll(() => peer?.stop())

  test(`${QUERIES} queries`, { timeout: 120_000 }, async () => {
    const differences: string[] = []
    const explained: string[] = []
    let answered = 0
    for (const { query, shouldFail } of cases) {
      const theirs = await peer.ask(query, DEMO_RANGE)
      const ours = askEngine(engine, storage, writeQueryJson, query, DEMO_RANGE)
      if (ours.series.size > 0) answered++
      const why =
        shouldFail !== (ours.error !== undefined)
          ? `should ${shouldFail ? '' : 'not '}fail: ${ours.error}`
          : differenceOf(ours, theirs, TOLERANCE)
      if (why === undefined) continue
      const known = EXPLAINED.find((one) => one.query.test(query) && one.why.test(why))
      if (known !== undefined) explained.push(`${query}: ${known.reason}`)
      else differences.push(`${query}: ${why}`)
    }
    console.log(
      `promql-compliance: ${cases.length - explained.length - differences.length} of ${cases.length} equal; explained:`,
    )
    for (const line of explained) console.log(`  ${line}`)
    expect(differences).toEqual([])
    expect(cases.length).toBe(QUERIES)
    // The others ask for what is not there, or compare memory in bytes with one.
    expect(answered).toBeGreaterThan(QUERIES * 0.85)
  })
})
