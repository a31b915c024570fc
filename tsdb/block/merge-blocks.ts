import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { columnBytesMax, columnWorkBytes } from '../../kernels/index.ts'
import type { Labels } from '../../model/index.ts'
import { mergeBlockHistograms } from '../histogram/block-histograms.ts'
import type { Scratch } from '../memory/scratch.ts'
import { blockFiles, summaryFiles } from './block-folder.ts'
import { blockGroupOf } from './block-group.ts'
import { type BlockGroup, decodeBlockIndex } from './block-index.ts'
import { BlockOutput } from './block-output.ts'
import { ColumnTable } from './column-table.ts'
import { DeletedRanges, type Deletion } from './deletions.ts'
import { segmentsOf } from './merge-lanes.ts'
import type { MergeRequest } from './merge-request.ts'
import { type LaneSeries, MergeSource } from './merge-source.ts'
import type { BlockMeta } from './meta.ts'
import { splitKind } from './summary-kinds.ts'
import { EMPTY_INDEX, writeSummaries } from './summary-writer.ts'
import { Turns } from './turns.ts'

// Blocks of at least this length have a `sum` section, of stretches of this length.
const SUMMARY_RANGE_MIN_MS = 12 * 3_600_000
const SUMMARY_RESOLUTION_MS = 3_600_000

/**
 * Writes blocks anew as one: columns of a target become longer ones, deleted samples are left out.
 *
 * @returns the new block, or `undefined` when nothing is left
 * @throws {CorruptionError} when a block cannot be read; nothing is written then
 */
export async function mergeBlocks(scratch: Scratch, request: MergeRequest): Promise<BlockMeta | undefined> {
  const mark = scratch.mark()
  const merge = new Merge(scratch, request)
  try {
    return await merge.run()
  } finally {
    merge.close()
    scratch.release(mark)
  }
}

/** Whether a block holds a series that a deletion means. @throws {CorruptionError} */
export function hasDeleted(folder: string, deletions: readonly Deletion[]): boolean {
  const file = blockFiles(folder).index
  const { labelSets, groups, overlays, seriesStart, seriesGroup } = decodeBlockIndex(readFileSync(file), file)
  const deleted = new DeletedRanges(deletions)
  return overlays.some((set, i) => {
    const targets = new Set(
      Array.from(seriesGroup.subarray(seriesStart[i], seriesStart[i + 1]), (group) => groups[group]!.labelSet),
    )
    return [...targets].some((target) => deleted.of(labelSets[target]!, labelSets[set]!).length > 0)
  })
}

class Merge {
  readonly #scratch: Scratch
  readonly #request: MergeRequest
  readonly #source: MergeSource
  readonly #segments: readonly (readonly number[])[]
  /** Number of a lane's first segment among the groups of the new block. */
  readonly #firstGroup: readonly number[]
  readonly #output: BlockOutput
  readonly #overlays: number[] = []
  readonly #seriesStart: number[] = []
  readonly #seriesGroup: number[] = []
  #seriesCount = 0
  readonly #turns = new Turns()

  constructor(scratch: Scratch, request: MergeRequest) {
    this.#scratch = scratch
    this.#request = request
    this.#source = new MergeSource(scratch, request)
    this.#segments = this.#source.lanes.map(segmentsOf)
    let groups = 0
    this.#firstGroup = this.#segments.map((segments) => (groups += segments.length - 1) - (segments.length - 1))
    this.#output = new BlockOutput(request.dataDir, request.ulid)
  }

  async run(): Promise<BlockMeta | undefined> {
    try {
      for (const overlay of this.#source.sortedOverlays()) {
        for (const series of this.#source.seriesOf(overlay)) {
          this.#addSeries(overlay, series)
          await this.#turns.take()
        }
      }
      if (this.#output.seriesCount === 0) {
        this.#output.discard()
        return undefined
      }
      return await this.#finish()
    } catch (error) {
      this.#output.discard()
      throw error
    }
  }

  close(): void {
    this.#source.close()
  }

  /** Packs what a lane holds of a series, a column for each segment with samples. */
  #addSeries(overlay: number, series: LaneSeries): void {
    const scratch = this.#scratch
    const mark = scratch.mark()
    const { lane: laneNumber } = series
    const n = this.#source.lanes[laneNumber]!.rowCount
    const m = scratch.take(8 * n)
    const e = scratch.take(n)
    const k = scratch.take(n)
    this.#source.readRows(overlay, series, { m, e, k }, 0)
    const segments = this.#segments[laneNumber]!
    const isSummary = this.#isSummary(laneNumber)
    let isEmpty = true
    for (let i = 0; i + 1 < segments.length; i++) {
      const [from, to] = [segments[i]!, segments[i + 1]!]
      const samples = countSamples(scratch.views.u8, k + from, k + to)
      if (samples === 0) continue
      isEmpty = false
      this.#output.add(packRows(scratch, m + 8 * from, e + from, k + from, to - from), isSummary ? 0 : samples)
      this.#enter(overlay, this.#firstGroup[laneNumber]! + i)
    }
    if (!isEmpty && !isSummary) this.#seriesCount++
    scratch.release(mark)
  }

  /** What is summarised of a series is counted with its samples only. */
  #isSummary(lane: number): boolean {
    return splitKind(this.#source.labelSets[this.#source.lanes[lane]!.target]!).kind !== undefined
  }

  #enter(overlay: number, group: number): void {
    if (this.#overlays.at(-1) !== overlay) {
      this.#overlays.push(overlay)
      this.#seriesStart.push(this.#seriesGroup.length)
    }
    this.#seriesGroup.push(group)
  }

  async #finish(): Promise<BlockMeta> {
    const { parents, dataDir, deletions, deletionNumber, retired } = this.#request
    const used = new Set(this.#seriesGroup)
    const numbers = new Map<number, number>()
    const groups: BlockGroup[] = []
    const labelSets: Labels[] = []
    const labelSetNumbers = new Map<number, number>()
    const numberOf = (set: number): number => {
      const number = labelSetNumbers.get(set) ?? labelSets.push(this.#source.labelSets[set]!) - 1
      labelSetNumbers.set(set, number)
      return number
    }
    for (const [l, lane] of this.#source.lanes.entries()) {
      const segments = this.#segments[l]!
      const wanted = segments.slice(1).map((_, i) => used.has(this.#firstGroup[l]! + i))
      if (!wanted.includes(true)) continue
      const times = this.#source.decodeTimes(lane)
      for (const [i, isWanted] of wanted.entries()) {
        if (!isWanted) continue
        numbers.set(this.#firstGroup[l]! + i, groups.length)
        groups.push(blockGroupOf(this.#scratch, numberOf(lane.target), times.subarray(segments[i]!, segments[i + 1]!)))
      }
    }
    const folders = parents.map(({ ulid }) => join(dataDir, ulid))
    const { resolution } = parents[0]!
    const minTime = Math.min(...parents.map((parent) => parent.minTime))
    const maxTime = Math.max(...parents.map((parent) => parent.maxTime))
    let otherBytes = await mergeBlockHistograms(folders, this.#output.folder, new DeletedRanges(deletions))
    // Nothing summarises what samples that are histograms hold.
    const isLong = maxTime - minTime >= SUMMARY_RANGE_MIN_MS
    const hasSummary = resolution === undefined && isLong && otherBytes === 0
    if (hasSummary) otherBytes += await this.#writeSummary()
    const overlays = Uint32Array.from(this.#overlays, numberOf)
    const index = {
      labelSets,
      groups,
      overlays,
      seriesStart: Uint32Array.from([...this.#seriesStart, this.#seriesGroup.length]),
      seriesGroup: Uint32Array.from(this.#seriesGroup, (group) => numbers.get(group)!),
    }
    const meta = {
      minTime,
      maxTime,
      compaction: {
        level: Math.max(...parents.map(({ compaction }) => compaction.level)) + (parents.length > 1 ? 1 : 0),
        sources: [...new Set(parents.flatMap(({ compaction }) => compaction.sources))],
        parents: parents.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
      },
      deletions: deletionNumber,
      retired,
      ...(resolution === undefined ? {} : { resolution }),
      ...(hasSummary ? { summary: SUMMARY_RESOLUTION_MS } : {}),
      headFiles: [...new Set(parents.flatMap(({ headFiles }) => headFiles ?? []))],
    }
    return this.#output.finish(index, meta, { series: this.#seriesCount, otherBytes })
  }

  /** @returns bytes written */
  async #writeSummary(): Promise<number> {
    const table = new ColumnTable(summaryFiles(this.#output.folder))
    try {
      const written = await writeSummaries(this.#scratch, this.#source, SUMMARY_RESOLUTION_MS, {
        add: (column) => table.add(column),
        turn: () => this.#turns.take(),
      })
      return await table.finish(written?.index ?? EMPTY_INDEX)
    } finally {
      table.close()
    }
  }
}

function packRows(scratch: Scratch, m: number, e: number, k: number, n: number): Uint8Array {
  const mark = scratch.mark()
  const work = scratch.take(columnWorkBytes(n))
  const out = scratch.take(columnBytesMax(n))
  const length = scratch.columns.columnPack(m, e, k, n, out, work, 1)
  const column = scratch.views.u8.slice(out, out + length)
  scratch.release(mark)
  return column
}

function countSamples(kinds: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let i = from; i < to; i++) if (kinds[i] !== 0) count++
  return count
}
