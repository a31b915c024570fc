import { CounterResetHint, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram, parseGoFloat } from '../../model/index.ts'
import { addHistograms, subtractHistograms, withHint } from '../histogram/arithmetic.ts'

/** A histogram as a script writes it. */
export interface ScriptHistogram {
  readonly histogram: NativeHistogram
  /** The script says what is known about a counter reset, so it wants to be compared. */
  readonly hasHint: boolean
}

const ITEM = /^(\{\{[^}]*\}\})(?:([+-])(\{\{[^}]*\}\}))?(?:x(\d+))?$/

/** `{{…}}`, `{{…}}xN`, `{{…}}+{{…}}xN` or `{{…}}-{{…}}xN`; `undefined` for anything else. @throws {Error} */
export function parseHistogramItem(item: string): ScriptHistogram[] | undefined {
  const match = ITEM.exec(item)
  if (!match) return undefined
  const [, firstText, sign, byText, count] = match
  const first = parseHistogram(firstText!)
  const by = byText === undefined ? undefined : parseHistogram(byText).histogram
  const all = [first]
  for (let i = 0; i < Number(count ?? 0); i++) {
    const { histogram, hasHint } = all[i]!
    if (by === undefined) {
      all.push(first)
      continue
    }
    const next = sign === '-' ? subtractHistograms(histogram, by) : addHistograms(histogram, by)
    if (next === undefined) throw new Error(`histograms that do not go together: ${item}`)
    const hinted = sign === '-' ? withHint(next.histogram, histogram.counterResetHint) : next.histogram
    all.push({ histogram: hinted, hasHint })
  }
  return all
}

const HINTS: Readonly<Record<string, CounterResetHint>> = {
  unknown: CounterResetHint.UNKNOWN,
  reset: CounterResetHint.RESET,
  not_reset: CounterResetHint.NOT_RESET,
  gauge: CounterResetHint.GAUGE,
}

function parseHistogram(text: string): ScriptHistogram {
  const fields = new Map<string, string>()
  for (const [, name, value] of text.slice(2, -2).matchAll(/(\w+):(\[[^\]]*\]|\S+)/g)) fields.set(name!, value!)
  const numberOf = (name: string): number => parseNumber(fields.get(name) ?? '0')
  const listOf = (name: string): Float64Array =>
    Float64Array.from(
      (fields.get(name) ?? '[]')
        .slice(1, -1)
        .trim()
        .split(/[\s,]+/)
        .filter(Boolean),
      parseNumber,
    )
  const spansOf = (offset: number, { length }: Float64Array): NativeHistogram['positiveSpans'] =>
    length === 0 ? [] : [{ offset, length }]
  const positiveBuckets = listOf('buckets')
  const negativeBuckets = listOf('n_buckets')
  const hint = fields.get('counter_reset_hint')
  const counterResetHint = HINTS[hint ?? 'unknown']
  if (counterResetHint === undefined) throw new Error(`bad counter reset hint ${hint}`)
  const schema = numberOf('schema')
  const histogram: NativeHistogram = {
    integer: false,
    counterResetHint,
    schema,
    zeroThreshold: numberOf('z_bucket_w'),
    zeroCount: numberOf('z_bucket'),
    count: numberOf('count'),
    sum: numberOf('sum'),
    positiveSpans: spansOf(numberOf('offset'), positiveBuckets),
    positiveBuckets,
    negativeSpans: spansOf(numberOf('n_offset'), negativeBuckets),
    negativeBuckets,
    customBounds: schema === CUSTOM_BUCKETS_SCHEMA ? listOf('custom_values') : new Float64Array(0),
  }
  return { histogram, hasHint: hint !== undefined }
}

function parseNumber(text: string): number {
  const value = parseGoFloat(text)
  if (value === undefined) throw new Error(`bad number ${JSON.stringify(text)} in a histogram`)
  return value
}
