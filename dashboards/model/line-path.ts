// Reduces a column of values to what a line of a given width can show. Covered by line-path.test.ts; runs once per series and draw.

/** Linear map from data to pixels: `px = value * scale + offset`. */
export interface PixelMap {
  readonly scale: number
  readonly offset: number
}

/**
 * Writes the line's corner points as x, y pairs; a NaN pair lifts the pen. Where many points share a pixel column only the
 * first, lowest, highest and last of them are kept, and of these each but once, so the drawn line covers the same pixels.
 *
 * @param out grown by the caller to at least {@link pathLengthMax}
 * @returns count of numbers written
 */
export function linePath(x: Float64Array, y: Float64Array, mapX: PixelMap, mapY: PixelMap, out: Float64Array): number {
  let length = 0
  let column = Number.NaN
  let columnX = 0
  let first = 0
  let low = 0
  let high = 0
  let last = 0
  let pending = false // The current column holds points beyond the first one written.
  const count = x.length < y.length ? x.length : y.length
  for (let i = 0; i < count; i++) {
    const value = y[i]!
    if (value !== value) {
      if (pending) length = flushColumn(out, length, columnX, first, low, high, last)
      if (length > 0 && out[length - 1] === out[length - 1]) {
        out[length++] = Number.NaN
        out[length++] = Number.NaN
      }
      column = Number.NaN
      pending = false
      continue
    }
    const px = x[i]! * mapX.scale + mapX.offset
    const py = value * mapY.scale + mapY.offset
    const pixel = Math.floor(px)
    if (pixel === column) {
      if (py < low) low = py
      if (py > high) high = py
      last = py
      columnX = px
      pending = true
      continue
    }
    if (pending) length = flushColumn(out, length, columnX, first, low, high, last)
    out[length++] = px
    out[length++] = py
    column = pixel
    first = py
    low = py
    high = py
    last = py
    pending = false
  }
  return pending ? flushColumn(out, length, columnX, first, low, high, last) : length
}

/** Room `linePath` may need: per point itself, or per pixel column four of them, and a lifted pen. */
export function pathLengthMax(pointCount: number): number {
  return 8 * pointCount + 8
}

/** `first` stands in `out` already; the extremes are written only where neither end of the column is one. */
function flushColumn(
  out: Float64Array,
  at: number,
  px: number,
  first: number,
  low: number,
  high: number,
  last: number,
): number {
  let length = at
  if (low < first && low < last) {
    out[length++] = px
    out[length++] = low
  }
  if (high > first && high > last) {
    out[length++] = px
    out[length++] = high
  }
  out[length++] = px
  out[length++] = last
  return length
}
