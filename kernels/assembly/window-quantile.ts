// Quantiles of windows over one column, all steps at once; what it does not take the caller computes with sorted-window.ts of
// promql. Covered by bench/load/history.ts.
import { f64At, i32At } from './arrays'

// Beyond these, sorting anew costs less than keeping in order.
const WIDTH_MAX: i32 = 1024
const CHANGES_MAX: i32 = 64

/**
 * The φ-quantile, 0 to 1, of each window that has a sample, interpolated as `betweenRanks` does; its `present`, u8 per step, is
 * set to 1, all others are left as they are. `work` has room for 1024 f64. False, with nothing promised, where a value is NaN or
 * a negative zero, or where windows are too wide or move too far.
 */
export function windowQuantile(
  values: usize,
  lo: usize,
  hi: usize,
  steps: i32,
  phi: f64,
  work: usize,
  out: usize,
  present: usize,
): bool {
  if (steps == 0) return true
  if (!isOrderly(values, i32At(lo, 0), i32At(hi, steps - 1))) return false
  let from = 0
  let to = 0
  for (let k = 0; k < steps; k++) {
    const nextFrom = i32At(lo, k)
    const nextTo = i32At(hi, k)
    const n = nextTo - nextFrom
    if (n <= 0) continue
    if (n > WIDTH_MAX) return false
    // The first window, and one behind a gap.
    if (nextFrom >= to) from = to = nextFrom
    else if (nextFrom - from > CHANGES_MAX || nextTo - to > CHANGES_MAX) return false
    // A value goes for each that comes, as long as there are both; a window never holds more than the two windows' larger.
    while (from < nextFrom && to < nextTo) replace(work, to - from, f64At(values, from++), f64At(values, to++))
    while (from < nextFrom) remove(work, to - from, f64At(values, from++))
    while (to < nextTo) insert(work, to - from, f64At(values, to++))
    const rank = phi * <f64>(n - 1)
    const lower = <i32>floor<f64>(rank)
    const weight = rank - floor<f64>(rank)
    const value = f64At(work, lower) * (1 - weight) + f64At(work, min(n - 1, lower + 1)) * weight
    store<f64>(out + (<usize>k << 3), value)
    store<u8>(present + <usize>k, 1)
  }
  return true
}

/** Whether no value of [from, to) is NaN or a negative zero: among equal values their order would tell. */
function isOrderly(values: usize, from: i32, to: i32): bool {
  for (let i = from; i < to; i++) {
    const x = f64At(values, i)
    if (x != x || reinterpret<u64>(x) == 0x8000_0000_0000_0000) return false
  }
  return true
}

/** First place of `count` sorted values, at least one, whose value is not less. */
function placeOf(sorted: usize, count: i32, value: f64): i32 {
  let first = 0
  let left = count
  while (left > 1) {
    const half = left >>> 1
    first += select<i32>(half, 0, f64At(sorted, first + half - 1) < value)
    left -= half
  }
  return first + select<i32>(1, 0, f64At(sorted, first) < value)
}

function replace(sorted: usize, count: i32, old: f64, value: f64): void {
  let p = sorted + (<usize>placeOf(sorted, count, old) << 3)
  if (value >= old) {
    const end = sorted + (<usize>count << 3)
    for (; p + 8 < end && load<f64>(p, 8) < value; p += 8) store<f64>(p, load<f64>(p, 8))
  } else {
    for (; p > sorted && load<f64>(p - 8) > value; p -= 8) store<f64>(p, load<f64>(p - 8))
  }
  store<f64>(p, value)
}

function remove(sorted: usize, count: i32, old: f64): void {
  let p = sorted + (<usize>placeOf(sorted, count, old) << 3)
  const last = sorted + (<usize>(count - 1) << 3)
  for (; p < last; p += 8) store<f64>(p, load<f64>(p, 8))
}

function insert(sorted: usize, count: i32, value: f64): void {
  let p = sorted + (<usize>count << 3)
  for (; p > sorted && load<f64>(p - 8) > value; p -= 8) store<f64>(p, load<f64>(p - 8))
  store<f64>(p, value)
}
