/**
 * NaN bit patterns. V8 may canonicalise a NaN that passes through a JavaScript number, so staleness is compared and written
 * through Uint32 views, never through a float variable: little-endian words `[low, high]`.
 */
export const STALE_NAN_LOW = 0x00000002
export const STALE_NAN_HIGH = 0x7ff00000

/** Writes the staleness marker at `values[index]`. */
export function writeStaleNaN(values: Float64Array, index: number): void {
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2)
  words[0] = STALE_NAN_LOW
  words[1] = STALE_NAN_HIGH
}

/** Whether `values[index]` is the staleness marker (and not an ordinary NaN). */
export function isStaleNaN(values: Float64Array, index: number): boolean {
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2)
  return words[0] === STALE_NAN_LOW && words[1] === STALE_NAN_HIGH
}
