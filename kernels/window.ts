import type { KernelExports } from './instance.ts'
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

/** Sample index bounds [lo, hi) of the windows that end at `endsMs`. Shared by all columns of equal times; never changed. */
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
  rate: (values, timestampsMs, bounds, rangeMs, mode, out, present) =>
    windowRateTwin(
      values,
      geometryOf(bounds, timestampsMs, rangeMs, mode),
      bounds.lo,
      bounds.hi,
      rangeMs,
      mode,
      out,
      present,
    ),
}

interface KnownGeometry {
  readonly timestampsMs: Float64Array
  readonly rangeMs: number
  readonly mode: RateMode
  readonly geometry: RateGeometry
}

// The windows last asked about: columns come target by target, and those of one target share their windows.
const knownGeometries = new WeakMap<WindowBounds, KnownGeometry>()

function geometryOf(bounds: WindowBounds, timestampsMs: Float64Array, rangeMs: number, mode: RateMode): RateGeometry {
  const known = knownGeometries.get(bounds)
  if (known?.timestampsMs === timestampsMs && known.rangeMs === rangeMs && known.mode === mode) return known.geometry
  const geometry = rateGeometry(timestampsMs, bounds.lo, bounds.hi, bounds.endsMs, rangeMs, mode)
  knownGeometries.set(bounds, { timestampsMs, rangeMs, mode, geometry })
  return geometry
}

/** Where the kernels may work: a part of the shared memory that nobody else uses, 8-byte aligned. */
export interface WindowWorkspace {
  readonly memory: WebAssembly.Memory
  readonly kernels: KernelExports
  readonly offset: number
  readonly bytes: number
}

// Ends and results as float64, lo and hi as int32, one byte for presence.
const BYTES_PER_STEP = 25

/**
 * WebAssembly for columns that lie in the kernels' memory, the twins for all others. Answers are equal bit for bit.
 *
 * @param workspace `WINDOW_WORK_BYTES` serve the query API's 11,000 steps; longer ranges fall back to the twins
 */
export function createWindowKernels(workspace: WindowWorkspace): WindowKernels {
  return new MemoryWindowKernels(workspace)
}

export const WINDOW_WORK_BYTES = 11_001 * BYTES_PER_STEP + 64

class MemoryWindowKernels implements WindowKernels {
  readonly #memory: WebAssembly.Memory
  readonly #kernels: KernelExports
  readonly #stepsMax: number
  readonly #ends: Float64Array
  readonly #out: Float64Array
  readonly #lo: Int32Array
  readonly #hi: Int32Array
  readonly #present: Uint8Array
  // A grown memory has a new buffer object; views on earlier ones stay valid.
  readonly #buffers = new WeakSet<ArrayBufferLike>()
  #resident: WindowBounds | undefined

  constructor({ memory, kernels, offset, bytes }: WindowWorkspace) {
    const stepsMax = Math.floor(bytes / BYTES_PER_STEP)
    this.#memory = memory
    this.#kernels = kernels
    this.#stepsMax = stepsMax
    this.#ends = new Float64Array(memory.buffer, offset, stepsMax)
    this.#out = new Float64Array(memory.buffer, offset + 8 * stepsMax, stepsMax)
    this.#lo = new Int32Array(memory.buffer, offset + 16 * stepsMax, stepsMax)
    this.#hi = new Int32Array(memory.buffer, offset + 20 * stepsMax, stepsMax)
    this.#present = new Uint8Array(memory.buffer, offset + 24 * stepsMax, stepsMax)
  }

  bounds(timestampsMs: Float64Array, length: number, endsMs: Float64Array, rangeMs: number): WindowBounds {
    const steps = endsMs.length
    if (!this.#holds(timestampsMs) || steps > this.#stepsMax) {
      return scalarWindowKernels.bounds(timestampsMs, length, endsMs, rangeMs)
    }
    this.#ends.set(endsMs)
    const { windowBounds } = this.#kernels
    const [lo, hi] = [this.#lo, this.#hi]
    windowBounds!(timestampsMs.byteOffset, length, this.#ends.byteOffset, steps, rangeMs, lo.byteOffset, hi.byteOffset)
    this.#resident = { endsMs, lo: lo.slice(0, steps), hi: hi.slice(0, steps) }
    return this.#resident
  }

  sum(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    if (this.#load(values, bounds)) this.#reduce('windowSum', values, out)
    else scalarWindowKernels.sum(values, bounds, out)
  }

  avg(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    if (this.#load(values, bounds)) this.#reduce('windowAvg', values, out)
    else scalarWindowKernels.avg(values, bounds, out)
  }

  min(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    if (this.#load(values, bounds)) this.#reduce('windowMin', values, out)
    else scalarWindowKernels.min(values, bounds, out)
  }

  max(values: Float64Array, bounds: WindowBounds, out: Float64Array): void {
    if (this.#load(values, bounds)) this.#reduce('windowMax', values, out)
    else scalarWindowKernels.max(values, bounds, out)
  }

  rate(
    values: Float64Array,
    timestampsMs: Float64Array,
    bounds: WindowBounds,
    rangeMs: number,
    mode: RateMode,
    out: Float64Array,
    present: Uint8Array,
  ): void {
    if (!this.#holds(timestampsMs) || !this.#load(values, bounds)) {
      scalarWindowKernels.rate(values, timestampsMs, bounds, rangeMs, mode, out, present)
      return
    }
    const steps = out.length
    this.#present.fill(0, 0, steps)
    this.#kernels.windowRate!(
      values.byteOffset,
      timestampsMs.byteOffset,
      this.#lo.byteOffset,
      this.#hi.byteOffset,
      this.#ends.byteOffset,
      steps,
      rangeMs,
      mode,
      this.#out.byteOffset,
      this.#present.byteOffset,
    )
    out.set(this.#out.subarray(0, steps))
    present.set(this.#present.subarray(0, steps))
  }

  #reduce(name: 'windowSum' | 'windowAvg' | 'windowMin' | 'windowMax', values: Float64Array, out: Float64Array): void {
    const [lo, hi] = [this.#lo.byteOffset, this.#hi.byteOffset]
    this.#kernels[name]!(values.byteOffset, lo, hi, out.length, this.#out.byteOffset)
    out.set(this.#out.subarray(0, out.length))
  }

  /** Puts the bounds in place for a column that the kernels can reach. */
  #load(values: Float64Array, bounds: WindowBounds): boolean {
    if (!this.#holds(values) || bounds.lo.length > this.#stepsMax) return false
    if (this.#resident !== bounds) {
      this.#ends.set(bounds.endsMs)
      this.#lo.set(bounds.lo)
      this.#hi.set(bounds.hi)
      this.#resident = bounds
    }
    return true
  }

  #holds(column: Float64Array): boolean {
    const { buffer } = column
    if (this.#buffers.has(buffer)) return true
    if (buffer !== (this.#memory.buffer as ArrayBufferLike)) return false
    this.#buffers.add(buffer)
    return true
  }
}
