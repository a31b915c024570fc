import { createKernelMemory, instantiateKernels, KERNEL_RESERVED_BYTES, type KernelExports } from './instance.ts'
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

/**
 * Where the kernels may work: a part of the shared memory that nobody else uses, 8-byte aligned. Columns that lie elsewhere
 * are copied to what is left of it.
 */
export interface WindowWorkspace {
  readonly memory: WebAssembly.Memory
  readonly kernels: KernelExports
  readonly offset: number
  readonly bytes: number
}

// Ends and results as float64, lo and hi as int32, one byte for presence.
const BYTES_PER_STEP = 25

const STEPS_MAX = 11_001
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

const OWN_COLUMN_SAMPLES_MAX = 1 << 16

/** Kernels with a memory of their own, made when they are first used; for columns anywhere. */
export function ownWindowKernels(): WindowKernels {
  let made: WindowKernels | undefined
  const kernels = (): WindowKernels => {
    if (made !== undefined) return made
    const bytes = WINDOW_WORK_BYTES + 8 * OWN_COLUMN_SAMPLES_MAX
    // Kernels may read a little beyond the end of a column.
    const total = KERNEL_RESERVED_BYTES + bytes + 64
    const memory = createKernelMemory({ initialBytes: total, maximumBytes: total })
    made = createWindowKernels({ memory, kernels: instantiateKernels(memory), offset: KERNEL_RESERVED_BYTES, bytes })
    return made
  }
  return {
    ...scalarWindowKernels,
    sum: (values, bounds, out) => kernels().sum(values, bounds, out),
    avg: (values, bounds, out) => kernels().avg(values, bounds, out),
    min: (values, bounds, out) => kernels().min(values, bounds, out),
    max: (values, bounds, out) => kernels().max(values, bounds, out),
  }
}

class MemoryWindowKernels implements WindowKernels {
  readonly #memory: WebAssembly.Memory
  readonly #kernels: KernelExports
  readonly #stepsMax: number
  readonly #ends: Float64Array
  readonly #out: Float64Array
  readonly #lo: Int32Array
  readonly #hi: Int32Array
  readonly #present: Uint8Array
  readonly #column: Float64Array
  // A grown memory has a new buffer object; views on earlier ones stay valid.
  readonly #buffers = new WeakSet<ArrayBufferLike>()
  #resident: WindowBounds | undefined

  constructor({ memory, kernels, offset, bytes }: WindowWorkspace) {
    const stepsMax = Math.min(STEPS_MAX, Math.floor(bytes / BYTES_PER_STEP))
    const columnAt = Math.ceil((stepsMax * BYTES_PER_STEP) / 8) * 8
    this.#memory = memory
    this.#kernels = kernels
    this.#stepsMax = stepsMax
    this.#ends = new Float64Array(memory.buffer, offset, stepsMax)
    this.#out = new Float64Array(memory.buffer, offset + 8 * stepsMax, stepsMax)
    this.#lo = new Int32Array(memory.buffer, offset + 16 * stepsMax, stepsMax)
    this.#hi = new Int32Array(memory.buffer, offset + 20 * stepsMax, stepsMax)
    this.#present = new Uint8Array(memory.buffer, offset + 24 * stepsMax, stepsMax)
    this.#column = new Float64Array(memory.buffer, offset + columnAt, Math.max(0, (bytes - columnAt) >>> 3))
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
    out: Float64Array,
    present: Uint8Array,
  ): void {
    const at = this.#holds(timestampsMs) ? this.#place(values, bounds) : -1
    if (at < 0) {
      scalarWindowKernels.rate(values, timestampsMs, bounds, rangeMs, mode, out, present)
      return
    }
    const steps = out.length
    this.#present.fill(0, 0, steps)
    this.#kernels.windowRate!(
      at,
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

  #reduce(name: 'windowSum' | 'windowAvg' | 'windowMin' | 'windowMax', at: number, out: Float64Array): void {
    const [lo, hi] = [this.#lo.byteOffset, this.#hi.byteOffset]
    this.#kernels[name]!(at, lo, hi, out.length, this.#out.byteOffset)
    out.set(this.#out.subarray(0, out.length))
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
      this.#column.set(values.subarray(0, length))
      at = this.#column.byteOffset
    }
    if (this.#resident !== bounds) {
      this.#ends.set(bounds.endsMs)
      this.#lo.set(bounds.lo)
      this.#hi.set(bounds.hi)
      this.#resident = bounds
    }
    return at
  }

  #holds(column: Float64Array): boolean {
    const { buffer } = column
    if (this.#buffers.has(buffer)) return true
    if (buffer !== (this.#memory.buffer as ArrayBufferLike)) return false
    this.#buffers.add(buffer)
    return true
  }
}
