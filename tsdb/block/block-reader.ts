import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Matcher, TimeRange } from '../../model/index.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { LabelIndex } from '../read/label-index.ts'
import type { ColumnCache } from '../read/column-cache.ts'
import type { GroupSource } from '../read/piece.ts'
import type { SourceFinder } from '../read/querier.ts'
import { ResolvedMatchers } from '../read/selection.ts'
import { blockFiles, summaryFiles } from './block-folder.ts'
import { type BlockIndex, decodeBlockIndex } from './block-index.ts'
import { type BlockSelection, BlockSelections } from './block-selections.ts'
import { BlockSource, type GroupColumns } from './block-source.ts'
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
  readonly #byGroup: { readonly start: Uint32Array; readonly series: Uint32Array }
  readonly #selections: BlockSelections
  readonly #cache: ColumnCache
  /** Of what is read of the block. */
  readonly #name: string

  /**
   * @param caches of packed pages, and of decoded columns
   * @param section what of the block is read: its columns, or its summaries
   * @throws {CorruptionError}
   */
  constructor(
    dataDir: string,
    ulid: string,
    labels: LabelIndex,
    caches: { readonly pages: PageCache; readonly columns: ColumnCache },
    section: 'data' | 'sum' = 'data',
  ) {
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
    this.#byGroup = sortByGroup(this.#index)
    this.#selections = new BlockSelections(this.#index.seriesGroup.length)
    this.#cache = caches.columns
    this.#name = section === 'sum' ? `${ulid}/sum` : ulid
    this.#columns = new ColumnFile(this.#name, files.data, this.#index, caches.pages)
  }

  /** About what it takes in memory. */
  get indexBytes(): number {
    const { groups, overlays, seriesGroup, pageChecksums } = this.#index
    const times = groups.reduce((sum, group) => sum + group.timestamps.length + 100, 0)
    return times + overlays.length * 12 + seriesGroup.length * 16 + pageChecksums.length * 4 + this.#selections.bytes
  }

  close(): void {
    this.#columns.close()
  }

  /** @param kind of the summaries that are wanted; absent = samples */
  find(matchers: readonly Matcher[], range: TimeRange, scratch: Scratch, kind?: SummaryKind): GroupSource[] {
    const { groups } = this.#index
    const found = this.#selections
      .of(matchers, kind, () => this.#select(matchers, kind))
      .filter(({ group: g }) => groups[g]!.maxTimeMs >= range.minTimeMs && groups[g]!.minTimeMs <= range.maxTimeMs)
    const samples = found.reduce((sum, { group, ordinals }) => sum + ordinals.length * groups[group]!.rowCount, 0)
    const cache = this.#cache.isBlockWorth(samples) ? this.#cache : undefined
    return found.map(({ group, overlays, ordinals }) => {
      const target = this.#targets[group]!
      return new BlockSource(this.#columnsOf(group), { target, overlays, ordinals }, scratch, cache)
    })
  }

  /** In all groups, whatever their times. */
  #select(matchers: readonly Matcher[], kind: SummaryKind | undefined): BlockSelection[] {
    const { groups, seriesStart, seriesGroup } = this.#index
    const resolved = new ResolvedMatchers(this.#labels, matchers)
    const masks = new Map<string, Uint8Array>()
    const matchesOf = groups.map((_, g) => {
      if (this.#kinds[g] !== kind) return undefined
      const mask = resolved.maskOf(this.#targets[g]!)
      let matched = masks.get(mask)
      if (matched === undefined) {
        matched = new Uint8Array(this.#overlays.length)
        for (const overlay of resolved.matching(mask, this.#overlays)) matched[overlay] = 1
        masks.set(mask, matched)
      }
      return matched
    })
    const found: { overlays: number[]; ordinals: number[] }[] = groups.map(() => ({ overlays: [], ordinals: [] }))
    const ordinals = new Uint32Array(groups.length)
    for (let overlay = 0; overlay < this.#overlays.length; overlay++) {
      for (let s = seriesStart[overlay]!; s < seriesStart[overlay + 1]!; s++) {
        const group = seriesGroup[s]!
        const ordinal = ordinals[group]!++
        if (matchesOf[group]?.[overlay] !== 1) continue
        found[group]!.overlays.push(this.#overlays[overlay]!)
        found[group]!.ordinals.push(ordinal)
      }
    }
    return found.flatMap(({ overlays, ordinals }, group) =>
      overlays.length === 0
        ? []
        : [{ group, overlays: Uint32Array.from(overlays), ordinals: Uint32Array.from(ordinals) }],
    )
  }

  #columnsOf(group: number): GroupColumns {
    const { start, series } = this.#byGroup
    const first = start[group]!
    return {
      group: this.#index.groups[group]!,
      key: `${this.#name}:${group}`,
      load: (ordinal, scratch) => this.#columns.load(series[first + ordinal]!, scratch),
      damaged: (ordinal) => this.#columns.damaged(series[first + ordinal]!),
    }
  }
}

/** Series sorted by group, in a group as they come in the block; those of group g from `start[g]` on. */
function sortByGroup({ groups, seriesGroup }: BlockIndex): { start: Uint32Array; series: Uint32Array } {
  const start = new Uint32Array(groups.length + 1)
  for (const group of seriesGroup) start[group + 1]!++
  for (let g = 0; g < groups.length; g++) start[g + 1]! += start[g]!
  const next = start.slice()
  const series = new Uint32Array(seriesGroup.length)
  for (let s = 0; s < seriesGroup.length; s++) series[next[seriesGroup[s]!]!++] = s
  return { start, series }
}
