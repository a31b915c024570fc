import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Matcher, TimeRange } from '../../model/index.ts'
import type { CorruptionError } from '../errors.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { LabelIndex } from '../read/label-index.ts'
import { ALL_PLAIN, type GroupSource, lowerBound, type NewestValues, type Piece } from '../read/piece.ts'
import type { SourceFinder } from '../read/querier.ts'
import { ResolvedMatchers } from '../read/selection.ts'
import { blockFiles, summaryFiles } from './block-folder.ts'
import { type BlockGroup, type BlockIndex, decodeBlockIndex } from './block-index.ts'
import { ColumnFile } from './column-file.ts'
import type { PageCache } from './page-cache.ts'
import { splitKind, type SummaryKind } from './summary-kinds.ts'

/** A block opened by one reader: its index in memory, its columns read as they are asked for. */
export class BlockReader implements SourceFinder {
  readonly ulid: string
  readonly #index: BlockIndex
  readonly #labels: LabelIndex
  readonly #columns: ColumnFile
  /** The reader's numbers of the block's groups (their targets) and overlays. */
  readonly #targets: Uint32Array
  readonly #overlays: Uint32Array
  /** By group what it holds, `undefined` for samples. */
  readonly #kinds: readonly (string | undefined)[]

  /**
   * @param section what of the block is read: its columns, or its summaries
   * @throws {CorruptionError}
   */
  constructor(dataDir: string, ulid: string, labels: LabelIndex, pages: PageCache, section: 'data' | 'sum' = 'data') {
    const folder = join(dataDir, ulid)
    const files = section === 'sum' ? summaryFiles(folder) : blockFiles(folder)
    this.ulid = ulid
    this.#labels = labels
    this.#index = decodeBlockIndex(readFileSync(files.index), files.index)
    const split = this.#index.labelSets.map(splitKind)
    const sets = split.map(({ target }) => labels.labelSet(target.map((text) => labels.symbol(text))))
    this.#kinds = this.#index.groups.map((group) => split[group.labelSet]!.kind)
    this.#targets = Uint32Array.from(this.#index.groups, (group) => sets[group.labelSet]!)
    this.#overlays = this.#index.overlays.map((set) => sets[set]!)
    this.#columns = new ColumnFile(section === 'sum' ? `${ulid}/sum` : ulid, files.data, this.#index, pages)
  }

  /** About what it takes in memory. */
  get indexBytes(): number {
    const { groups, overlays, seriesGroup, pageChecksums } = this.#index
    const times = groups.reduce((sum, group) => sum + group.timestamps.length + 100, 0)
    return times + overlays.length * 12 + seriesGroup.length * 12 + pageChecksums.length * 4
  }

  close(): void {
    this.#columns.close()
  }

  /** @param kind of the summaries that are wanted; absent = samples */
  find(matchers: readonly Matcher[], range: TimeRange, scratch: Scratch, kind?: SummaryKind): GroupSource[] {
    const { groups, seriesStart, seriesGroup } = this.#index
    const resolved = new ResolvedMatchers(this.#labels, matchers)
    const masks = new Map<string, Uint8Array>()
    const matchesOf = groups.map((group, g) => {
      if (this.#kinds[g] !== kind) return undefined
      if (group.maxTimeMs < range.minTimeMs || group.minTimeMs > range.maxTimeMs) return undefined
      const mask = resolved.maskOf(this.#targets[g]!)
      let matched = masks.get(mask)
      if (matched === undefined) {
        matched = new Uint8Array(this.#overlays.length)
        for (const overlay of resolved.matching(mask, this.#overlays)) matched[overlay] = 1
        masks.set(mask, matched)
      }
      return matched
    })
    const found: { overlays: number[]; series: number[] }[] = groups.map(() => ({ overlays: [], series: [] }))
    for (let overlay = 0; overlay < this.#overlays.length; overlay++) {
      let isWanted = false
      for (const matched of masks.values()) isWanted ||= matched[overlay] === 1
      if (!isWanted) continue
      for (let s = seriesStart[overlay]!; s < seriesStart[overlay + 1]!; s++) {
        const group = seriesGroup[s]!
        if (matchesOf[group]?.[overlay] !== 1) continue
        found[group]!.overlays.push(this.#overlays[overlay]!)
        found[group]!.series.push(s)
      }
    }
    return found.flatMap(({ overlays, series }, g) =>
      series.length === 0
        ? []
        : [new BlockSource(this, scratch, groups[g]!, this.#targets[g]!, Uint32Array.from(overlays), series)],
    )
  }

  /** Copies the packed column of a series into scratch memory. @throws {CorruptionError} */
  loadColumn(series: number, scratch: Scratch): { start: number; end: number } {
    return this.#columns.load(series, scratch)
  }

  damaged(series: number): CorruptionError {
    return this.#columns.damaged(series)
  }
}

/** Matched series of one group of a block. */
class BlockSource implements GroupSource {
  readonly target: number
  readonly overlays: Uint32Array
  readonly minTimeMs: number
  readonly maxTimeMs: number
  readonly #block: BlockReader
  readonly #scratch: Scratch
  readonly #group: BlockGroup
  readonly #series: readonly number[]

  constructor(
    block: BlockReader,
    scratch: Scratch,
    group: BlockGroup,
    target: number,
    overlays: Uint32Array,
    series: readonly number[],
  ) {
    this.#block = block
    this.#scratch = scratch
    this.#group = group
    this.target = target
    this.overlays = overlays
    this.#series = series
    this.minTimeMs = group.minTimeMs
    this.maxTimeMs = group.maxTimeMs
  }

  open(minTimeMs: number, maxTimeMs: number): Piece[] {
    return [new BlockPiece(this.#block, this.#scratch, this.#group, this.#series, minTimeMs, maxTimeMs)]
  }

  hasSamples(_index: number, minTimeMs: number, maxTimeMs: number): boolean {
    // A block keeps no column without samples; which part of its time they fill is not looked at.
    return this.maxTimeMs >= minTimeMs && this.minTimeMs <= maxTimeMs
  }

  newest(): NewestValues | undefined {
    return undefined
  }
}

class BlockPiece implements Piece {
  readonly timestampsMs: Float64Array
  readonly from: number
  readonly to: number
  readonly #block: BlockReader
  readonly #scratch: Scratch
  readonly #series: readonly number[]
  readonly #rowCount: number
  readonly #summary: number

  constructor(
    block: BlockReader,
    scratch: Scratch,
    group: BlockGroup,
    series: readonly number[],
    minTimeMs: number,
    maxTimeMs: number,
  ) {
    this.#block = block
    this.#scratch = scratch
    this.#series = series
    this.#rowCount = group.rowCount
    this.#summary = scratch.take(8)
    const n = group.rowCount
    const mark = scratch.mark()
    const packed = scratch.take(group.timestamps.length)
    const times = scratch.take(8 * n)
    const kinds = scratch.take(n)
    scratch.views.u8.set(group.timestamps, packed)
    const end = packed + group.timestamps.length
    const read = scratch.columns.columnUnpack(packed, end, n, times, 0, kinds, this.#summary, 1)
    if (read !== group.timestamps.length) throw block.damaged(series[0]!)
    this.timestampsMs = scratch.views.f64.slice(times >>> 3, (times >>> 3) + n)
    scratch.release(mark)
    this.from = lowerBound(this.timestampsMs, minTimeMs)
    this.to = lowerBound(this.timestampsMs, Math.floor(maxTimeMs) + 1)
  }

  read(index: number, values: number, kinds: number): number {
    const scratch = this.#scratch
    const mark = scratch.mark()
    const { start, end } = this.#block.loadColumn(this.#series[index]!, scratch)
    const read = scratch.columns.columnUnpack(start, end, this.#rowCount, values, 0, kinds, this.#summary, 1)
    scratch.release(mark)
    if (read !== end - start) throw this.#block.damaged(this.#series[index]!)
    const { u8, u32 } = scratch.views
    if (this.from > 0) {
      u8.copyWithin(values, values + 8 * this.from, values + 8 * this.to)
      u8.copyWithin(kinds, kinds + this.from, kinds + this.to)
    }
    const present = u32[this.#summary >>> 2]!
    return present === this.#rowCount && u32[(this.#summary >>> 2) + 1] === 0 ? ALL_PLAIN : present
  }
}
