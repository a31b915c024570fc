import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareLabels, compareStrings, type Labels, labelsKey, labelValue, METRIC_NAME } from '../../model/index.ts'
import { CorruptionError } from '../errors.ts'
import type { Scratch } from '../memory/scratch.ts'
import { blockFiles } from './block-folder.ts'
import { type BlockIndex, decodeBlockIndex } from './block-index.ts'
import { ColumnFile } from './column-file.ts'
import { DeletedRanges, type Deletion, eraseRows } from './deletions.ts'
import { type Lane, lineUp } from './merge-lanes.ts'
import type { BlockMeta } from './meta.ts'
import { PageCache } from './page-cache.ts'

const PAGE_CACHE_BYTES = 16 << 20

interface Parent {
  readonly index: BlockIndex
  readonly columns: ColumnFile
  /** By the block's numbers of label sets: the source's. */
  readonly labelSets: Uint32Array
  /** Lane and part of each group. */
  readonly places: { lane: number; part: number }[]
}

/** A series in one of its lanes: where its columns are, by part. */
export interface LaneSeries {
  readonly lane: number
  readonly columns: { readonly part: number; readonly series: number }[]
}

/** Where the rows of a lane go in scratch memory; `e` is not used when float64 are wanted. */
export interface RowsAt {
  readonly m: number
  readonly e: number
  readonly k: number
}

/** Blocks to be read as one: the rows of each target one after the other, without what was deleted. */
export class MergeSource {
  /** All that occur, each once. */
  readonly labelSets: readonly Labels[]
  /** In the order in which their columns lie in a block. */
  readonly lanes: readonly Lane[]
  readonly #scratch: Scratch
  readonly #dataDir: string
  readonly #metas: readonly BlockMeta[]
  readonly #parents: Parent[] = []
  readonly #deleted: DeletedRanges
  readonly #times = new Map<number, Float64Array>()

  /** @throws {CorruptionError} */
  constructor(
    scratch: Scratch,
    { dataDir, parents, deletions }: { dataDir: string; parents: readonly BlockMeta[]; deletions: readonly Deletion[] },
  ) {
    this.#scratch = scratch
    this.#dataDir = dataDir
    this.#metas = parents
    this.#deleted = new DeletedRanges(deletions)
    const pages = new PageCache(PAGE_CACHE_BYTES)
    const labelSets: Labels[] = []
    const ids = new Map<string, number>()
    const idOf = (labels: Labels): number => {
      const key = labelsKey(labels)
      const id = ids.get(key) ?? labelSets.push(labels) - 1
      ids.set(key, id)
      return id
    }
    this.labelSets = labelSets
    try {
      for (const { ulid } of parents) {
        const files = blockFiles(join(dataDir, ulid))
        const index = decodeBlockIndex(readFileSync(files.index), files.index)
        const columns = new ColumnFile(ulid, files.data, index, pages)
        this.#parents.push({ index, columns, labelSets: Uint32Array.from(index.labelSets, idOf), places: [] })
      }
      this.lanes = this.#lineUp()
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    for (const { columns } of this.#parents) columns.close()
  }

  /** Lanes in the order in which their columns lie in the block. */
  #lineUp(): Lane[] {
    const groups = this.#parents.flatMap(({ index, labelSets }, parent) =>
      index.groups.map((group) => ({ target: labelSets[group.labelSet]!, parent, group })),
    )
    const { lanes, places } = lineUp(groups)
    const order = [...lanes.keys()].sort(
      (a, b) => compareLabels(this.labelSets[lanes[a]!.target]!, this.labelSets[lanes[b]!.target]!) || a - b,
    )
    const rank = new Uint32Array(lanes.length)
    for (const [i, lane] of order.entries()) rank[lane] = i
    for (const [i, { lane, part }] of places.entries()) {
      this.#parents[groups[i]!.parent]!.places.push({ lane: rank[lane]!, part })
    }
    return order.map((lane) => lanes[lane]!)
  }

  /** Label sets of series by metric name and labels. */
  sortedOverlays(): number[] {
    const distinct = new Set<number>()
    for (const { index, labelSets } of this.#parents) for (const set of index.overlays) distinct.add(labelSets[set]!)
    const labels = this.labelSets
    const names = new Map([...distinct].map((set) => [set, labelValue(labels[set]!, METRIC_NAME)]))
    return [...distinct].sort(
      (a, b) => compareStrings(names.get(a)!, names.get(b)!) || compareLabels(labels[a]!, labels[b]!),
    )
  }

  /** Where a label set's columns lie, by lane, in order. */
  seriesOf(overlay: number): LaneSeries[] {
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

  /** Unpacks the rows of a series in a lane, whose kinds are 0 where it has no sample. @throws {CorruptionError} */
  readRows(overlay: number, { lane: laneNumber, columns }: LaneSeries, at: RowsAt, asF64: 0 | 1): void {
    const scratch = this.#scratch
    const mark = scratch.mark()
    const lane = this.lanes[laneNumber]!
    const summary = scratch.take(8)
    scratch.views.u8.fill(0, at.k, at.k + lane.rowCount)
    for (const { part, series } of columns) {
      const { parent, group, firstRow } = lane.parts[part]!
      const inner = scratch.mark()
      const source = this.#parents[parent]!.columns
      const { start, end } = source.load(series, scratch)
      const { columnUnpack } = scratch.columns
      const [m, e, k] = [at.m + 8 * firstRow, at.e + firstRow, at.k + firstRow]
      const read = columnUnpack(start, end, group.rowCount, m, e, k, summary, asF64)
      if (read !== end - start) throw source.damaged(series)
      scratch.release(inner)
    }
    const ranges = this.#deleted.of(this.labelSets[lane.target]!, this.labelSets[overlay]!)
    if (ranges.length > 0) {
      eraseRows(scratch.views.u8.subarray(at.k, at.k + lane.rowCount), this.#timesOf(laneNumber), ranges)
    }
    scratch.release(mark)
  }

  /** Times of a lane's rows; those of the lanes asked for last are kept. */
  #timesOf(laneNumber: number): Float64Array {
    let times = this.#times.get(laneNumber)
    if (times === undefined) {
      times = this.decodeTimes(this.lanes[laneNumber]!)
      if (this.#times.size >= 16) this.#times.clear()
      this.#times.set(laneNumber, times)
    }
    return times
  }

  /** Times of all rows of a lane. @throws {CorruptionError} */
  decodeTimes(lane: Lane): Float64Array {
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
        const { ulid } = this.#metas[parent]!
        throw new CorruptionError(blockFiles(join(this.#dataDir, ulid)).index, 0, 'times do not decode')
      }
      times.set(scratch.views.f64.subarray(values >>> 3, (values >>> 3) + rowCount), firstRow)
      scratch.release(mark)
    }
    return times
  }
}
