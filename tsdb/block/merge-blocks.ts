import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { columnBytesMax, columnWorkBytes } from '../../kernels/index.ts'
import { compareLabels, compareStrings, type Labels, labelsKey, labelValue, METRIC_NAME } from '../../model/index.ts'
import { CorruptionError } from '../errors.ts'
import { mergeBlockHistograms } from '../histogram/block-histograms.ts'
import { packTimes } from '../maintenance/seal.ts'
import type { Scratch } from '../memory/scratch.ts'
import { blockFiles } from './block-folder.ts'
import { type BlockGroup, type BlockIndex, decodeBlockIndex } from './block-index.ts'
import { BlockOutput } from './block-output.ts'
import { ColumnFile } from './column-file.ts'
import { DeletedRanges, type Deletion, eraseRows } from './deletions.ts'
import { type Lane, lineUp, segmentsOf } from './merge-lanes.ts'
import type { MergeRequest } from './merge-request.ts'
import type { BlockMeta } from './meta.ts'
import { PageCache } from './page-cache.ts'

const PAGE_CACHE_BYTES = 16 << 20
// Other jobs of the thread get their turn this often.
const TURN_MS = 10

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

interface Parent {
  readonly index: BlockIndex
  readonly columns: ColumnFile
  /** By the block's numbers of label sets: the merge's. */
  readonly labelSets: Uint32Array
  /** Lane and part of each group. */
  readonly places: { lane: number; part: number }[]
}

/** A series in one of its lanes: where its columns are, by part. */
interface LaneSeries {
  readonly lane: number
  readonly columns: { readonly part: number; readonly series: number }[]
}

class Merge {
  readonly #scratch: Scratch
  readonly #request: MergeRequest
  readonly #parents: Parent[] = []
  readonly #labelSets: Labels[] = []
  readonly #lanes: readonly Lane[]
  readonly #segments: readonly (readonly number[])[]
  /** Number of a lane's first segment among the groups of the new block. */
  readonly #firstGroup: readonly number[]
  readonly #deleted: DeletedRanges
  readonly #times = new Map<number, Float64Array>()
  readonly #output: BlockOutput
  readonly #overlays: number[] = []
  readonly #seriesStart: number[] = []
  readonly #seriesGroup: number[] = []
  #seriesCount = 0
  #turnEndsAt = performance.now() + TURN_MS

  constructor(scratch: Scratch, request: MergeRequest) {
    this.#scratch = scratch
    this.#request = request
    this.#deleted = new DeletedRanges(request.deletions)
    const pages = new PageCache(PAGE_CACHE_BYTES)
    const ids = new Map<string, number>()
    const idOf = (labels: Labels): number => {
      const key = labelsKey(labels)
      const id = ids.get(key) ?? this.#labelSets.push(labels) - 1
      ids.set(key, id)
      return id
    }
    for (const { ulid } of request.parents) {
      const files = blockFiles(join(request.dataDir, ulid))
      const index = decodeBlockIndex(readFileSync(files.index), files.index)
      const columns = new ColumnFile(ulid, files.data, index, pages)
      this.#parents.push({ index, columns, labelSets: Uint32Array.from(index.labelSets, idOf), places: [] })
    }
    this.#lanes = this.#lineUp()
    this.#segments = this.#lanes.map(segmentsOf)
    let groups = 0
    this.#firstGroup = this.#segments.map((segments) => (groups += segments.length - 1) - (segments.length - 1))
    this.#output = new BlockOutput(request.dataDir, request.ulid)
  }

  async run(): Promise<BlockMeta | undefined> {
    try {
      for (const overlay of this.#sortedOverlays()) {
        for (const series of this.#seriesOf(overlay)) {
          this.#addSeries(overlay, series)
          if (performance.now() >= this.#turnEndsAt) await this.#giveTurn()
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
    for (const { columns } of this.#parents) columns.close()
  }

  async #giveTurn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#turnEndsAt = performance.now() + TURN_MS
  }

  /** Lanes in the order in which their columns lie in the block. */
  #lineUp(): Lane[] {
    const groups = this.#parents.flatMap(({ index, labelSets }, parent) =>
      index.groups.map((group) => ({ target: labelSets[group.labelSet]!, parent, group })),
    )
    const { lanes, places } = lineUp(groups)
    const order = [...lanes.keys()].sort(
      (a, b) => compareLabels(this.#labelSets[lanes[a]!.target]!, this.#labelSets[lanes[b]!.target]!) || a - b,
    )
    const rank = new Uint32Array(lanes.length)
    for (const [i, lane] of order.entries()) rank[lane] = i
    for (const [i, { lane, part }] of places.entries()) {
      this.#parents[groups[i]!.parent]!.places.push({ lane: rank[lane]!, part })
    }
    return order.map((lane) => lanes[lane]!)
  }

  /** Label sets of series by metric name and labels. */
  #sortedOverlays(): number[] {
    const distinct = new Set<number>()
    for (const { index, labelSets } of this.#parents) for (const set of index.overlays) distinct.add(labelSets[set]!)
    const labels = this.#labelSets
    const names = new Map([...distinct].map((set) => [set, labelValue(labels[set]!, METRIC_NAME)]))
    return [...distinct].sort(
      (a, b) => compareStrings(names.get(a)!, names.get(b)!) || compareLabels(labels[a]!, labels[b]!),
    )
  }

  /** Where a label set's columns lie, by lane, in order. */
  #seriesOf(overlay: number): LaneSeries[] {
    const byLane = new Map<number, LaneSeries>()
    for (const { index, labelSets, places } of this.#parents) {
      const i = this.#overlayIndex(index, labelSets).get(overlay)
      if (i === undefined) continue
      for (let series = index.seriesStart[i]!; series < index.seriesStart[i + 1]!; series++) {
        const { lane, part } = places[index.seriesGroup[series]!]!
        const known = byLane.get(lane) ?? { lane, columns: [] }
        byLane.set(lane, known)
        known.columns.push({ part, series })
      }
    }
    return [...byLane.values()].sort((a, b) => a.lane - b.lane)
  }

  readonly #overlayIndexes = new Map<BlockIndex, Map<number, number>>()

  #overlayIndex(index: BlockIndex, labelSets: Uint32Array): Map<number, number> {
    let known = this.#overlayIndexes.get(index)
    if (known === undefined) {
      known = new Map(Array.from(index.overlays, (set, i) => [labelSets[set]!, i]))
      this.#overlayIndexes.set(index, known)
    }
    return known
  }

  /** Packs what a lane holds of a series, a column for each segment with samples. */
  #addSeries(overlay: number, { lane: laneNumber, columns }: LaneSeries): void {
    const scratch = this.#scratch
    const mark = scratch.mark()
    const lane = this.#lanes[laneNumber]!
    const n = lane.rowCount
    const m = scratch.take(8 * n)
    const e = scratch.take(n)
    const k = scratch.take(n)
    const summary = scratch.take(8)
    scratch.views.u8.fill(0, k, k + n)
    for (const { part, series } of columns) {
      const { parent, group, firstRow } = lane.parts[part]!
      const inner = scratch.mark()
      const source = this.#parents[parent]!.columns
      const { start, end } = source.load(series, scratch)
      const { columnUnpack } = scratch.columns
      const at = { m: m + 8 * firstRow, e: e + firstRow, k: k + firstRow }
      const read = columnUnpack(start, end, group.rowCount, at.m, at.e, at.k, summary, 0)
      if (read !== end - start) throw source.damaged(series)
      scratch.release(inner)
    }
    const ranges = this.#deleted.of(this.#labelSets[lane.target]!, this.#labelSets[overlay]!)
    if (ranges.length > 0) eraseRows(scratch.views.u8.subarray(k, k + n), this.#timesOf(laneNumber), ranges)
    const segments = this.#segments[laneNumber]!
    let isEmpty = true
    for (let i = 0; i + 1 < segments.length; i++) {
      const [from, to] = [segments[i]!, segments[i + 1]!]
      const samples = countSamples(scratch.views.u8, k + from, k + to)
      if (samples === 0) continue
      isEmpty = false
      this.#output.add(packRows(scratch, m + 8 * from, e + from, k + from, to - from), samples)
      this.#enter(overlay, this.#firstGroup[laneNumber]! + i)
    }
    if (!isEmpty) this.#seriesCount++
    scratch.release(mark)
  }

  #enter(overlay: number, group: number): void {
    if (this.#overlays.at(-1) !== overlay) {
      this.#overlays.push(overlay)
      this.#seriesStart.push(this.#seriesGroup.length)
    }
    this.#seriesGroup.push(group)
  }

  /** Times of a lane's rows; those of the lanes asked for last are kept. */
  #timesOf(laneNumber: number): Float64Array {
    let times = this.#times.get(laneNumber)
    if (times === undefined) {
      times = this.#decodeTimes(this.#lanes[laneNumber]!)
      if (this.#times.size >= 16) this.#times.clear()
      this.#times.set(laneNumber, times)
    }
    return times
  }

  #decodeTimes(lane: Lane): Float64Array {
    const scratch = this.#scratch
    const times = new Float64Array(lane.rowCount)
    for (const { parent, group, firstRow } of lane.parts) {
      const mark = scratch.mark()
      const { timestamps, rowCount } = group
      const from = scratch.take(timestamps.length)
      const values = scratch.take(8 * rowCount)
      const kinds = scratch.take(rowCount)
      const summary = scratch.take(8)
      scratch.views.u8.set(timestamps, from)
      const end = from + timestamps.length
      const read = scratch.columns.columnUnpack(from, end, rowCount, values, 0, kinds, summary, 1)
      if (read !== timestamps.length) {
        const { ulid } = this.#request.parents[parent]!
        throw new CorruptionError(blockFiles(join(this.#request.dataDir, ulid)).index, 0, 'times do not decode')
      }
      times.set(scratch.views.f64.subarray(values >>> 3, (values >>> 3) + rowCount), firstRow)
      scratch.release(mark)
    }
    return times
  }

  async #finish(): Promise<BlockMeta> {
    const { parents, dataDir, deletionNumber, retired } = this.#request
    const used = new Set(this.#seriesGroup)
    const numbers = new Map<number, number>()
    const groups: BlockGroup[] = []
    const labelSets: Labels[] = []
    const labelSetNumbers = new Map<number, number>()
    const numberOf = (set: number): number => {
      const number = labelSetNumbers.get(set) ?? labelSets.push(this.#labelSets[set]!) - 1
      labelSetNumbers.set(set, number)
      return number
    }
    for (const [l, lane] of this.#lanes.entries()) {
      const segments = this.#segments[l]!
      const wanted = segments.slice(1).map((_, i) => used.has(this.#firstGroup[l]! + i))
      if (!wanted.includes(true)) continue
      const times = this.#decodeTimes(lane)
      for (const [i, isWanted] of wanted.entries()) {
        if (!isWanted) continue
        numbers.set(this.#firstGroup[l]! + i, groups.length)
        groups.push(this.#groupOf(numberOf(lane.target), times.subarray(segments[i]!, segments[i + 1]!)))
      }
    }
    const folders = parents.map(({ ulid }) => join(dataDir, ulid))
    const otherBytes = await mergeBlockHistograms(folders, this.#output.folder)
    const overlays = Uint32Array.from(this.#overlays, numberOf)
    const index = {
      labelSets,
      groups,
      overlays,
      seriesStart: Uint32Array.from([...this.#seriesStart, this.#seriesGroup.length]),
      seriesGroup: Uint32Array.from(this.#seriesGroup, (group) => numbers.get(group)!),
    }
    const meta = {
      minTime: Math.min(...parents.map(({ minTime }) => minTime)),
      maxTime: Math.max(...parents.map(({ maxTime }) => maxTime)),
      compaction: {
        level: Math.max(...parents.map(({ compaction }) => compaction.level)) + (parents.length > 1 ? 1 : 0),
        sources: [...new Set(parents.flatMap(({ compaction }) => compaction.sources))],
        parents: parents.map(({ ulid, minTime, maxTime }) => ({ ulid, minTime, maxTime })),
      },
      deletions: deletionNumber,
      retired,
      headFiles: [...new Set(parents.flatMap(({ headFiles }) => headFiles ?? []))],
    }
    return this.#output.finish(index, meta, { series: this.#seriesCount, otherBytes })
  }

  #groupOf(labelSet: number, timestampsMs: Float64Array): BlockGroup {
    const scratch = this.#scratch
    const mark = scratch.mark()
    const n = timestampsMs.length
    const at = scratch.take(8 * n)
    scratch.views.f64.set(timestampsMs, at >>> 3)
    const timestamps = packTimes(scratch, at, n)
    scratch.release(mark)
    return { labelSet, rowCount: n, minTimeMs: timestampsMs[0]!, maxTimeMs: timestampsMs[n - 1]!, timestamps }
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
