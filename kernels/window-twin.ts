// Covered by bench/micro/promql-rate.bench.ts.
/**
 * Window functions over one column, all steps at once. Window k holds the samples [lo[k], hi[k]); windows without samples
 * leave `out[k]` as it was. Accumulation order and rounding are Prometheus' (compensated sums after Neumaier), so results
 * are equal to it bit for bit; the WebAssembly twins in assembly/window.ts do the same operations in the same order.
 */

/** What `windowRate` computes; the numbers are those of the kernel. */
export const RateMode = { DELTA: 0, INCREASE: 1, RATE: 2 } as const
export type RateMode = (typeof RateMode)[keyof typeof RateMode]

/** Index bounds of the left-open windows (end - range, end]; `endsMs` ascending, `length` valid timestamps. */
export function windowBoundsTwin(
  timestampsMs: Float64Array,
  length: number,
  endsMs: Float64Array,
  rangeMs: number,
  lo: Int32Array,
  hi: Int32Array,
): void {
  let low = 0
  let high = 0
  for (let k = 0; k < endsMs.length; k++) {
    const end = endsMs[k]!
    const start = end - rangeMs
    while (low < length && timestampsMs[low]! <= start) low++
    if (high < low) high = low
    while (high < length && timestampsMs[high]! <= end) high++
    lo[k] = low
    hi[k] = high
  }
}

export function windowSumTwin(values: Float64Array, lo: Int32Array, hi: Int32Array, out: Float64Array): void {
  for (let k = 0; k < lo.length; k++) {
    const to = hi[k]!
    let i = lo[k]!
    if (i >= to) continue
    let sum = 0
    let c = 0
    for (; i < to; i++) {
      const x = values[i]!
      const t = sum + x
      if (t === Number.POSITIVE_INFINITY || t === Number.NEGATIVE_INFINITY) c = 0
      else if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x
      else c += x - t + sum
      sum = t
    }
    out[k] = sum === Number.POSITIVE_INFINITY || sum === Number.NEGATIVE_INFINITY ? sum : sum + c
  }
}

export function windowAvgTwin(values: Float64Array, lo: Int32Array, hi: Int32Array, out: Float64Array): void {
  for (let k = 0; k < lo.length; k++) {
    const from = lo[k]!
    const to = hi[k]!
    if (from >= to) continue
    let sum = values[from]!
    let c = 0
    let i = from + 1
    let overflows = false
    for (; i < to; i++) {
      const x = values[i]!
      const t = sum + x
      if (t === Number.POSITIVE_INFINITY || t === Number.NEGATIVE_INFINITY) {
        overflows = true
        break
      }
      if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x
      else c += x - t + sum
      sum = t
    }
    out[k] = overflows ? incrementalMean(values, from, i, to, sum, c) : sum / (to - from) + c / (to - from)
  }
}

/** Continues a mean from sample `i` on, where the plain sum would leave the range of doubles. */
function incrementalMean(values: Float64Array, from: number, i: number, to: number, sum: number, sumC: number): number {
  let mean = sum / (i - from)
  let c = sumC / (i - from)
  for (let at = i; at < to; at++) {
    const count = at - from + 1
    const q = (count - 1) / count
    const x = values[at]! / count
    const held = q * mean
    c *= q
    const t = held + x
    if (t === Number.POSITIVE_INFINITY || t === Number.NEGATIVE_INFINITY) c = 0
    else if (Math.abs(held) >= Math.abs(x)) c += held - t + x
    else c += x - t + held
    mean = t
  }
  return mean + c
}

/** Smallest value; NaN only where all are. Of +0 and -0 the first one stands. */
export function windowMinTwin(values: Float64Array, lo: Int32Array, hi: Int32Array, out: Float64Array): void {
  // While the window slides, the held value is good as long as its sample is inside: only new samples are looked at.
  let at = -1
  let seen = 0
  for (let k = 0; k < lo.length; k++) {
    const from = lo[k]!
    const to = hi[k]!
    if (from >= to) continue
    if (at < from || seen > to) {
      at = from
      seen = from + 1
    }
    let held = values[at]!
    for (; seen < to; seen++) {
      const x = values[seen]!
      if (x < held || held !== held) {
        held = x
        at = seen
      }
    }
    out[k] = held
  }
}

/** Largest value; NaN only where all are. Of +0 and -0 the first one stands. */
export function windowMaxTwin(values: Float64Array, lo: Int32Array, hi: Int32Array, out: Float64Array): void {
  // While the window slides, the held value is good as long as its sample is inside: only new samples are looked at.
  let at = -1
  let seen = 0
  for (let k = 0; k < lo.length; k++) {
    const from = lo[k]!
    const to = hi[k]!
    if (from >= to) continue
    if (at < from || seen > to) {
      at = from
      seen = from + 1
    }
    let held = values[at]!
    for (; seen < to; seen++) {
      const x = values[seen]!
      if (x > held || held !== held) {
        held = x
        at = seen
      }
    }
    out[k] = held
  }
}

/** What the extrapolation of `rate` and its kin needs to know of each window: the same for all columns of equal times. */
export interface RateGeometry {
  /** Seconds between the first and the last sample. */
  readonly spanS: Float64Array
  /** Seconds that the window is taken to reach beyond its first sample, and beyond its last. */
  readonly startS: Float64Array
  readonly endS: Float64Array
  /** What the difference between last and first is multiplied with, unless the counter began inside the window. */
  readonly factor: Float64Array
  readonly shape: WindowShape
  /** Of all windows; told unless the shape is mixed. */
  readonly spanMinS: number
  readonly startMaxS: number
}

/** Some windows have fewer than two samples; none has; and each is one sample further than the one before. */
export const WindowShape = { MIXED: 0, FULL: 1, SLIDING: 2 } as const
export type WindowShape = (typeof WindowShape)[keyof typeof WindowShape]

/** Windows of fewer than two samples get no entries. @param former given up: its memory is used again where it fits */
export function rateGeometry(
  timestampsMs: Float64Array,
  lo: Int32Array,
  hi: Int32Array,
  endsMs: Float64Array,
  rangeMs: number,
  mode: RateMode,
  former?: RateGeometry,
): RateGeometry {
  const steps = lo.length
  const { spanS: spans, startS: starts, endS: ends, factor: factors } = former ?? newColumns(steps)
  let spanMinS = Number.POSITIVE_INFINITY
  let startMaxS = 0
  for (let k = 0; k < steps; k++) {
    const from = lo[k]!
    const to = hi[k]!
    if (to - from < 2) continue
    const spanS = (timestampsMs[to - 1]! - timestampsMs[from]!) / 1000
    const gapS = spanS / (to - from - 1)
    const thresholdS = gapS * 1.1
    const startS = (timestampsMs[from]! - (endsMs[k]! - rangeMs)) / 1000
    const endS = (endsMs[k]! - timestampsMs[to - 1]!) / 1000
    spans[k] = spanS
    starts[k] = startS >= thresholdS ? gapS / 2 : startS
    if (spanS < spanMinS) spanMinS = spanS
    if (starts[k]! > startMaxS) startMaxS = starts[k]!
    ends[k] = endS >= thresholdS ? gapS / 2 : endS
    const factor = (spanS + starts[k]! + ends[k]!) / spanS
    factors[k] = mode === RateMode.RATE ? factor / (rangeMs / 1000) : factor
  }
  return { spanS: spans, startS: starts, endS: ends, factor: factors, shape: shapeOf(lo, hi), spanMinS, startMaxS }
}

function shapeOf(lo: Int32Array, hi: Int32Array): WindowShape {
  let isSliding = true
  for (let k = 0; k < lo.length; k++) {
    if (hi[k]! - lo[k]! < 2) return WindowShape.MIXED
    isSliding &&= lo[k] === lo[0]! + k && hi[k] === hi[0]! + k
  }
  return isSliding ? WindowShape.SLIDING : WindowShape.FULL
}

function newColumns(steps: number): Pick<RateGeometry, 'spanS' | 'startS' | 'endS' | 'factor'> {
  const memory = new ArrayBuffer(32 * steps)
  const column = (i: number): Float64Array => new Float64Array(memory, 8 * steps * i, steps)
  return { spanS: column(0), startS: column(1), endS: column(2), factor: column(3) }
}

/**
 * `rate`, `increase` and `delta` with Prometheus' extrapolation to the window's borders. Sets `present[k]` to 1 where the
 * window has two samples. Counter resets are found once for the whole column, so that the cost follows samples + steps.
 *
 * @param geometry made of the same windows, range and mode
 */
export function windowRateTwin(
  values: Float64Array,
  { spanS, startS, endS, factor }: RateGeometry,
  lo: Int32Array,
  hi: Int32Array,
  rangeMs: number,
  mode: RateMode,
  out: Float64Array,
  present: Uint8Array,
): void {
  const isCounter = mode !== RateMode.DELTA
  const stepCount = lo.length
  if (stepCount === 0) return
  // The next reset is at `reset`: the first index in (low, last) with a value below its predecessor.
  const last = hi[stepCount - 1]!
  let reset = lo[0]! + 1
  for (let k = 0; k < stepCount; k++) {
    const from = lo[k]!
    const to = hi[k]!
    if (to - from < 2) continue
    const first = values[from]!
    let raw = values[to - 1]! - first
    let used = factor[k]!
    if (isCounter) {
      if (reset <= from) reset = from + 1
      while (reset < last && !(values[reset]! < values[reset - 1]!)) reset++
      for (let i = reset; i < to; i++) if (values[i]! < values[i - 1]!) raw += values[i - 1]!
      if (raw > 0 && first >= 0 && mayBeginInside(first, raw, spanS[k]!, startS[k]!)) {
        const toZeroS = spanS[k]! * (first / raw)
        if (toZeroS < startS[k]!) {
          used = (spanS[k]! + toZeroS + endS[k]!) / spanS[k]!
          if (mode === RateMode.RATE) used /= rangeMs / 1000
        }
      }
    }
    out[k] = raw * used
    present[k] = 1
  }
}

/**
 * Whether a counter that grew by `raw` may have been zero less than `startS` before its first sample. Spares most windows the
 * exact answer, a division; errs towards yes, and leaves what might overflow or lose digits to the exact answer.
 */
const mayBeginInside = (first: number, raw: number, spanS: number, startS: number): boolean =>
  first < 1e-290 || first > 1e290 || !(first * spanS > startS * raw * 1.000001)
