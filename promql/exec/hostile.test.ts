// What nobody should send. Each must end with a clear error or an answer, without exhausting the stack or the memory.
import { describe, expect, test } from 'vitest'
import { AppError } from '../../lib/index.ts'
import { labelsFromRecord } from '../../model/index.ts'
import { createEngine, MemoryStorage } from '../index.ts'

const PLANES = 'a\u0000\u07ff\uffff\u{1f600}\u{2f800}\u{e0001}\u{10ffff}'
const storage = new MemoryStorage()
for (const i of ['1', '2']) {
  const labels = labelsFromRecord({ __name__: 'a', i, text: PLANES, x: 'x'.repeat(5000) })
  storage.add(labels, Float64Array.of(0, 30_000), Float64Array.of(1, 2))
}
const options = { lookbackDeltaMs: 300_000, defaultSubqueryStepMs: () => 60_000, maxSamples: 1e6 }
const engine = createEngine(options)

function outcome(text: string): string {
  try {
    const { result } = engine.instant(storage, text, 50_000)
    return result.type === 'vector' ? `${result.samples.length} samples` : result.type
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.message
  }
}

const tooDeep = (column: number): string => `1:${column}: parse error: expression is nested deeper than 500 levels`

describe('giants', () => {
  test.each<readonly [name: string, text: string, outcome: string]>([
    ['parentheses', '('.repeat(10_000) + '1' + ')'.repeat(10_000), tooDeep(501)],
    ['calls', `${'abs('.repeat(10_000)}a${')'.repeat(10_000)}`, tooDeep(2001)],
    ['signs', `${'-'.repeat(100_000)}1`, tooDeep(501)],
    ['powers', `1${'^1'.repeat(10_000)}`, tooDeep(1001)],
    ['sums, 10 MB', `1${'+1'.repeat(5_000_000)}`, '1:1: parse error: expression is deeper than 1500 levels'],
    ['a join of a thousand', `a${' + a'.repeat(999)}`, '2 samples'],
    ['a name, 10 MB', 'x'.repeat(10_000_000), '0 samples'],
    ['a label value, 10 MB', `a{b="${'x'.repeat(10_000_000)}"}`, '0 samples'],
    ['braces, 10 MB', '{'.repeat(10_000_000), "1:2: parse error: unexpected left brace '{'"],
    ['matchers', `a{${Array.from({ length: 50_000 }, (_, i) => `l${i}=""`).join()}}`, '2 samples'],
    [
      'an endless window',
      'sum_over_time(a[100y:1ms])',
      'query processing would load too many samples into memory in query execution',
    ],
  ])('%s', (_name, text, wanted) => {
    expect(outcome(text)).toBe(wanted)
  })
})

test('very many things to be told of, at times beyond dates', () => {
  const buckets =
    'label_replace(vector(5 + 0 * time()), "le", "1", "", "") or label_replace(vector(1), "le", "+Inf", "", "")'
  const many = `count_over_time(histogram_quantile(0.5, ${buckets})[200000s:1s])`
  for (const timeMs of [0, 9e15]) {
    const { result, infos } = engine.instant(storage, many, timeMs)
    expect(result).toMatchObject({ samples: [{ value: 200_000 }] })
    expect(infos).toHaveLength(1)
    expect(infos[0]).toContain('over 200000 samples from ')
  }
})

describe('values that double', () => {
  const nested = (seed: string, times: number, wrap: (inner: string) => string): string =>
    times === 0 ? seed : nested(wrap(seed), times - 1, wrap)
  const seed = 'label_replace(a, "y", "xxxxxxxx", "", "")'

  test.each([
    ['label_join', (inner: string) => `label_join(${inner}, "y", "", "y", "y")`],
    ['label_replace', (inner: string) => `label_replace(${inner}, "y", "$1$1", "y", "(.*)")`],
  ])('%s', (name, wrap) => {
    expect(outcome(nested(seed, 15, wrap))).toBe('2 samples')
    expect(outcome(nested(seed, 40, wrap))).toBe(`value of label "y" in ${name}() is longer than 262144 characters`)
  })

  test('long ones count for samples', () => {
    const doubled = nested(seed, 15, (inner) => `label_join(${inner}, "y", "", "y", "y")`)
    const strict = createEngine({ ...options, maxSamples: 30_000 })
    expect(() => strict.instant(storage, doubled, 50_000)).toThrow('too many samples')
  })
})

describe('regular expressions', () => {
  test('giants', () => {
    const tooLarge = 'error parsing regexp: expression too large'
    expect(outcome(`a{x=~"${'x.|'.repeat(100_000)}y"}`)).toBe(`1:3: parse error: ${tooLarge}`)
    expect(outcome(`label_replace(a, "y", "", "x", "${'x.|'.repeat(100_000)}y")`)).toMatch('invalid regular expression')
    // A set of literals is no expression.
    expect(outcome(`a{i=~"${'x|'.repeat(1_000_000)}1"}`)).toBe('1 samples')
  })

  test.each([
    ['a{x=~"(x+x+)+y"}', '0 samples'],
    ['a{x=~"(.*)*.*(.*)*x"}', '2 samples'],
    ['label_replace(a, "y", "$1", "x", "(x+x+)+.*")', '2 samples'],
    ['a{x=~"((((x{1,1000}){1,1000}){1,100}))"}', '1:3: parse error: error parsing regexp: expression too large'],
  ])('%s', (text, wanted) => {
    expect(outcome(text)).toMatch(wanted)
  })
})

test('label values of every plane', () => {
  const { result } = engine.instant(storage, `label_join(a{text="${PLANES}"}, "both", "", "text", "i")`, 50_000)
  expect(result.type === 'vector' && result.samples.map(({ labels }) => labels[labels.indexOf('both') + 1])).toEqual([
    `${PLANES}1`,
    `${PLANES}2`,
  ])
})

test('the deadline is looked at within the work on a single series', () => {
  const long = new MemoryStorage()
  const times = Float64Array.from({ length: 20_000 }, (_, i) => i * 1000)
  long.add(labelsFromRecord({ __name__: 'a' }), times, new Float64Array(times.length))
  // Each look at the clock takes a second.
  let nowMs = 0
  const clock = { nowMs: () => (nowMs += 1000), schedule: () => () => undefined }
  const ticking = createEngine({ ...options, clock, maxSamples: 1e8 })
  const range = { startMs: 0, endMs: 20_000_000, stepMs: 2000 }
  expect(() => ticking.range(long, 'stddev_over_time(a[3h])', range, { deadlineMs: 10_000 })).toThrow(
    'query timed out in expression evaluation',
  )
  nowMs = 0
  expect(ticking.range(long, 'stddev_over_time(a[10s])', range, { deadlineMs: 10_000 }).result.type).toBe('matrix')
})
