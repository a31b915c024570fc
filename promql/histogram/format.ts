import { CounterResetHint, formatFloatGeneral, type NativeHistogram } from '../../model/index.ts'
import { boundedBuckets, usesCustomBuckets } from './bounds.ts'
import { type Buckets, negativeOf, positiveOf } from './buckets.ts'

const format = formatFloatGeneral

/** `{count:4, sum:10, (0.5,1]:4}`, as in label values and templates. */
export function histogramText(h: NativeHistogram): string {
  const buckets = boundedBuckets(h).map(({ lower, upper, lowerInclusive, upperInclusive, count }) => {
    const range = `${format(lower)},${format(upper)}`
    return `, ${lowerInclusive ? '[' : '('}${range}${upperInclusive ? ']' : ')'}:${format(count)}`
  })
  return `{count:${format(h.count)}, sum:${format(h.sum)}${buckets.join('')}}`
}

const HINTS: Readonly<Record<CounterResetHint, string>> = {
  [CounterResetHint.UNKNOWN]: '',
  [CounterResetHint.RESET]: 'reset',
  [CounterResetHint.NOT_RESET]: 'not_reset',
  [CounterResetHint.GAUGE]: 'gauge',
}

/** `{{schema:1 count:4 sum:10 buckets:[4]}}`: the notation of test scripts and rule tests. */
export function histogramScriptText(h: NativeHistogram): string {
  const parts: string[] = []
  const add = (name: string, value: string | number): void => {
    if (value !== 0 && value !== '') parts.push(`${name}:${typeof value === 'number' ? format(value) : value}`)
  }
  add('schema', h.schema)
  add('count', h.count)
  add('sum', h.sum)
  add('z_bucket', h.zeroCount)
  add('z_bucket_w', h.zeroThreshold)
  if (usesCustomBuckets(h)) add('custom_values', listText(h.customBounds))
  add('counter_reset_hint', HINTS[h.counterResetHint])
  for (const [prefix, buckets] of [
    ['', positiveOf(h)],
    ['n_', negativeOf(h)],
  ] as const) {
    if (buckets.indexes.length === 0) continue
    add(`${prefix}offset`, buckets.indexes[0]!)
    add(`${prefix}buckets`, listText(denseCounts(buckets)))
  }
  return `{{${parts.join(' ')}}}`
}

const listText = (values: Float64Array): string => `[${Array.from(values, format).join(' ')}]`

function denseCounts({ indexes, counts }: Buckets): Float64Array {
  const first = indexes[0]!
  const dense = new Float64Array(indexes[indexes.length - 1]! - first + 1)
  indexes.forEach((index, i) => {
    dense[index - first] = counts[i]!
  })
  return dense
}
