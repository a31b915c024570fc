// Columns of one value per step, as operators of queries pass them on: values f64, presence u8. Twin: ../steps-twin.ts.
// Covered by bench/micro/promql-rate.bench.ts.

// @ts-ignore: decorator
@inline
function isInfinitePair(x: v128): v128 {
  return f64x2.eq(f64x2.abs(x), f64x2.splat(Infinity))
}

/** Makes nothing present. */
export function stepsClear(present: usize, steps: i32): void {
  memory.fill(present, 0, <usize>steps)
}

/** How many steps are present. */
export function stepsCount(present: usize, steps: i32): i32 {
  let p = present
  const end = present + <usize>steps
  let count = 0
  // Bytes of 0 and 1 are summed by pairs and pairs of pairs, before they could overflow.
  let sum = i32x4.splat(0)
  for (; p + 16 <= end; p += 16) {
    sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v128.load(p))))
  }
  for (; p < end; p++) count += load<u8>(p)
  count += i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1)
  return count + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3)
}

/** Adds a column to compensated sums; where `seen` is 0 its value becomes the sum. */
export function stepsAddSum(
  sums: usize,
  errors: usize,
  seen: usize,
  values: usize,
  present: usize,
  steps: i32,
): void {
  let k = 0
  for (; k + 7 < steps; k += 8) {
    const at = <usize>k
    const isWhole = load<u64>(present + at) == ALL_8
    const held = load<u64>(seen + at)
    if (isWhole && held == ALL_8) {
      const place = at << 3
      addPair(sums + place, errors + place, values + place)
      addPair(sums + place + 16, errors + place + 16, values + place + 16)
      addPair(sums + place + 32, errors + place + 32, values + place + 32)
      addPair(sums + place + 48, errors + place + 48, values + place + 48)
    } else if (isWhole && held == 0) {
      memory.copy(sums + (at << 3), values + (at << 3), 64)
      store<u64>(seen + at, ALL_8)
    } else {
      for (let i = k; i < k + 8; i++) addOne(sums, errors, seen, values, present, i)
    }
  }
  for (; k < steps; k++) addOne(sums, errors, seen, values, present, k)
}

const ALL_8: u64 = 0x0101_0101_0101_0101

// @ts-ignore: decorator
@inline
function addPair(sums: usize, errors: usize, values: usize): void {
  const sum = v128.load(sums)
  const x = v128.load(values)
  const t = f64x2.add(sum, x)
  const added = f64x2.sub(t, sum)
  const lost = f64x2.add(f64x2.sub(sum, f64x2.sub(t, added)), f64x2.sub(x, added))
  v128.store(errors, v128.andnot(f64x2.add(v128.load(errors), lost), isInfinitePair(t)))
  v128.store(sums, t)
}

function addOne(sums: usize, errors: usize, seen: usize, values: usize, present: usize, k: i32): void {
  const at = <usize>k
  const place = at << 3
  if (load<u8>(present + at) == 0) return
  const x = load<f64>(values + place)
  if (load<u8>(seen + at) == 0) {
    store<u8>(seen + at, 1)
    store<f64>(sums + place, x)
    return
  }
  const sum = load<f64>(sums + place)
  const t = sum + x
  const added = t - sum
  const error = load<f64>(errors + place) + (sum - (t - added) + (x - added))
  store<f64>(errors + place, t == Infinity || t == -Infinity ? 0 : error)
  store<f64>(sums + place, t)
}

/** The samples of a column that the steps see: `indexes`, i32 per step, -1 where there is none. The caller clears `present`. */
export function stepsGather(values: usize, indexes: usize, steps: i32, out: usize, present: usize): void {
  let k = 0
  while (k < steps) {
    const index = load<i32>(indexes + (<usize>k << 2))
    if (index < 0) {
      k++
      continue
    }
    // Most often the step is that of the samples, and all of them lie in a row.
    let end = k + 1
    while (end < steps && load<i32>(indexes + (<usize>end << 2)) == index + (end - k)) end++
    memory.copy(out + (<usize>k << 3), values + (<usize>index << 3), <usize>(end - k) << 3)
    memory.fill(present + <usize>k, 1, <usize>(end - k))
    k = end
  }
}

// `CombineOp`.
const ADD: i32 = 0
const SUBTRACT: i32 = 1
const MULTIPLY: i32 = 2

// @ts-ignore: decorator
@inline
function combined(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f64x2.add(a, b)
  if (op == SUBTRACT) return f64x2.sub(a, b)
  return op == MULTIPLY ? f64x2.mul(a, b) : f64x2.div(a, b)
}

/** Two columns, step by step; what is present in both is present in the outcome. */
export function stepsCombine(
  op: i32,
  left: usize,
  leftPresent: usize,
  right: usize,
  rightPresent: usize,
  steps: i32,
  out: usize,
  present: usize,
): void {
  const end = <usize>steps
  let k: usize = 0
  for (; k + 1 < end; k += 2) {
    v128.store(out + (k << 3), combined(op, v128.load(left + (k << 3)), v128.load(right + (k << 3))))
  }
  if (k < end) {
    const last = combined(op, v128.load64_zero(left + (k << 3)), v128.load64_zero(right + (k << 3)))
    store<f64>(out + (k << 3), f64x2.extract_lane(last, 0))
  }
  for (k = 0; k + 7 < end; k += 8) store<u64>(present + k, load<u64>(leftPresent + k) & load<u64>(rightPresent + k))
  for (; k < end; k++) store<u8>(present + k, load<u8>(leftPresent + k) & load<u8>(rightPresent + k))
}

// Lines of memory are read whole: so many steps of a column are gathered at a time.
const GATHERED: i32 = 8

/**
 * The two values at the ranks that a quantile lies between, of all columns at each step. `columns`: the places of values and
 * of presence of each column, u32 each; `ranks`: f64 per step, the rank of a quantile's share of the number of gaps, of which
 * there is one less than values: φ × (n − 1). `work` has room for 8 × `count` f64. Steps where nothing is present, or a value
 * is NaN, are left to the caller: `counts`, i32 per step, is then 0 or -1.
 */
export function stepsQuantile(
  columns: usize,
  count: i32,
  phi: f64,
  steps: i32,
  work: usize,
  counts: usize,
  lower: usize,
  upper: usize,
): void {
  const rank = max<i32>(0, <i32>floor<f64>(phi * <f64>(count - 1)))
  // Of whichever end of the order it takes fewer values to get there.
  const fromTop = count - rank < rank + 2
  const extremes = fromTop ? count - rank : min(rank + 2, count)
  const isShort = extremes <= EXTREMES_MAX && areWhole(columns, count, steps)
  const stride = isShort ? 2 : GATHERED
  for (let from = 0; from < steps; from += stride) {
    const width = min(stride, steps - from)
    if (isShort && width == 2 && extremesOfPair(columns, count, from, extremes, fromTop, work)) {
      storePair(from, count, extremes, fromTop, work, counts, lower, upper)
    } else selectSteps(columns, count, phi, from, width, work, counts, lower, upper)
  }
}

/** As `stepsQuantile`, for some steps. */
function selectSteps(
  columns: usize,
  count: i32,
  phi: f64,
  from: i32,
  width: i32,
  work: usize,
  counts: usize,
  lower: usize,
  upper: usize,
): void {
  for (let k = 0; k < width; k++) store<i32>(counts + (<usize>(from + k) << 2), 0)
  for (let c = 0; c < count; c++) {
    const values = <usize>load<u32>(columns + (<usize>c << 3)) + (<usize>from << 3)
    const present = <usize>load<u32>(columns + (<usize>c << 3), 4) + <usize>from
    for (let k = 0; k < width; k++) {
      if (load<u8>(present + <usize>k) == 0) continue
      const counter = counts + (<usize>(from + k) << 2)
      const n = load<i32>(counter)
      if (n < 0) continue
      const x = load<f64>(values + (<usize>k << 3))
      if (x != x) {
        store<i32>(counter, -1)
        continue
      }
      store<f64>(work + (<usize>(k * count + n) << 3), x)
      store<i32>(counter, n + 1)
    }
  }
  for (let k = 0; k < width; k++) {
    const n = load<i32>(counts + (<usize>(from + k) << 2))
    if (n <= 0) continue
    const buffer = work + (<usize>(k * count) << 3)
    const rank = max<i32>(0, <i32>floor<f64>(phi * <f64>(n - 1)))
    const low = select(buffer, n, rank)
    store<f64>(lower + (<usize>(from + k) << 3), low)
    // Behind the rank nothing is smaller.
    let next = low
    if (rank + 1 < n) {
      next = load<f64>(buffer + (<usize>(rank + 1) << 3))
      for (let i = rank + 2; i < n; i++) next = min<f64>(next, load<f64>(buffer + (<usize>i << 3)))
    }
    store<f64>(upper + (<usize>(from + k) << 3), next)
  }
}

// More of them cost more to keep in order than a value of one rank does to find.
const EXTREMES_MAX: i32 = 12

function areWhole(columns: usize, count: i32, steps: i32): bool {
  for (let c = 0; c < count; c++) {
    if (stepsCount(<usize>load<u32>(columns + (<usize>c << 3), 4), steps) != steps) return false
  }
  return true
}

/**
 * The largest values of two neighbouring steps (or the smallest, negated), in order, as pairs from `work` on. False where there
 * is a NaN, or a negative zero: among equal values their order would tell.
 */
function extremesOfPair(columns: usize, count: i32, step: i32, extremes: i32, fromTop: bool, work: usize): bool {
  const flip = f64x2.splat(fromTop ? 0.0 : -0.0)
  const end = work + (<usize>extremes << 4)
  for (let p = work; p < end; p += 16) v128.store(p, f64x2.splat(-Infinity))
  let odd = f64x2.splat(0)
  for (let c = 0; c < count; c++) {
    const values = <usize>load<u32>(columns + (<usize>c << 3))
    let x = v128.load(values + (<usize>step << 3))
    odd = v128.or(odd, v128.or(f64x2.ne(x, x), i64x2.eq(x, f64x2.splat(-0.0))))
    x = v128.xor(x, flip)
    if (!v128.any_true(f64x2.gt(x, v128.load(end - 16)))) continue
    for (let p = work; p < end; p += 16) {
      const held = v128.load(p)
      v128.store(p, f64x2.pmax(held, x))
      x = f64x2.pmin(x, held)
    }
  }
  return !v128.any_true(odd)
}

function storePair(
  step: i32,
  count: i32,
  extremes: i32,
  fromTop: bool,
  work: usize,
  counts: usize,
  lower: usize,
  upper: usize,
): void {
  const flip = f64x2.splat(fromTop ? 0.0 : -0.0)
  const at = <usize>step << 3
  const last = work + (<usize>(extremes - 1) << 4)
  // Of one value there is nothing beside it.
  const beside = extremes == 1 ? last : last - 16
  v128.store(lower + at, v128.xor(v128.load(fromTop || extremes == 1 ? last : beside), flip))
  v128.store(upper + at, v128.xor(v128.load(fromTop ? beside : last), flip))
  store<i32>(counts + (<usize>step << 2), count)
  store<i32>(counts + (<usize>step << 2), count, 4)
}

/** Moves the value of a rank to its place: none before it is larger, none behind it smaller (C. Hoare's FIND). */
function select(buffer: usize, n: i32, rank: i32): f64 {
  let left = 0
  let right = n - 1
  const wanted = buffer + (<usize>rank << 3)
  while (left < right) {
    const pivot = load<f64>(buffer + (<usize>((left + right) >>> 1) << 3))
    let i = left
    let j = right
    while (i <= j) {
      while (load<f64>(buffer + (<usize>i << 3)) < pivot) i++
      while (load<f64>(buffer + (<usize>j << 3)) > pivot) j--
      if (i > j) break
      const p = buffer + (<usize>i << 3)
      const q = buffer + (<usize>j << 3)
      const held = load<f64>(p)
      store<f64>(p, load<f64>(q))
      store<f64>(q, held)
      i++
      j--
    }
    if (rank <= j) right = j
    else if (rank >= i) left = i
    else break
  }
  return load<f64>(wanted)
}
