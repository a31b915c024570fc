import { expect, test } from 'vitest'
import { createEngine, MemoryStorage, parseSeriesLine, type PlanNode } from '../index.ts'

const MINUTE_MS = 60_000
const storage = new MemoryStorage()
for (const line of [
  'c_total{i="a",job="x"} 0+60x20',
  'c_total{i="b",job="x"} 0+120x20',
  'c_total{i="c",job="y"} 0+1x20',
]) {
  const { labels, values } = parseSeriesLine(line)
  const floats = Float64Array.from(values, (value) => (value.kind === 'float' ? value.value : 0))
  storage.add(
    labels,
    floats.map((_, i) => i * MINUTE_MS),
    floats,
  )
}
const engine = createEngine({ lookbackDeltaMs: 5 * MINUTE_MS, defaultSubqueryStepMs: () => MINUTE_MS, maxSamples: 1e6 })
const range = { startMs: 10 * MINUTE_MS, endMs: 20 * MINUTE_MS, stepMs: MINUTE_MS }

/** `text: expected series/samples → measured series/samples`, indented by depth. */
function outline({ text, expected, measured, children }: PlanNode, depth = 0): string[] {
  const after = measured ? ` → ${measured.series}/${measured.samples}` : ''
  const line = `${' '.repeat(depth)}${text}: ${expected.series}/${expected.samples}${after}`
  return [line, ...children.flatMap((child) => outline(child, depth + 1))]
}

test('a plan with what is expected, without running it', () => {
  const { plan, evaluation } = engine.explain(storage, 'sum by (job) (rate(c_total[5m])) > 2', range)
  expect(evaluation).toBeUndefined()
  expect(outline(plan)).toEqual([
    'sum by (job) (rate(c_total[5m])) > 2: 2/63',
    ' sum by (job) (rate(c_total[5m])): 2/63',
    '  rate(c_total[5m]): 3/63',
    '   c_total[5m]: 3/63',
    '    c_total: 3/63',
    ' 2: 1/0',
  ])
  expect(plan).toMatchObject({ kind: 'binary', name: '>', children: [{ kind: 'aggregation', name: 'sum' }, {}] })
})

test('run, it says what each part gave and took, and the answer is the usual one', () => {
  const text = 'sum by (job) (rate(c_total[5m])) > 2'
  const { plan, evaluation } = engine.explain(storage, text, range, { run: true })
  expect(evaluation!.result).toEqual(engine.range(storage, text, range).result)
  expect(outline(plan)).toEqual([
    'sum by (job) (rate(c_total[5m])) > 2: 2/63 → 1/11',
    ' sum by (job) (rate(c_total[5m])): 2/63 → 2/22',
    '  rate(c_total[5m]): 3/63 → 3/33',
    '   c_total[5m]: 3/63 → 3/63',
    '    c_total: 3/63 → 3/63',
    ' 2: 1/0 → 1/11',
  ])
  const check = ({ measured, children }: PlanNode): void => {
    const below = children.reduce((sum, child) => sum + child.measured!.seconds, 0)
    expect(measured!.seconds).toBeGreaterThanOrEqual(0)
    expect(measured!.selfSeconds).toBeLessThanOrEqual(measured!.seconds)
    expect(measured!.seconds).toBeGreaterThanOrEqual(Math.min(below, measured!.seconds))
    children.forEach(check)
  }
  check(plan)
})

test('an instant query; a part that @ fixes stands as one', () => {
  const { plan } = engine.explain(storage, 'topk(1, c_total) + ignoring (i) c_total{i="a"} @ 60', 15 * MINUTE_MS, {
    run: true,
  })
  expect(plan.expected.series).toBe(1)
  expect(plan.children.map(({ kind }) => kind)).toEqual(['aggregation', 'stepInvariant'])
  expect(plan.children[1]!.children[0]).toMatchObject({ text: 'c_total{i="a"} @ 60.000', measured: { series: 1 } })
})
