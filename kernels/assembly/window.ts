// Window functions over one column, all steps at once. Twin: ../window-twin.ts, which says what each one does and why in
// this order of operations; both must round alike. Covered by bench/micro/promql-rate.bench.ts.
import { f64At, i32At } from './arrays'

// @ts-ignore: decorator
@inline
function isInfinite(x: f64): bool {
  return x == Infinity || x == -Infinity
}

/** Bounds of the windows (end - range, end]: timestamps and ends f64, lo and hi i32. */
export function windowBounds(ts: usize, length: i32, ends: usize, steps: i32, range: f64, lo: usize, hi: usize): void {
  let low = 0
  let high = 0
  for (let k = 0; k < steps; k++) {
    const end = f64At(ends, k)
    const start = end - range
    while (low < length && f64At(ts, low) <= start) low++
    if (high < low) high = low
    while (high < length && f64At(ts, high) <= end) high++
    store<i32>(lo + (<usize>k << 2), low)
    store<i32>(hi + (<usize>k << 2), high)
  }
}

// Two windows of equal width are summed side by side: each lane does what the scalar loop does, in the same order. A pair's
// running errors are picked without branches; where a sum is infinite the error is zero.

// @ts-ignore: decorator
@inline
function pairAt(p: usize, q: usize): v128 {
  return f64x2.replace_lane(v128.load64_zero(p), 1, load<f64>(q))
}

// @ts-ignore: decorator
@inline
function isInfinitePair(x: v128): v128 {
  return f64x2.eq(f64x2.abs(x), f64x2.splat(Infinity))
}

// @ts-ignore: decorator
@inline
function errorOfPair(sum: v128, x: v128, t: v128): v128 {
  const sumIsLarger = f64x2.ge(f64x2.abs(sum), f64x2.abs(x))
  const large = v128.bitselect(sum, x, sumIsLarger)
  const small = v128.bitselect(x, sum, sumIsLarger)
  return f64x2.add(f64x2.sub(large, t), small)
}

export function windowSum(values: usize, lo: usize, hi: usize, steps: i32, out: usize): void {
  let k = 0
  while (k < steps) {
    const from = i32At(lo, k)
    const width = i32At(hi, k) - from
    if (width > 1 && k + 1 < steps && i32At(hi, k + 1) - i32At(lo, k + 1) == width) {
      sumPair(values, from, i32At(lo, k + 1), width, out + (<usize>k << 3))
      k += 2
    } else {
      if (width > 0) store<f64>(out + (<usize>k << 3), sumOne(values, from, from + width))
      k++
    }
  }
}

function sumOne(values: usize, from: i32, to: i32): f64 {
  let sum: f64 = 0
  let c: f64 = 0
  for (let i = from; i < to; i++) {
    const x = f64At(values, i)
    const t = sum + x
    if (isInfinite(t)) c = 0
    else if (abs<f64>(sum) >= abs<f64>(x)) c += sum - t + x
    else c += x - t + sum
    sum = t
  }
  return isInfinite(sum) ? sum : sum + c
}

function sumPair(values: usize, first: i32, second: i32, width: i32, out: usize): void {
  let p = values + (<usize>first << 3)
  let q = values + (<usize>second << 3)
  const end = p + (<usize>width << 3)
  let sum = f64x2.splat(0)
  let c = f64x2.splat(0)
  for (; p < end; p += 8, q += 8) {
    const x = pairAt(p, q)
    const t = f64x2.add(sum, x)
    c = v128.andnot(f64x2.add(c, errorOfPair(sum, x, t)), isInfinitePair(t))
    sum = t
  }
  v128.store(out, v128.bitselect(sum, f64x2.add(sum, c), isInfinitePair(sum)))
}

export function windowAvg(values: usize, lo: usize, hi: usize, steps: i32, out: usize): void {
  let k = 0
  while (k < steps) {
    const from = i32At(lo, k)
    const width = i32At(hi, k) - from
    const isPair = width > 1 && k + 1 < steps && i32At(hi, k + 1) - i32At(lo, k + 1) == width
    if (isPair && avgPair(values, from, i32At(lo, k + 1), width, out + (<usize>k << 3))) {
      k += 2
      continue
    }
    if (width > 0) store<f64>(out + (<usize>k << 3), avgOne(values, from, from + width))
    k++
  }
}

function avgOne(values: usize, from: i32, to: i32): f64 {
  const n = <f64>(to - from)
  let sum = f64At(values, from)
  let c: f64 = 0
  for (let i = from + 1; i < to; i++) {
    const x = f64At(values, i)
    const t = sum + x
    if (isInfinite(t)) return incrementalMean(values, from, i, to, sum, c)
    if (abs<f64>(sum) >= abs<f64>(x)) c += sum - t + x
    else c += x - t + sum
    sum = t
  }
  return sum / n + c / n
}

/** False, and nothing stored, where a sum leaves the range of doubles. */
function avgPair(values: usize, first: i32, second: i32, width: i32, out: usize): bool {
  let p = values + (<usize>first << 3)
  let q = values + (<usize>second << 3)
  const end = p + (<usize>width << 3)
  let sum = pairAt(p, q)
  let c = f64x2.splat(0)
  let overflows = f64x2.splat(0)
  for (p += 8, q += 8; p < end; p += 8, q += 8) {
    const x = pairAt(p, q)
    const t = f64x2.add(sum, x)
    c = f64x2.add(c, errorOfPair(sum, x, t))
    overflows = v128.or(overflows, isInfinitePair(t))
    sum = t
  }
  if (v128.any_true(overflows)) return false
  const n = f64x2.splat(<f64>width)
  v128.store(out, f64x2.add(f64x2.div(sum, n), f64x2.div(c, n)))
  return true
}

function incrementalMean(values: usize, from: i32, i: i32, to: i32, sum: f64, sumC: f64): f64 {
  let mean = sum / <f64>(i - from)
  let c = sumC / <f64>(i - from)
  for (let at = i; at < to; at++) {
    const count = <f64>(at - from + 1)
    const q = (count - 1) / count
    const x = f64At(values, at) / count
    const held = q * mean
    c *= q
    const t = held + x
    if (isInfinite(t)) c = 0
    else if (abs<f64>(held) >= abs<f64>(x)) c += held - t + x
    else c += x - t + held
    mean = t
  }
  return mean + c
}

export function windowMin(values: usize, lo: usize, hi: usize, steps: i32, out: usize): void {
  let at = -1
  let seen = 0
  for (let k = 0; k < steps; k++) {
    const from = i32At(lo, k)
    const to = i32At(hi, k)
    if (from >= to) continue
    if (at < from || seen > to) {
      at = from
      seen = from + 1
    }
    let held = f64At(values, at)
    for (; seen < to; seen++) {
      const x = f64At(values, seen)
      if (x < held || held != held) {
        held = x
        at = seen
      }
    }
    store<f64>(out + (<usize>k << 3), held)
  }
}

export function windowMax(values: usize, lo: usize, hi: usize, steps: i32, out: usize): void {
  let at = -1
  let seen = 0
  for (let k = 0; k < steps; k++) {
    const from = i32At(lo, k)
    const to = i32At(hi, k)
    if (from >= to) continue
    if (at < from || seen > to) {
      at = from
      seen = from + 1
    }
    let held = f64At(values, at)
    for (; seen < to; seen++) {
      const x = f64At(values, seen)
      if (x > held || held != held) {
        held = x
        at = seen
      }
    }
    store<f64>(out + (<usize>k << 3), held)
  }
}
