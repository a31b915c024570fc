import type { NativeHistogram } from '../../model/index.ts'

const CAPACITY_MIN = 256

interface StagedHistogram {
  /** What is to be stored; `undefined`: a float. */
  readonly histogram: NativeHistogram | undefined
  /** What the series' newest sample was before it. */
  readonly before: NativeHistogram | undefined
}

/** Samples that an appender has accepted, a column each thing: nothing per sample on the JavaScript heap. */
export class StagedSamples {
  /** Valid entries of every column. */
  count = 0
  lateCount = 0
  series = new Uint32Array(CAPACITY_MIN)
  timestampMs = new Float64Array(CAPACITY_MIN)
  /** Bits of the float64; of a histogram those of the staleness marker. */
  low = new Uint32Array(CAPACITY_MIN)
  high = new Uint32Array(CAPACITY_MIN)
  /** 1: it lies behind the newest of its series. */
  isLate = new Uint8Array(CAPACITY_MIN)
  // The newest sample of the series before this one, to be put back on rollback.
  beforeMs = new Float64Array(CAPACITY_MIN)
  beforeLow = new Uint32Array(CAPACITY_MIN)
  beforeHigh = new Uint32Array(CAPACITY_MIN)
  /** By index; only where the sample or the one before it is a histogram. */
  readonly histograms = new Map<number, StagedHistogram>()
  /** Working columns of who writes the samples: indexes in the order they are written, and positions in their groups. */
  order = new Uint32Array(CAPACITY_MIN)
  positions = new Uint32Array(CAPACITY_MIN)

  get capacity(): number {
    return this.series.length
  }

  /** The index of a new sample, whose columns the caller fills. */
  add(): number {
    if (this.count === this.capacity) this.#grow()
    return this.count++
  }

  clear(): void {
    this.count = 0
    this.lateCount = 0
    if (this.histograms.size > 0) this.histograms.clear()
  }

  #grow(): void {
    const capacity = this.capacity * 2
    this.series = grownTo(this.series, new Uint32Array(capacity))
    this.timestampMs = grownTo(this.timestampMs, new Float64Array(capacity))
    this.low = grownTo(this.low, new Uint32Array(capacity))
    this.high = grownTo(this.high, new Uint32Array(capacity))
    this.isLate = grownTo(this.isLate, new Uint8Array(capacity))
    this.beforeMs = grownTo(this.beforeMs, new Float64Array(capacity))
    this.beforeLow = grownTo(this.beforeLow, new Uint32Array(capacity))
    this.beforeHigh = grownTo(this.beforeHigh, new Uint32Array(capacity))
    this.order = new Uint32Array(capacity)
    this.positions = new Uint32Array(capacity)
  }
}

/** `to`, with what `from` holds in front. */
export function grownTo<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
