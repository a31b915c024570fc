import {
  RateMode,
  windowAvgTwin,
  windowBoundsTwin,
  windowMaxTwin,
  windowMinTwin,
  windowRateTwin,
  windowSumTwin,
} from './twins/window.ts'

export { RateMode }

/** Sample index bounds [lo, hi) of the windows that end at `endsMs`. Made by `bounds`; shared by all columns of equal times. */
export interface WindowBounds {
  readonly endsMs: Float64Array
  readonly lo: Int32Array
  readonly hi: Int32Array
}

/** Window functions over whole columns; the twins say what each one does. */
export interface WindowKernels {
  /** @param endsMs ascending; kept by reference */
  bounds(timestampsMs: Float64Array, length: number, endsMs: Float64Array, rangeMs: number): WindowBounds
  sum(values: Float64Array, bounds: WindowBounds, out: Float64Array): void
  avg(values: Float64Array, bounds: WindowBounds, out: Float64Array): void
  min(values: Float64Array, bounds: WindowBounds, out: Float64Array): void
  max(values: Float64Array, bounds: WindowBounds, out: Float64Array): void
  rate(
    values: Float64Array,
    timestampsMs: Float64Array,
    bounds: WindowBounds,
    rangeMs: number,
    mode: RateMode,
    out: Float64Array,
    present: Uint8Array,
  ): void
}

/** Plain TypeScript, for columns anywhere. */
export const scalarWindowKernels: WindowKernels = {
  bounds(timestampsMs, length, endsMs, rangeMs) {
    const lo = new Int32Array(endsMs.length)
    const hi = new Int32Array(endsMs.length)
    windowBoundsTwin(timestampsMs, length, endsMs, rangeMs, lo, hi)
    return { endsMs, lo, hi }
  },
  sum: (values, { lo, hi }, out) => windowSumTwin(values, lo, hi, out),
  avg: (values, { lo, hi }, out) => windowAvgTwin(values, lo, hi, out),
  min: (values, { lo, hi }, out) => windowMinTwin(values, lo, hi, out),
  max: (values, { lo, hi }, out) => windowMaxTwin(values, lo, hi, out),
  rate: (values, timestampsMs, { lo, hi, endsMs }, rangeMs, mode, out, present) =>
    windowRateTwin(values, timestampsMs, lo, hi, endsMs, rangeMs, mode, out, present),
}
