/** The upper half of a product of 128 bits. */
// @ts-ignore: decorator
@inline
export function mulHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff
  const aHigh = a >> 32
  const bLow = b & 0xffffffff
  const bHigh = b >> 32
  const cross = aLow * bHigh
  const middle = ((aLow * bLow) >> 32) + (cross & 0xffffffff) + aHigh * bLow
  return aHigh * bHigh + (cross >> 32) + (middle >> 32)
}
