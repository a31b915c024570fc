// Elements of arrays in memory, for whoever runs over several at once.

// @ts-ignore: decorator
@inline
export function f64At(p: usize, i: i32): f64 {
  return load<f64>(p + (<usize>i << 3))
}

// @ts-ignore: decorator
@inline
export function i32At(p: usize, i: i32): i32 {
  return load<i32>(p + (<usize>i << 2))
}
