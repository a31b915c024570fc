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
  for (; k + 1 < steps; k += 2) {
    const at = <usize>k
    if (load<u16>(present + at) == 0x0101) {
      const place = at << 3
      const x = v128.load(values + place)
      const held = load<u16>(seen + at)
      if (held == 0x0101) {
        const sum = v128.load(sums + place)
        const t = f64x2.add(sum, x)
        const added = f64x2.sub(t, sum)
        const lost = f64x2.add(f64x2.sub(sum, f64x2.sub(t, added)), f64x2.sub(x, added))
        const error = f64x2.add(v128.load(errors + place), lost)
        v128.store(errors + place, v128.andnot(error, isInfinitePair(t)))
        v128.store(sums + place, t)
        continue
      }
      if (held == 0) {
        v128.store(sums + place, x)
        store<u16>(seen + at, 0x0101)
        continue
      }
    }
    addOne(sums, errors, seen, values, present, k)
    addOne(sums, errors, seen, values, present, k + 1)
  }
  if (k < steps) addOne(sums, errors, seen, values, present, k)
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
  for (let from = 0; from < steps; from += GATHERED) {
    const width = min(GATHERED, steps - from)
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
