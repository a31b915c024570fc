import type { KernelExports } from './instance.ts'
import { scalarStepKernels, type StepColumn, type StepKernels } from './steps.ts'
import {
  type RateGeometry,
  RateMode,
  rateGeometry,
  windowAvgTwin,
  windowBoundsTwin,
  windowMaxTwin,
  windowMinTwin,
  windowRateTwin,
  windowSumTwin,
} from './window-twin.ts'

export { RateMode }

/**
 * Sample index bounds [lo, hi) of the windows that end at `endsMs`. Shared by all columns of equal times; not changed until it is
 * given up.
 */
export interface WindowBounds {
  readonly endsMs: Float64Array
  readonly lo: Int32Array
  readonly hi: Int32Array
}

/**
 * Window functions over whole columns; the twins in window-twin.ts say what each one does. `out` is undefined where the
 * window is too small for a result.
 */
export interface WindowKernels {
  /**
   * @param endsMs ascending; kept by reference
   * @param former given up: its memory is used again
   */
  bounds(
    timestampsMs: Float64Array,
    length: number,
    endsMs: Float64Array,
    rangeMs: number,
    former?: WindowBounds,
  ): WindowBounds
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
    out: StepColumn,
  ): void
  /**
   * @param phi 0 to 1
   * @returns false, with nothing promised of `out`, where the caller had better sort by itself
   */
  quantile(values: Float64Array, bounds: WindowBounds, phi: number, out: StepColumn): boolean
  readonly steps: StepKernels
}

/** Plain TypeScript, for columns anywhere. */
export const scalarWindowKernels: WindowKernels = {
  bounds(timestampsMs, length, endsMs, rangeMs, former) {
    const steps = endsMs.length
    const isLike = former?.lo.length === steps
    const lo = isLike ? former.lo : new Int32Array(steps)
    const hi = isLike ? former.hi : new Int32Array(steps)
    windowBoundsTwin(timestampsMs, length, endsMs, rangeMs, lo, hi)
    return { endsMs, lo, hi }
  },
  sum: (values, { lo, hi }, out) => windowSumTwin(values, lo, hi, out),
  avg: (values, { lo, hi }, out) => windowAvgTwin(values, lo, hi, out),
  min: (values, { lo, hi }, out) => windowMinTwin(values, lo, hi, out),
  max: (values, { lo, hi }, out) => windowMaxTwin(values, lo, hi, out),
  rate: (values, timestampsMs, bounds, rangeMs, mode, out) =>
    windowRateTwin(
      values,
      geometryOf(bounds, timestampsMs, rangeMs, mode),
      bounds.lo,
      bounds.hi,
      rangeMs,
      mode,
      out.values,
      out.present,
    ),
  quantile: () => false,
  steps: scalarStepKernels,
}

interface KnownGeometry {
  readonly timestampsMs: Float64Array
  readonly rangeMs: number
  readonly mode: RateMode
  readonly geometry: RateGeometry
}

// The windows last asked about: columns come target by target, and those of one target share their windows.
const knownGeometries = new WeakMap<WindowBounds, KnownGeometry>()
/** By the memory of their bounds: used again when that is. */
const formerGeometries = new WeakMap<Int32Array, RateGeometry>()

function geometryOf(bounds: WindowBounds, timestampsMs: Float64Array, rangeMs: number, mode: RateMode): RateGeometry {
  const known = knownGeometries.get(bounds)
  if (known?.timestampsMs === timestampsMs && known.rangeMs === rangeMs && known.mode === mode) return known.geometry
  const { lo, hi, endsMs } = bounds
  const former = formerGeometries.get(lo)
  const geometry = rateGeometry(timestampsMs, lo, hi, endsMs, rangeMs, mode, former)
  formerGeometries.set(lo, geometry)
  knownGeometries.set(bounds, { timestampsMs, rangeMs, mode, geometry })
  return geometry
}

/**
 * Where the kernels may work: a part of the shared memory that nobody else uses, 8-byte aligned. Columns that lie elsewhere
 * are copied to what is left of it.
 */
export interface WindowWorkspace {
  readonly memory: WebAssembly.Memory
  readonly kernels: KernelExports
  readonly offset: number
  readonly bytes: number
  /** Of the same memory; those of any column by default. */
  readonly steps?: StepKernels
}

// Ends, results and four columns of geometry as float64, lo and hi as int32, one byte for presence.
const BYTES_PER_STEP = 57

const STEPS_MAX = 11_001
/** That the kernel for quantiles of windows keeps in order. */
const SORTED_SAMPLES_MAX = 1024
/** Fewer steps are not worth copying a column. */
const COPY_STEPS_MIN = 16

/**
 * WebAssembly for columns that lie in the kernels' memory, or are worth being copied there; the twins for all others. Answers
 * are equal bit for bit.
 *
 * @param workspace `WINDOW_WORK_BYTES` serve the query API's 11,000 steps; longer ranges fall back to the twins
 */
export function createWindowKernels(workspace: WindowWorkspace): WindowKernels {
  return new MemoryWindowKernels(workspace)
}

export const WINDOW_WORK_BYTES = STEPS_MAX * BYTES_PER_STEP + 64

class MemoryWindowKernels implements WindowKernels {
  readonly #memory: WebAssembly.Memory
  readonly #kernels: KernelExports
  readonly #stepsMax: number
  readonly #ends: Float64Array
  readonly #out: Float64Array
  readonly #lo: Int32Array
  readonly #hi: Int32Array
  readonly #present: Uint8Array
  readonly #geometry: Float64Array
  readonly #column: Float64Array
  readonly steps: StepKernels
  // Where the columns above are: asking a typed array for it takes longer than some of the kernels.
  readonly #outAt: number
  readonly #geometryAt: number
  readonly #loAt: number
  readonly #hiAt: number
  readonly #presentAt: number
  readonly #columnAt: number
  // A grown memory has a new buffer object; views on earlier ones stay valid.
  readonly #buffers = new WeakSet<ArrayBufferLike>()
  /** One of them. */
  #lastBuffer: ArrayBufferLike | undefined
  #resident: WindowBounds | undefined
  #residentGeometry: RateGeometry | undefined

  constructor({ memory, kernels, offset, bytes, steps }: WindowWorkspace) {
    const stepsMax = Math.min(STEPS_MAX, Math.floor(bytes / BYTES_PER_STEP))
    const columnAt = Math.ceil((stepsMax * BYTES_PER_STEP) / 8) * 8
    this.steps = steps ?? scalarStepKernels
    this.#memory = memory
    this.#kernels = kernels
    this.#stepsMax = stepsMax
    this.#ends = new Float64Array(memory.buffer, offset, stepsMax)
    this.#out = new Float64Array(memory.buffer, offset + 8 * stepsMax, stepsMax)
    this.#geometry = new Float64Array(memory.buffer, offset + 16 * stepsMax, 4 * stepsMax)
    this.#lo = new Int32Array(memory.buffer, offset + 48 * stepsMax, stepsMax)
    this.#hi = new Int32Array(memory.buffer, offset + 52 * stepsMax, stepsMax)
    this.#present = new Uint8Array(memory.buffer, offset + 56 * stepsMax, stepsMax)
    this.#column = new Float64Array(memory.buffer, offset + columnAt, Math.max(0, (bytes - columnAt) >>> 3))
    this.#outAt = this.#out.byteOffset
    this.#geometryAt = this.#geometry.byteOffset
    this.#loAt = this.#lo.byteOffset
    this.#hiAt = this.#hi.byteOffset
    this.#presentAt = this.#present.byteOffset
    this.#columnAt = this.#column.byteOffset
  }

  bounds(
    timestampsMs: Float64Array,
    length: number,
    endsMs: Float64Array,
    rangeMs: number,
    former?: WindowBounds,
  ): WindowBounds {
    const steps = endsMs.length
    if (!this.#holds(timestampsMs) || steps > this.#stepsMax) {
      return scalarWindowKernels.bounds(timestampsMs, length, endsMs, rangeMs, former)
    }
    this.#ends.set(endsMs)
    const { windowBounds } = this.#kernels
    const [lo, hi] = [this.#lo, this.#hi]
    windowBounds!(timestampsMs.byteOffset, length, this.#ends.byteOffset, steps, rangeMs, lo.byteOffset, hi.byteOffset)
    this.#resident = { endsMs, lo: lo.slice(0, steps), hi: hi.slice(0, steps) }
    return this.#resident
  }

  sum(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    const at = this.#place(values, bounds)
    if (at >= 0) this.#reduce('windowSum', at, out)
    else scalarWindowKernels.sum(values, bounds, out)
  }

  avg(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    const at = this.#place(values, bounds)
    if (at >= 0) this.#reduce('windowAvg', at, out)
    else scalarWindowKernels.avg(values, bounds, out)
  }

  min(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    const at = this.#place(values, bounds)
    if (at >= 0) this.#reduce('windowMin', at, out)
    else scalarWindowKernels.min(values, bounds, out)
  }

  max(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    const at = this.#place(values, bounds)
    if (at >= 0) this.#reduce('windowMax', at, out)
    else scalarWindowKernels.max(values, bounds, out)
  }

  rate(
    values: Float64Array,
    timestampsMs: Float64Array,
    bounds: WindowBounds,
    rangeMs: number,
    mode: RateMode,
    out: StepColumn,
  ): void {
    const at = this.#place(values, bounds)
    if (at < 0) {
      scalarWindowKernels.rate(values, timestampsMs, bounds, rangeMs, mode, out)
      return
    }
    const geometry = geometryOf(bounds, timestampsMs, rangeMs, mode)
    const geometryAt = this.#placeGeometry(geometry)
    const { windowRate } = this.#kernels
    const { shape, spanMinS, startMaxS } = geometry
    const [loAt, hiAt, steps] = [this.#loAt, this.#hiAt, bounds.lo.length]
    const [valuesAt, presentAt] = this.#placesFor(out)
    windowRate!(
      at,
      loAt,
      hiAt,
      geometryAt,
      steps,
      rangeMs / 1000,
      mode,
      valuesAt,
      presentAt,
      shape,
      spanMinS,
      startMaxS,
    )
    this.#takeOut(out)
  }

  quantile(values: Float64Array, bounds: WindowBounds, phi: number, out: StepColumn): boolean {
    const at = this.#place(values, bounds)
    if (at < 0 || this.#geometry.length < SORTED_SAMPLES_MAX) return false
    // What is sorted takes the place of the geometry.
    this.#residentGeometry = undefined
    const [valuesAt, presentAt] = this.#placesFor(out)
    const { windowQuantile } = this.#kernels
    const steps = bounds.lo.length
    if (!windowQuantile!(at, this.#loAt, this.#hiAt, steps, phi, this.#geometryAt, valuesAt, presentAt)) return false
    this.#takeOut(out)
    return true
  }

  /** Where values and presence of a column are to be written: in place where it lies in the memory. */
  #placesFor({ valuesAt, presentAt, present }: StepColumn): readonly [number, number] {
    if (valuesAt >= 0) return [valuesAt, presentAt]
    this.#present.fill(0, 0, present.length)
    return [this.#outAt, this.#presentAt]
  }

  #takeOut({ valuesAt, values, present }: StepColumn): void {
    if (valuesAt >= 0) return
    values.set(this.#out.subarray(0, values.length))
    present.set(this.#present.subarray(0, present.length))
  }

  #placeGeometry(geometry: RateGeometry): number {
    if (this.#residentGeometry !== geometry) {
      const { spanS, startS, endS, factor } = geometry
      const steps = spanS.length
      for (const [i, column] of [spanS, startS, endS, factor].entries()) this.#geometry.set(column, i * steps)
      this.#residentGeometry = geometry
    }
    return this.#geometryAt
  }

  #reduce(name: 'windowSum' | 'windowAvg' | 'windowMin' | 'windowMax', at: number, out: Float64Array): void {
    const isInPlace = this.#holds(out)
    this.#kernels[name]!(at, this.#loAt, this.#hiAt, out.length, isInPlace ? out.byteOffset : this.#outAt)
    if (!isInPlace) out.set(this.#out.subarray(0, out.length))
  }

  /** Puts bounds and column in place and tells where the column is; -1 where that is not possible, or not worth it. */
  #place(values: Float64Array, bounds: WindowBounds): number {
    const steps = bounds.lo.length
    if (steps > this.#stepsMax) return -1
    let at = values.byteOffset
    if (!this.#holds(values)) {
      if (steps < COPY_STEPS_MIN) return -1
      // Windows end later and later.
      const length = bounds.hi[steps - 1]!
      if (length > this.#column.length) return -1
      this.#column.set(length === values.length ? values : values.subarray(0, length))
      at = this.#columnAt
    }
    if (this.#resident !== bounds) {
      this.#ends.set(bounds.endsMs)
      this.#lo.set(bounds.lo)
      this.#hi.set(bounds.hi)
      this.#resident = bounds
    }
    return at
  }

  #holds({ buffer }: Float64Array): boolean {
    if (buffer === this.#lastBuffer || this.#buffers.has(buffer)) return true
    if (buffer !== (this.#memory.buffer as ArrayBufferLike)) return false
    this.#buffers.add(buffer)
    this.#lastBuffer = buffer
    return true
  }
}
