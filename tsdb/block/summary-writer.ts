import { columnBytesMax, columnWorkBytes } from '../../kernels/index.ts'
import { type Labels, SampleKind } from '../../model/index.ts'
import { writeEntry } from '../head/decimal.ts'
import type { Scratch } from '../memory/scratch.ts'
import { blockGroupOf } from './block-group.ts'
import type { BlockGroup, BlockIndex } from './block-index.ts'
import type { LaneSeries, MergeSource } from './merge-source.ts'
import { emptySummaries, type Summaries, summarize } from './summarize.ts'
import { labelsWithKind, SUMMARY_KINDS, type SummaryKind } from './summary-kinds.ts'
import { TargetStretches } from './target-stretches.ts'

/** Of no series. */
export const EMPTY_INDEX: WrittenSummaries['index'] = {
  labelSets: [],
  groups: [],
  overlays: new Uint32Array(0),
  seriesStart: new Uint32Array(1),
  seriesGroup: new Uint32Array(0),
}

/** What the summaries of blocks are written to. */
export interface SummaryOutput {
  /** Adds the next column. @param samples that it holds and that are samples of a series */
  add(column: Uint8Array, samples: number): void
  /** To be awaited now and then, so that other jobs of the thread get their turn. */
  turn(): Promise<void>
}

export interface WrittenSummaries {
  readonly index: Omit<BlockIndex, 'columnStart' | 'pageChecksums'>
  readonly seriesCount: number
}

/**
 * Summarises all series of some blocks in stretches of one length and packs that into columns.
 *
 * @returns `undefined` when there is no sample
 * @throws {CorruptionError} when a block cannot be read
 */
export async function writeSummaries(
  scratch: Scratch,
  source: MergeSource,
  resolutionMs: number,
  output: SummaryOutput,
): Promise<WrittenSummaries | undefined> {
  const mark = scratch.mark()
  try {
    const writer = new SummaryWriter(scratch, source, resolutionMs, output)
    await writer.eachSeries((target, series) => writer.markRows(target, series))
    writer.layOut()
    await writer.eachSeries((target, series, overlay) => writer.pack(target, series, overlay))
    return writer.finish()
  } finally {
    scratch.release(mark)
  }
}

/** Groups of one target: its samples, then each kind. */
interface Target {
  readonly labelSet: number
  readonly stretches: TargetStretches
  readonly summaries: Summaries
  sampleRows: Uint32Array
  lastRows: Uint32Array
}

class SummaryWriter {
  readonly #scratch: Scratch
  readonly #source: MergeSource
  readonly #output: SummaryOutput
  readonly #targets: Target[] = []
  readonly #targetOf = new Map<number, number>()
  readonly #overlays: number[] = []
  readonly #seriesStart: number[] = []
  readonly #seriesGroup: number[] = []
  readonly #entry = new DataView(new ArrayBuffer(16))
  /** By the number of stretches: filled and used up series by series, so that targets can share it. */
  readonly #rooms = new Map<number, Summaries>()
  #seriesCount = 0

  constructor(scratch: Scratch, source: MergeSource, resolutionMs: number, output: SummaryOutput) {
    this.#scratch = scratch
    this.#source = source
    this.#output = output
    const lanesOf = new Map<number, number[]>()
    for (const [lane, { target }] of source.lanes.entries()) {
      const lanes = lanesOf.get(target)
      if (lanes) lanes.push(lane)
      else lanesOf.set(target, [lane])
    }
    for (const [labelSet, lanes] of lanesOf) {
      const stretches = new TargetStretches(source, lanes, resolutionMs)
      const summaries = this.#roomFor(stretches.starts.length - 1)
      for (const lane of lanes) this.#targetOf.set(lane, this.#targets.length)
      this.#targets.push({ labelSet, stretches, summaries, sampleRows: NO_ROWS, lastRows: NO_ROWS })
    }
  }

  #roomFor(stretchCount: number): Summaries {
    let room = this.#rooms.get(stretchCount)
    if (!room) this.#rooms.set(stretchCount, (room = emptySummaries(stretchCount)))
    return room
  }

  /** Has each series of each target summarised, in the order in which columns lie in a block. */
  async eachSeries(use: (target: number, summaries: Summaries, overlay: number) => void): Promise<void> {
    for (const overlay of this.#source.sortedOverlays()) {
      const byTarget = new Map<number, LaneSeries[]>()
      for (const series of this.#source.seriesOf(overlay)) {
        const target = this.#targetOf.get(series.lane)!
        const list = byTarget.get(target)
        if (list) list.push(series)
        else byTarget.set(target, [series])
      }
      for (const [target, series] of [...byTarget].sort(([a], [b]) => a - b)) {
        use(target, this.#summarize(target, overlay, series), overlay)
        await this.#output.turn()
      }
    }
  }

  markRows(target: number, { count, firstRow, lastRow, staleRow }: Summaries): void {
    const { stretches } = this.#targets[target]!
    for (let i = 0; i < count.length; i++) {
      if (staleRow[i]! >= 0) stretches.use(staleRow[i]!, i, false)
      if (count[i] === 0) continue
      stretches.use(firstRow[i]!, i, false)
      stretches.use(lastRow[i]!, i, true)
    }
  }

  /** All rows are marked: they are what groups consist of. */
  layOut(): void {
    for (const target of this.#targets) {
      target.sampleRows = target.stretches.sampleRows()
      target.lastRows = target.stretches.lastRows()
    }
  }

  /** Columns of the kinds come before the samples, as the labels of their groups do. */
  pack(target: number, summaries: Summaries, overlay: number): void {
    if (!summaries.count.some((count) => count > 0)) return
    this.#seriesCount++
    for (const [number, kind] of SUMMARY_KINDS.entries()) {
      // Hardly any series has resets.
      if (kind === 'resets' && !summaries.resets.some((sum) => sum !== 0)) continue
      this.#output.add(this.#packKind(this.#targets[target]!.lastRows, summaries, kind), 0)
      this.#enter(overlay, number, target)
    }
    const { column, samples } = this.#packSamples(this.#targets[target]!.sampleRows, summaries)
    this.#output.add(column, samples)
    this.#enter(overlay, SUMMARY_KINDS.length, target)
  }

  finish(): WrittenSummaries | undefined {
    if (this.#seriesCount === 0) return undefined
    const used = [...new Set(this.#seriesGroup)].sort((a, b) => a - b)
    const numbers = new Map(used.map((group, number) => [group, number]))
    const labelSets: Labels[] = []
    const overlays = Uint32Array.from(this.#overlays, (set) => labelSets.push(this.#source.labelSets[set]!) - 1)
    const groups = used.map((group): BlockGroup => {
      const { labelSet, stretches, sampleRows, lastRows } = this.#targets[Math.floor(group / GROUPS_PER_TARGET)]!
      const kind = SUMMARY_KINDS[group % GROUPS_PER_TARGET]
      const labels = this.#source.labelSets[labelSet]!
      const timesMs = stretches.timesOf(kind === undefined ? sampleRows : lastRows)
      return blockGroupOf(
        this.#scratch,
        labelSets.push(kind === undefined ? labels : labelsWithKind(labels, kind)) - 1,
        timesMs,
      )
    })
    const index = {
      labelSets,
      groups,
      overlays,
      seriesStart: Uint32Array.from([...this.#seriesStart, this.#seriesGroup.length]),
      seriesGroup: Uint32Array.from(this.#seriesGroup, (group) => numbers.get(group)!),
    }
    return { index, seriesCount: this.#seriesCount }
  }

  #summarize(target: number, overlay: number, series: readonly LaneSeries[]): Summaries {
    const scratch = this.#scratch
    const mark = scratch.mark()
    const { stretches, summaries } = this.#targets[target]!
    const n = stretches.rowCount
    const values = scratch.take(8 * n)
    const kinds = scratch.take(n)
    stretches.read(overlay, series, scratch, values, kinds)
    const { u8, f64 } = scratch.views
    const floats = f64.subarray(values >>> 3, (values >>> 3) + n)
    summarize(floats, u8.subarray(kinds, kinds + n), stretches.starts, summaries)
    scratch.release(mark)
    return summaries
  }

  #enter(overlay: number, kind: number, target: number): void {
    if (this.#overlays.at(-1) !== overlay) {
      this.#overlays.push(overlay)
      this.#seriesStart.push(this.#seriesGroup.length)
    }
    this.#seriesGroup.push(target * GROUPS_PER_TARGET + kind)
  }

  #packKind(rows: Uint32Array, summaries: Summaries, kind: SummaryKind): Uint8Array {
    const { count, lastRow } = summaries
    const values = summaries[kind]
    return this.#packColumn(rows.length, (put) => {
      for (let i = 0, at = 0; i < count.length; i++) {
        if (count[i] === 0) continue
        while (rows[at]! < lastRow[i]!) at++
        put(at, values[i]!)
      }
    })
  }

  #packSamples(rows: Uint32Array, summaries: Summaries): { column: Uint8Array; samples: number } {
    const { count, firstRow, lastRow, staleRow, firstValue, lastValue } = summaries
    let samples = 0
    const column = this.#packColumn(rows.length, (put) => {
      let at = 0
      const putAt = (row: number, value: number | undefined): void => {
        while (rows[at]! < row) at++
        put(at, value)
        samples++
      }
      for (let i = 0; i < count.length; i++) {
        if (count[i]! > 0) putAt(firstRow[i]!, firstValue[i]!)
        if (count[i]! > 0 && lastRow[i] !== firstRow[i]) putAt(lastRow[i]!, lastValue[i]!)
        if (staleRow[i]! >= 0) putAt(staleRow[i]!, undefined)
      }
    })
    return { column, samples }
  }

  /** @param fill is given what sets an entry; without a value it is a staleness marker */
  #packColumn(n: number, fill: (put: (at: number, value: number | undefined) => void) => void): Uint8Array {
    const scratch = this.#scratch
    const mark = scratch.mark()
    const m = scratch.take(8 * n)
    const e = scratch.take(n)
    const k = scratch.take(n)
    const work = scratch.take(columnWorkBytes(n))
    const out = scratch.take(columnBytesMax(n))
    const { u8, u32 } = scratch.views
    u8.fill(SampleKind.ABSENT, k, k + n)
    const entry = this.#entry
    fill((at, value) => {
      if (value === undefined) {
        u8[k + at] = SampleKind.STALE
        return
      }
      writeEntry(entry, 0, 0, value)
      u8[k + at] = entry.getUint8(4)
      u8[e + at] = entry.getUint8(5)
      u32[(m >>> 2) + 2 * at] = entry.getUint32(8, true)
      u32[(m >>> 2) + 2 * at + 1] = entry.getUint32(12, true)
    })
    const length = scratch.columns.columnPack(m, e, k, n, out, work, 1)
    const column = scratch.views.u8.slice(out, out + length)
    scratch.release(mark)
    return column
  }
}

const GROUPS_PER_TARGET = SUMMARY_KINDS.length + 1
const NO_ROWS = new Uint32Array(0)
