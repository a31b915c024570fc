// Window functions over one column, all steps at once. Twin: ../window-twin.ts, which says what each one does and why in
// this order of operations; both must round alike. Covered by bench/micro/promql-rate.bench.ts.

const DELTA: i32 = 0
const RATE: i32 = 2

// @ts-ignore: decorator
@inline
function f64At(p: usize, i: i32): f64 {
  return load<f64>(p + (<usize>i << 3))
}

// @ts-ignore: decorator
@inline
function i32At(p: usize, i: i32): i32 {
  return load<i32>(p + (<usize>i << 2))
}

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

export function windowSum(values: usize, lo: usize, hi: usize, steps: i32, out: usize): void {
  for (let k = 0; k < steps; k++) {
    let p = values + (<usize>i32At(lo, k) << 3)
    const end = values + (<usize>i32At(hi, k) << 3)
    if (p >= end) continue
    let sum: f64 = 0
    let c: f64 = 0
    for (; p < end; p += 8) {
      const x = load<f64>(p)
      const t = sum + x
      if (isInfinite(t)) c = 0
      else if (abs<f64>(sum) >= abs<f64>(x)) c += sum - t + x
      else c += x - t + sum
      sum = t
    }
    store<f64>(out + (<usize>k << 3), isInfinite(sum) ? sum : sum + c)
  }
}

export function windowAvg(values: usize, lo: usize, hi: usize, steps: i32, out: usize): void {
  for (let k = 0; k < steps; k++) {
    const from = i32At(lo, k)
    const to = i32At(hi, k)
    if (from >= to) continue
    const n = <f64>(to - from)
    let sum = f64At(values, from)
    let c: f64 = 0
    let i = from + 1
    for (; i < to; i++) {
      const x = f64At(values, i)
      const t = sum + x
      if (isInfinite(t)) break
      if (abs<f64>(sum) >= abs<f64>(x)) c += sum - t + x
      else c += x - t + sum
      sum = t
    }
    store<f64>(out + (<usize>k << 3), i < to ? incrementalMean(values, from, i, to, sum, c) : sum / n + c / n)
  }
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
  for (let k = 0; k < steps; k++) {
    const to = i32At(hi, k)
    let i = i32At(lo, k)
    if (i >= to) continue
    let held = f64At(values, i)
    for (i++; i < to; i++) {
      const x = f64At(values, i)
      if (x < held || held != held) held = x
    }
    store<f64>(out + (<usize>k << 3), held)
  }
}

export function windowMax(values: usize, lo: usize, hi: usize, steps: i32, out: usize): void {
  for (let k = 0; k < steps; k++) {
    const to = i32At(hi, k)
    let i = i32At(lo, k)
    if (i >= to) continue
    let held = f64At(values, i)
    for (i++; i < to; i++) {
      const x = f64At(values, i)
      if (x > held || held != held) held = x
    }
    store<f64>(out + (<usize>k << 3), held)
  }
}

/** `present`: u8 per step, set to 1 where the window has two samples; the caller clears it. */
export function windowRate(
  values: usize,
  ts: usize,
  lo: usize,
  hi: usize,
  ends: usize,
  steps: i32,
  range: f64,
  mode: i32,
  out: usize,
  present: usize,
): void {
  if (steps == 0) return
  const isCounter = mode != DELTA
  const last = i32At(hi, steps - 1)
  let reset = i32At(lo, 0) + 1
  for (let k = 0; k < steps; k++) {
    const from = i32At(lo, k)
    const to = i32At(hi, k)
    if (to - from < 2) continue
    const first = f64At(values, from)
    let raw = f64At(values, to - 1) - first
    if (isCounter) {
      if (reset <= from) reset = from + 1
      while (reset < last && !(f64At(values, reset) < f64At(values, reset - 1))) reset++
      for (let i = reset; i < to; i++) {
        const before = f64At(values, i - 1)
        if (f64At(values, i) < before) raw += before
      }
    }
    const firstMs = f64At(ts, from)
    const lastMs = f64At(ts, to - 1)
    const end = f64At(ends, k)
    const spanS = (lastMs - firstMs) / 1000
    let startS = (firstMs - (end - range)) / 1000
    let endS = (end - lastMs) / 1000
    const gapS = spanS / <f64>(to - from - 1)
    const thresholdS = gapS * 1.1
    if (startS >= thresholdS) startS = gapS / 2
    if (isCounter && raw > 0 && first >= 0) {
      const toZeroS = spanS * (first / raw)
      if (toZeroS < startS) startS = toZeroS
    }
    if (endS >= thresholdS) endS = gapS / 2
    let factor = (spanS + startS + endS) / spanS
    if (mode == RATE) factor /= range / 1000
    store<f64>(out + (<usize>k << 3), raw * factor)
    store<u8>(present + <usize>k, 1)
  }
}
