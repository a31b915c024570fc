import { CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'

/** One bucket with its borders, as shown to people and used for interpolation. */
export interface BoundedBucket {
  readonly lower: number
  readonly upper: number
  readonly lowerInclusive: boolean
  readonly upperInclusive: boolean
  readonly count: number
}

export const usesCustomBuckets = (histogram: Pick<NativeHistogram, 'schema'>): boolean =>
  histogram.schema === CUSTOM_BUCKETS_SCHEMA

/**
 * Upper border of a bucket on the positive side; bucket −1 of custom buckets ends at −Inf, the one behind the last bound at +Inf.
 *
 * @param schema −4 … 8, or custom
 */
export function upperBoundOf(index: number, schema: number, customBounds: Float64Array): number {
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    if (index >= customBounds.length) return Number.POSITIVE_INFINITY
    return index < 0 ? Number.NEGATIVE_INFINITY : customBounds[index]!
  }
  if (schema <= 0) {
    const exponent = index * 2 ** -schema
    // The last bucket before the overflow bucket ends at the largest float.
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent
  }
  const perPower = 2 ** schema
  const place = index & (perPower - 1)
  const exponent = (index - place) / perPower
  if (place === 0 && exponent === 1024) return Number.MAX_VALUE
  // In two factors: the power alone may overflow or lose bits below the normal range.
  return fractionsOf(schema)[place]! * 2 * 2 ** exponent
}

const fractionTables = new Map<number, Float64Array>()

/**
 * The borders in [0.5, 1) of a schema above 0. Clients and servers share one table, made by multiplying each second border by
 * the growth factor and taking the others from the next coarser schema; only the same way gives the same last digits.
 */
function fractionsOf(schema: number): Float64Array {
  const known = fractionTables.get(schema)
  if (known !== undefined) return known
  const table = new Float64Array(2 ** schema)
  table[0] = 0.5
  const coarser = schema > 1 ? fractionsOf(schema - 1) : undefined
  const factor = powerOfTwo(2 ** -schema)
  for (let place = 1; place < table.length; place++) {
    table[place] = place % 2 === 0 ? coarser![place / 2]! : table[place - 1]! * factor
  }
  fractionTables.set(schema, table)
  return table
}

const LN2_HIGH = 6.9314718036912381649e-1
const LN2_LOW = 1.90821492927058770002e-10
const EXP_POLYNOMIAL = [
  1.66666666666666657415e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5, -1.6533902205465251539e-6,
  4.13813679705723846039e-8,
] as const

/** 2^x for x in (0, 0.5], by the rational approximation of fdlibm's `exp`: the table was made with it, not with a better one. */
function powerOfTwo(x: number): number {
  const k = Math.trunc(x + 0.5)
  const t = x - k
  const high = t * LN2_HIGH
  const low = -t * LN2_LOW
  const r = high - low
  const rr = r * r
  const [p1, p2, p3, p4, p5] = EXP_POLYNOMIAL
  const c = r - rr * (p1 + rr * (p2 + rr * (p3 + rr * (p4 + rr * p5))))
  return (1 - (low - (r * c) / (2 - c) - high)) * 2 ** k
}

/** Every bucket with a count, by rising value: negative ones, the zero bucket, positive ones. */
export function boundedBuckets(histogram: NativeHistogram): BoundedBucket[] {
  const { schema, customBounds, zeroCount, zeroThreshold } = histogram
  const custom = usesCustomBuckets(histogram)
  const all: BoundedBucket[] = []
  eachBucket(histogram.negativeSpans, histogram.negativeBuckets, (index, count) => {
    const lower = -upperBoundOf(index, schema, customBounds)
    const upper = -upperBoundOf(index - 1, schema, customBounds)
    all.push({ lower, upper, lowerInclusive: true, upperInclusive: false, count })
  })
  all.reverse()
  if (zeroCount !== 0) {
    const border = { lower: -zeroThreshold, upper: zeroThreshold }
    all.push({ ...border, lowerInclusive: true, upperInclusive: true, count: zeroCount })
  }
  eachBucket(histogram.positiveSpans, histogram.positiveBuckets, (index, count) => {
    const lower = upperBoundOf(index - 1, schema, customBounds)
    const upper = upperBoundOf(index, schema, customBounds)
    all.push({ lower, upper, lowerInclusive: custom && index === 0, upperInclusive: true, count })
  })
  return all
}

function eachBucket(
  spans: NativeHistogram['positiveSpans'],
  counts: Float64Array,
  visit: (index: number, count: number) => void,
): void {
  let index = 0
  let at = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let i = 0; i < length; i++, at++, index++) if (counts[at]! !== 0) visit(index, counts[at]!)
  }
}
