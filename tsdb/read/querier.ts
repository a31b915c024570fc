import { compareStrings, type Labels, labelsKey, type Matcher } from '../../model/index.ts'
import type {
  Querier,
  ResolutionUse,
  NewestByGroup,
  SelectHints,
  SeriesColumn,
  StoreChanges,
  TimeRange,
} from '../../model/index.ts'
import { CorruptionError } from '../errors.ts'
import { Scratch } from '../memory/scratch.ts'
import type { AssembledColumns } from './assembled-columns.ts'
import { JoinedTimes, OutputColumn } from './column-output.ts'
import type { HistogramLookup } from './histogram-source.ts'
import type { LabelIndex } from './label-index.ts'
import { newestByGroup } from './newest-by-group.ts'
import type { GroupSource } from './piece.ts'
import type { GroupingCache } from './series-groups.ts'
import { findTwins, groupByTarget, type SeriesAddress, type TargetSeries } from './selection.ts'
import { fillColumn, openSources, type SelectParts, TargetColumns } from './target-columns.ts'
import type { Wanted } from './summary-view.ts'

/** Finds the series that match in one part of the store: the head, or a block. */
export interface SourceFinder {
  /** @param scratch what the sources decode into */
  find(matchers: readonly Matcher[], range: Wanted, scratch: Scratch): GroupSource[]
  /** Where summaries were used, or were too coarse; absent where there are none. */
  resolutions?(): readonly ResolutionUse[]
}

/** Working memories of a reader: one for each `select` that is under way. */
export class ScratchPool {
  readonly #free: Scratch[] = []

  take(): Scratch {
    return this.#free.pop() ?? new Scratch()
  }

  giveBack(scratch: Scratch): void {
    if (this.#free.length < SCRATCHES_KEPT) this.#free.push(scratch)
  }
}

const SCRATCHES_KEPT = 4

/** What a reader decodes into. */
export interface ReaderMemories {
  readonly scratches: ScratchPool
  /** Where whole columns are kept; absent: nowhere. */
  readonly assembled: AssembledColumns | undefined
}

/** A view of head and blocks as they stood at one moment. */
export class StoreQuerier implements Querier {
  readonly #index: LabelIndex
  readonly #scratches: ScratchPool
  readonly #assembled: AssembledColumns | undefined
  readonly #finders: readonly SourceFinder[]
  readonly #histograms: HistogramLookup
  readonly #groupings: GroupingCache
  readonly #onDamage: () => void
  readonly #onClose: () => void
  readonly changes?: StoreChanges
  #isClosed = false

  /**
   * @param finders oldest data first
   * @param changes absent: nothing that is made of this view may be kept
   */
  constructor(
    index: LabelIndex,
    { scratches, assembled }: ReaderMemories,
    finders: readonly SourceFinder[],
    histograms: HistogramLookup,
    groupings: GroupingCache,
    changes: StoreChanges | undefined,
    events: { onDamage: () => void; onClose: () => void },
  ) {
    if (changes !== undefined) this.changes = changes
    this.#index = index
    this.#scratches = scratches
    this.#assembled = assembled
    this.#finders = finders
    this.#histograms = histograms
    this.#groupings = groupings
    this.#onDamage = events.onDamage
    this.#onClose = events.onClose
  }

  *select(matchers: readonly Matcher[], hints: SelectHints): Generator<SeriesColumn> {
    // One generator for it all: each further one would cost as much as a series that only tells its newest value.
    let left = hints.limit ? hints.limit : Number.POSITIVE_INFINITY
    const scratch = this.#scratches.take()
    const start = scratch.mark()
    try {
      const { targets, parts, twins, skipped } = this.#prepare(matchers, hints, scratch)
      for (let t = 0; t < targets.length; t++) {
        const mark = scratch.mark()
        const columns = new TargetColumns(parts, scratch, targets[t]!, hints)
        const others = skipped.get(t)
        const count = targets[t]!.overlays.length
        for (let i = 0; i < count; i++) {
          if (others?.has(i) === true) continue
          const column = columns.at(i)
          if (column === undefined) continue
          yield column
          if (--left === 0) return
        }
        scratch.release(mark)
      }
      for (const addresses of twins) {
        const mark = scratch.mark()
        const column = this.#twinColumn(parts, targets, addresses, hints, scratch)
        if (column !== undefined) {
          yield column
          if (--left === 0) return
        }
        scratch.release(mark)
      }
    } catch (error) {
      if (error instanceof CorruptionError) this.#onDamage()
      throw error
    } finally {
      scratch.release(start)
      this.#scratches.giveBack(scratch)
    }
  }

  newestByGroup(matchers: readonly Matcher[], hints: SelectHints): NewestByGroup | undefined {
    const scratch = this.#scratches.take()
    const start = scratch.mark()
    try {
      const { targets, parts, twins } = this.#prepare(matchers, hints, scratch)
      if (twins.length > 0 || parts.groups === undefined) return undefined
      return newestByGroup(targets, parts.groups, hints, !this.#histograms.isEmpty, scratch)
    } finally {
      scratch.release(start)
      this.#scratches.giveBack(scratch)
    }
  }

  series(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): Labels[] {
    const found = new Map<string, Labels>()
    for (const { target, overlay } of this.#present(matcherSets, range)) {
      const labels = this.#index.effectiveLabels(target, overlay)
      found.set(labelsKey(labels), labels)
    }
    return [...found.values()]
  }

  labelNames(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): string[] {
    const names = new Set<number>()
    for (const { target, overlay } of this.#present(matcherSets, range)) {
      this.#eachLabel(target, overlay, (name) => names.add(name))
    }
    return [...names].map((name) => this.#index.text(name)).sort(compareStrings)
  }

  labelValues(name: string, matcherSets: readonly (readonly Matcher[])[], range: TimeRange): string[] {
    const wanted = this.#index.symbol(name)
    const values = new Set<number>()
    for (const { target, overlay } of this.#present(matcherSets, range)) {
      this.#eachLabel(target, overlay, (label, value) => {
        if (label === wanted) values.add(value)
      })
    }
    return [...values].map((value) => this.#index.text(value)).sort(compareStrings)
  }

  resolutions(): readonly ResolutionUse[] {
    return this.#finders.flatMap((finder) => finder.resolutions?.() ?? [])
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClose()
  }

  /** Calls back with the symbols of each label that comes out in the end. */
  #eachLabel(target: number, overlay: number, callback: (name: number, value: number) => void): void {
    const index = this.#index
    const pairs = index.pairWords
    const from = index.pairsFrom(overlay)
    const to = index.pairsTo(overlay)
    for (let at = from; at < to; at += 2) if (pairs[at + 1] !== 0) callback(pairs[at]!, pairs[at + 1]!)
    for (let t = index.pairsFrom(target); t < index.pairsTo(target); t += 2) {
      let isNamed = false
      for (let at = from; at < to && !isNamed; at += 2) isNamed = pairs[at] === pairs[t]
      if (!isNamed) callback(pairs[t]!, pairs[t + 1]!)
    }
  }

  #find(matchers: readonly Matcher[], range: Wanted, scratch: Scratch): TargetSeries[] {
    try {
      const sources = this.#finders.flatMap((finder) => finder.find(matchers, range, scratch))
      return groupByTarget(sources, this.#index)
    } catch (error) {
      if (error instanceof CorruptionError) this.#onDamage()
      throw error
    }
  }

  *#present(
    matcherSets: readonly (readonly Matcher[])[],
    range: TimeRange,
  ): Generator<{ target: number; overlay: number }> {
    const sets = matcherSets.length === 0 ? [[]] : matcherSets
    const scratch = this.#scratches.take()
    for (const matchers of sets) {
      for (const { target, sources, overlays, indexes } of this.#find(
        matchers,
        { ...range, labelsOnly: true },
        scratch,
      )) {
        for (const [i, overlay] of overlays.entries()) {
          const isPresent = sources.some((source, s) => {
            const index = indexes[s]![i]!
            return index >= 0 && source.hasSamples(index, range.minTimeMs, range.maxTimeMs)
          })
          if (isPresent) yield { target, overlay }
        }
      }
    }
    this.#scratches.giveBack(scratch)
  }

  /** @returns the series by target; those that several targets have come as twins, and are skipped there */
  #prepare(matchers: readonly Matcher[], hints: SelectHints, scratch: Scratch) {
    const targets = this.#find(matchers, wholeRange(hints), scratch)
    hints.order?.onOrder(orderOf(targets))
    const groups = hints.grouping && this.#groupings.groups(hints.grouping)
    const parts: SelectParts = {
      index: this.#index,
      histograms: this.#histograms,
      groups,
      times: new JoinedTimes(),
      assembled: this.#assembled,
    }
    const twins = findTwins(targets, this.#index)
    const skipped = new Map<number, Set<number>>()
    for (const { targetIndex, seriesIndex } of twins.flat()) {
      const set = skipped.get(targetIndex) ?? new Set<number>()
      skipped.set(targetIndex, set.add(seriesIndex))
    }
    return { targets, parts, twins, skipped }
  }

  /** One series out of several targets. */
  #twinColumn(
    parts: SelectParts,
    targets: readonly TargetSeries[],
    addresses: readonly SeriesAddress[],
    hints: SelectHints,
    scratch: Scratch,
  ): SeriesColumn | undefined {
    const sources: GroupSource[] = []
    const indexes: Int32Array[] = []
    for (const { targetIndex, seriesIndex } of addresses) {
      const series = targets[targetIndex]!
      for (const [s, source] of series.sources.entries()) {
        sources.push(source)
        indexes.push(Int32Array.of(series.indexes[s]![seriesIndex]!))
      }
    }
    const first = targets[addresses[0]!.targetIndex]!
    const overlay = first.overlays[addresses[0]!.seriesIndex]!
    // Of twins nothing is kept: they are few, and each is put together in a way of its own.
    const kept = { times: parts.times, assembled: undefined }
    const samples = openSources(scratch, { sources, indexes }, hints, kept).assemble(0)
    if (samples === undefined) return undefined
    return fillColumn(new OutputColumn(this.#index), parts, first.target, overlay, samples)
  }
}

const wholeRange = ({ minTimeMs, maxTimeMs, order, windows, functionName }: SelectHints): Wanted => ({
  minTimeMs: order?.minTimeMs ?? minTimeMs,
  maxTimeMs,
  windows,
  functionName,
})

/** What the series come from, in order. Series are only ever added to a source at its end. */
function orderOf(targets: readonly TargetSeries[]): Float64Array {
  const order: number[] = []
  for (const { target, sources } of targets) {
    order.push(sources.length)
    for (const { minTimeMs, overlays } of sources) order.push(target, minTimeMs, overlays.length)
  }
  return Float64Array.from(order)
}
