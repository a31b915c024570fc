import type { Scratch } from '../memory/scratch.ts'
import type { LaneSeries, MergeSource } from './merge-source.ts'
import { stretchEnd } from './summary-kinds.ts'

/** The rows of one target in all its lanes, cut into stretches of time; and which of them summaries are put at. */
export class TargetStretches {
  readonly rowCount: number
  /** First rows of the stretches that have any, and the end. */
  readonly starts: Uint32Array
  readonly #source: MergeSource
  readonly #lanes: readonly number[]
  /** By lane the row of each of its rows; `undefined` where there is one lane. */
  readonly #rowsOf: readonly Uint32Array[] | undefined
  // Beyond the first and the last row of each stretch.
  readonly #furtherRows = new Set<number>()
  readonly #furtherLast = new Set<number>()

  /** @param lanes all of one target */
  constructor(source: MergeSource, lanes: readonly number[], resolutionMs: number) {
    this.#source = source
    this.#lanes = lanes
    const { timesMs, rowsOf } = joinTimes(lanes.map((lane) => source.decodeTimes(source.lanes[lane]!)))
    this.#rowsOf = rowsOf
    this.rowCount = timesMs.length
    const starts: number[] = []
    let endMs = Number.NEGATIVE_INFINITY
    for (let row = 0; row < timesMs.length; row++) {
      if (timesMs[row]! <= endMs) continue
      starts.push(row)
      endMs = stretchEnd(timesMs[row]!, resolutionMs)
    }
    this.starts = Uint32Array.from([...starts, timesMs.length])
  }

  /** Unpacks a series: float64 at `values`, kinds at `kinds`, 0 where it has no sample. Of two samples of one time the later lane's stays. */
  read(overlay: number, series: readonly LaneSeries[], scratch: Scratch, values: number, kinds: number): void {
    if (this.#rowsOf === undefined) {
      this.#source.readRows(overlay, series[0]!, { m: values, e: 0, k: kinds }, 1)
      return
    }
    scratch.views.u8.fill(0, kinds, kinds + this.rowCount)
    for (const one of series) {
      const rows = this.#rowsOf[this.#lanes.indexOf(one.lane)]!
      const mark = scratch.mark()
      const m = scratch.take(8 * rows.length)
      const k = scratch.take(rows.length)
      this.#source.readRows(overlay, one, { m, e: 0, k }, 1)
      const { u8, f64 } = scratch.views
      for (let i = 0; i < rows.length; i++) {
        if (u8[k + i] === 0) continue
        u8[kinds + rows[i]!] = u8[k + i]!
        f64[(values >>> 3) + rows[i]!] = f64[(m >>> 3) + i]!
      }
      scratch.release(mark)
    }
  }

  /** A series has its first sample of a stretch, or its last, or a marker behind that, in this row. */
  use(row: number, stretch: number, isLast: boolean): void {
    const isEdge = row === this.starts[stretch]! || row === this.starts[stretch + 1]! - 1
    if (!isEdge) this.#furtherRows.add(row)
    if (isLast && row !== this.starts[stretch + 1]! - 1) this.#furtherLast.add(row)
  }

  /** Rows that hold samples of some series. */
  sampleRows(): Uint32Array {
    const rows = new Set(this.#furtherRows)
    for (let i = 0; i + 1 < this.starts.length; i++) rows.add(this.starts[i]!).add(this.starts[i + 1]! - 1)
    return Uint32Array.from(rows).sort()
  }

  /** Rows at which a stretch ends for some series: there are its summaries. */
  lastRows(): Uint32Array {
    const rows = new Set(this.#furtherLast)
    for (let i = 1; i < this.starts.length; i++) rows.add(this.starts[i]! - 1)
    return Uint32Array.from(rows).sort()
  }

  timesOf(rows: Uint32Array): Float64Array {
    const { timesMs } = joinTimes(this.#lanes.map((lane) => this.#source.decodeTimes(this.#source.lanes[lane]!)))
    return Float64Array.from(rows, (row) => timesMs[row]!)
  }
}

function joinTimes(lanes: readonly Float64Array[]): { timesMs: Float64Array; rowsOf: Uint32Array[] | undefined } {
  if (lanes.length === 1) return { timesMs: lanes[0]!, rowsOf: undefined }
  const all = new Set<number>()
  for (const times of lanes) for (const timeMs of times) all.add(timeMs)
  const timesMs = Float64Array.from(all).sort()
  const rows = new Map(Array.from(timesMs, (timeMs, row) => [timeMs, row]))
  return { timesMs, rowsOf: lanes.map((times) => Uint32Array.from(times, (timeMs) => rows.get(timeMs)!)) }
}
