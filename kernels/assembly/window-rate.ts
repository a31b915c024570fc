// `rate` and its kin over one column, all steps at once. Twin: ../window-twin.ts, which says why in this order of operations;
// both must round alike. Covered by bench/micro/promql-rate.bench.ts.
import { f64At, i32At } from './arrays'

const DELTA: i32 = 0
const RATE: i32 = 2
// `WindowShape`: some windows have fewer than two samples; none has; and each is one sample further than the one before.
const MIXED: i32 = 0
const SLIDING: i32 = 2

// @ts-ignore: decorator
@inline
function pairAt(p: usize, q: usize): v128 {
  return f64x2.replace_lane(v128.load64_zero(p), 1, load<f64>(q))
}

/**
 * `geometry`: four columns of f64 per step, one after the other, of the fields of `RateGeometry`; `shape`, `spanMinS` and
 * `startMaxS` are others of its fields. `present`: u8 per step, set to 1 where the window has two samples; the caller clears it.
 */
export function windowRate(
  values: usize,
  lo: usize,
  hi: usize,
  geometry: usize,
  steps: i32,
  rangeS: f64,
  mode: i32,
  out: usize,
  present: usize,
  shape: i32,
  spanMinS: f64,
  startMaxS: f64,
): void {
  if (steps == 0) return
  const isCounter = mode != DELTA
  if (shape != MIXED) {
    const first = i32At(lo, 0)
    const end = i32At(hi, steps - 1)
    if (!isCounter || (isAscending(values, first, end) && beginsBefore(values, first, end, spanMinS, startMaxS))) {
      const factors = geometry + 3 * (<usize>steps << 3)
      if (shape == SLIDING) plainSliding(values, first, i32At(hi, 0), factors, steps, out)
      else plainRates(values, lo, hi, factors, steps, out)
      memory.fill(present, 1, <usize>steps)
      return
    }
  }
  const end = i32At(hi, steps - 1)
  let reset = isCounter ? nextReset(values, i32At(lo, 0) + 1, end) : end
  const plane = <usize>steps << 3
  for (let k = 0; k < steps; ) {
    const from = i32At(lo, k)
    const to = i32At(hi, k)
    if (isCounter && reset <= from) reset = nextReset(values, from + 1, end)
    if (k + 1 < steps && to - from > 1) {
      const nextFrom = i32At(lo, k + 1)
      const nextTo = i32At(hi, k + 1)
      // No reset inside of either window.
      if (nextTo <= reset && nextTo - nextFrom > 1) {
        const p = values + (<usize>from << 3)
        const q = values + (<usize>to << 3) - 8
        // Most often the step is that of the samples.
        const isNext = nextFrom - from == 1 && nextTo - to == 1
        const first = isNext ? v128.load(p) : pairAt(p, values + (<usize>nextFrom << 3))
        const last = isNext ? v128.load(q) : pairAt(q, values + (<usize>nextTo << 3) - 8)
        const raw = f64x2.sub(last, first)
        const at = geometry + (<usize>k << 3)
        if (!isCounter || !mayPairBeginInside(first, raw, v128.load(at), v128.load(at + plane))) {
          v128.store(out + (<usize>k << 3), f64x2.mul(raw, v128.load(at + 3 * plane)))
          store<u16>(present + <usize>k, 0x0101)
          k += 2
          continue
        }
      }
    }
    if (to - from > 1) {
      const at = geometry + (<usize>k << 3)
      store<f64>(out + (<usize>k << 3), rateOne(values, from, to, reset, at, plane, rangeS, mode))
      store<u8>(present + <usize>k, 1)
    }
    k++
  }
}

/** Whether no value of [from, end), which is not empty, is below its predecessor, nor NaN behind the first. */
function isAscending(values: usize, from: i32, end: i32): bool {
  let p = values + (<usize>(from + 1) << 3)
  const stop = values + (<usize>end << 3)
  for (; p + 56 < stop; p += 64) {
    const a = v128.and(f64x2.ge(v128.load(p), v128.load(p - 8)), f64x2.ge(v128.load(p, 16), v128.load(p, 8)))
    const b = v128.and(f64x2.ge(v128.load(p, 32), v128.load(p, 24)), f64x2.ge(v128.load(p, 48), v128.load(p, 40)))
    if (!i64x2.all_true(v128.and(a, b))) return false
  }
  for (; p < stop; p += 8) if (!(load<f64>(p) >= load<f64>(p - 8))) return false
  return true
}

/**
 * Whether an ascending counter, in whatever window, began before that window reaches: its first value against all that it
 * grows by, in the least favourable window there might be. Errs towards no.
 */
function beginsBefore(values: usize, from: i32, end: i32, spanMinS: f64, startMaxS: f64): bool {
  const first = f64At(values, from)
  const last = f64At(values, end - 1)
  const grown = last - first
  if (grown == 0) return true
  return first >= 1e-290 && last <= 1e290 && first * spanMinS > startMaxS * grown * 1.000001
}

/** Last less first, times the factor; each window one sample further than the one before. */
function plainSliding(values: usize, from: i32, to: i32, factors: usize, steps: i32, out: usize): void {
  let p = values + (<usize>from << 3)
  let q = values + (<usize>(to - 1) << 3)
  let at: usize = 0
  const end = <usize>steps << 3
  for (; at + 24 < end; at += 32) {
    const a = f64x2.mul(f64x2.sub(v128.load(q), v128.load(p)), v128.load(factors + at))
    const b = f64x2.mul(f64x2.sub(v128.load(q, 16), v128.load(p, 16)), v128.load(factors + at, 16))
    v128.store(out + at, a)
    v128.store(out + at, b, 16)
    p += 32
    q += 32
  }
  for (; at < end; at += 8, p += 8, q += 8) {
    store<f64>(out + at, (load<f64>(q) - load<f64>(p)) * load<f64>(factors + at))
  }
}

function plainRates(values: usize, lo: usize, hi: usize, factors: usize, steps: i32, out: usize): void {
  const before = values - 8
  let k = 0
  for (; k + 1 < steps; k += 2) {
    const first = pairAt(values + (<usize>i32At(lo, k) << 3), values + (<usize>i32At(lo, k + 1) << 3))
    const last = pairAt(before + (<usize>i32At(hi, k) << 3), before + (<usize>i32At(hi, k + 1) << 3))
    const at = <usize>k << 3
    v128.store(out + at, f64x2.mul(f64x2.sub(last, first), v128.load(factors + at)))
  }
  if (k < steps) {
    const grown = f64At(before, i32At(hi, k)) - f64At(values, i32At(lo, k))
    store<f64>(out + (<usize>k << 3), grown * f64At(factors, k))
  }
}

/** The first index from `i` on with a value below its predecessor; `end` where there is none. */
function nextReset(values: usize, i: i32, end: i32): i32 {
  let p = values + (<usize>i << 3)
  const stop = values + (<usize>end << 3)
  for (; p + 24 < stop; p += 32) {
    const low = f64x2.lt(v128.load(p), v128.load(p - 8))
    const high = f64x2.lt(v128.load(p, 16), v128.load(p, 8))
    if (v128.any_true(v128.or(low, high))) break
  }
  for (; p < stop; p += 8) if (load<f64>(p) < load<f64>(p - 8)) return <i32>((p - values) >> 3)
  return end
}

/** As the twin's `mayBeginInside`, of counters that grew from a first value that is not negative; true for either of two. */
// @ts-ignore: decorator
@inline
function mayPairBeginInside(first: v128, raw: v128, spanS: v128, startS: v128): bool {
  const zero = f64x2.splat(0)
  const grew = v128.and(f64x2.gt(raw, zero), f64x2.ge(first, zero))
  const isFar = f64x2.gt(f64x2.mul(first, spanS), f64x2.mul(f64x2.mul(startS, raw), f64x2.splat(1.000001)))
  const isUsual = v128.and(f64x2.ge(first, f64x2.splat(1e-290)), f64x2.le(first, f64x2.splat(1e290)))
  return v128.any_true(v128.andnot(grew, v128.and(isFar, isUsual)))
}

function rateOne(
  values: usize,
  from: i32,
  to: i32,
  reset: i32,
  geometry: usize,
  plane: usize,
  rangeS: f64,
  mode: i32,
): f64 {
  const first = f64At(values, from)
  let raw = f64At(values, to - 1) - first
  let factor = load<f64>(geometry + 3 * plane)
  if (mode != DELTA) {
    for (let i = reset; i < to; i++) {
      const before = f64At(values, i - 1)
      if (f64At(values, i) < before) raw += before
    }
    if (raw > 0 && first >= 0) {
      const spanS = load<f64>(geometry)
      const toZeroS = spanS * (first / raw)
      if (toZeroS < load<f64>(geometry + plane)) {
        factor = (spanS + toZeroS + load<f64>(geometry + 2 * plane)) / spanS
        if (mode == RATE) factor /= rangeS
      }
    }
  }
  return raw * factor
}
