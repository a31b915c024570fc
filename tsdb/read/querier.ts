import { compareStrings, type Labels, type Matcher } from '../../model/index.ts'
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
import { ColumnAssembler, type OpenPiece, OutputColumn, type Samples } from './column-output.ts'
import type { HistogramLookup } from './histogram-source.ts'
import type { LabelIndex } from './label-index.ts'
import { newestByGroup } from './newest-by-group.ts'
import type { GroupSource, NewestValues } from './piece.ts'
import type { GroupingCache, SeriesGroups } from './series-groups.ts'
import { findTwins, groupByTarget, type SeriesAddress, type TargetSeries } from './selection.ts'
import { SummaryColumns } from './summary-columns.ts'
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

/** A view of head and blocks as they stood at one moment. */
export class StoreQuerier implements Querier {
  readonly #index: LabelIndex
  readonly #scratches: ScratchPool
  readonly #finders: readonly SourceFinder[]
  readonly #histograms: HistogramLookup
  readonly #groupings: GroupingCache
  readonly #onDamage: () => void
  readonly #onClose: () => void
  readonly changes: StoreChanges
  #isClosed = false

  /** @param finders oldest data first */
  constructor(
    index: LabelIndex,
    scratches: ScratchPool,
    finders: readonly SourceFinder[],
    histograms: HistogramLookup,
    groupings: GroupingCache,
    changes: StoreChanges,
    events: { onDamage: () => void; onClose: () => void },
  ) {
    this.changes = changes
    this.#index = index
    this.#scratches = scratches
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
      return newestByGroup(targets, parts.groups, hints, !this.#histograms.isEmpty)
    } finally {
      scratch.release(start)
      this.#scratches.giveBack(scratch)
    }
  }

  series(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): Labels[] {
    const found = new Map<string, Labels>()
    for (const { target, overlay } of this.#present(matcherSets, range)) {
      const labels = this.#index.effectiveLabels(target, overlay)
      found.set(labels.join('\u00ff'), labels)
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
    const parts: SelectParts = { index: this.#index, histograms: this.#histograms, groups }
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
    const samples = openSources(scratch, { sources, indexes }, hints).assemble(0)
    if (samples === undefined) return undefined
    return fillColumn(new OutputColumn(this.#index), parts, first.target, overlay, samples)
  }
}

const wholeRange = ({ minTimeMs, maxTimeMs, order, windows, functionName }: SelectHints): Wanted => ({
  minTimeMs: order?.minTimeMs ?? minTimeMs,
  maxTimeMs,
  ...(windows === undefined ? {} : { windows }),
  ...(functionName === undefined ? {} : { functionName }),
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

/** What the columns of one `select` are made with. */
interface SelectParts {
  readonly index: LabelIndex
  readonly histograms: HistogramLookup
  /** Where the caller groups. */
  readonly groups: SeriesGroups | undefined
}

/** Puts what is found for a series into a column, histograms looked up. */
function fillColumn(
  column: OutputColumn,
  { index, histograms, groups }: SelectParts,
  target: number,
  overlay: number,
  samples: Samples,
): OutputColumn {
  const hasMarkers = samples.stale !== undefined && !histograms.isEmpty
  const whole = hasMarkers ? histograms.attach(samples, index.effectiveLabelSet(target, overlay)) : samples
  column.fill(target, overlay, whole, groups?.groupOf(target, overlay))
  return column
}

/** Opens some sources, of which a part may hold summaries. */
function openSources(
  scratch: Scratch,
  series: Pick<TargetSeries, 'sources' | 'indexes'>,
  range: TimeRange,
): Pick<ColumnAssembler, 'assemble'> {
  const parts = series.sources.flatMap(({ summary }) => summary ?? [])
  if (parts.length === 0) return openPieces(scratch, series, range, () => true)
  const samples = openPieces(scratch, series, range, ({ summary }) => summary?.side === undefined)
  const hasSide = parts.some(({ side }) => side !== undefined)
  const side = hasSide ? openPieces(scratch, series, range, ({ summary }) => summary?.side !== undefined) : undefined
  return new SummaryColumns(samples, side, parts)
}

/** Opens the pieces of some sources, in order of time. */
function openPieces(
  scratch: Scratch,
  { sources, indexes }: Pick<TargetSeries, 'sources' | 'indexes'>,
  range: TimeRange,
  isWanted: (source: GroupSource) => boolean,
): ColumnAssembler {
  const pieces: OpenPiece[] = []
  for (const [s, source] of sources.entries()) {
    if (!isWanted(source)) continue
    for (const piece of source.open(range.minTimeMs, range.maxTimeMs)) {
      // A piece may overlap the range between two of its rows.
      if (piece.from < piece.to) pieces.push({ piece, indexes: indexes[s]!, rank: pieces.length })
    }
  }
  const firstMs = ({ piece }: OpenPiece): number => piece.timestampsMs[piece.from]!
  return new ColumnAssembler(
    scratch,
    pieces.sort((a, b) => firstMs(a) - firstMs(b)),
  )
}

/** Makes the columns of one target, series by series. */
class TargetColumns {
  readonly #parts: SelectParts
  /** One for all series: each is only valid until the next. */
  readonly #column: OutputColumn
  readonly #scratch: Scratch
  readonly #series: TargetSeries
  readonly #hints: SelectHints
  readonly #newest: NewestAnswers | undefined
  #assembler: Pick<ColumnAssembler, 'assemble'> | undefined

  constructor(parts: SelectParts, scratch: Scratch, series: TargetSeries, hints: SelectHints) {
    this.#parts = parts
    this.#column = new OutputColumn(parts.index)
    this.#scratch = scratch
    this.#series = series
    this.#hints = hints
    this.#newest = hints.newestOnly === true ? new NewestAnswers(series, hints) : undefined
  }

  at(i: number): SeriesColumn | undefined {
    const { target, overlays } = this.#series
    const newest = this.#newest
    if (newest !== undefined) {
      const found = newest.find(i)
      if (found === NewestResult.NONE) return undefined
      if (found === NewestResult.FOUND) return fillColumn(this.#column, this.#parts, target, overlays[i]!, newest)
    }
    this.#assembler ??= openSources(this.#scratch, this.#series, this.#hints)
    const samples = this.#assembler.assemble(i)
    return samples && fillColumn(this.#column, this.#parts, target, overlays[i]!, samples)
  }
}

/** UNKNOWN: the columns must be looked at. */
const NewestResult = { NONE: 0, FOUND: 1, UNKNOWN: 2 } as const

/** Answers "newest sample only" from the last values, where no other place can hold a newer one. */
class NewestAnswers implements Samples {
  // The sample found last.
  timestampsMs = new Float64Array(1)
  readonly values = new Float64Array(1)
  readonly length = 1
  stale: Uint8Array | undefined
  readonly #series: TargetSeries
  readonly #range: TimeRange
  readonly #newest: readonly (NewestValues | undefined)[]
  readonly #only: NewestValues | undefined
  readonly #times = new Map<number, Float64Array<ArrayBuffer>>()
  #timeMs = Number.NaN

  constructor(series: TargetSeries, range: TimeRange) {
    this.#series = series
    this.#range = range
    this.#newest = series.sources.map((source) => source.newest(range.maxTimeMs))
    this.#only = this.#newest.length === 1 ? this.#newest[0] : undefined
  }

  find(i: number): number {
    if (this.#only !== undefined) return this.#findIn(this.#only, i)
    const { sources, indexes } = this.#series
    const { minTimeMs, maxTimeMs } = this.#range
    let bestMs = Number.NEGATIVE_INFINITY
    let best: NewestValues | undefined
    let bestIndex = -1
    let othersMs = Number.NEGATIVE_INFINITY
    for (let s = 0; s < sources.length; s++) {
      const index = indexes[s]![i]!
      if (index < 0) continue
      const newest = this.#newest[s]
      if (newest === undefined) {
        othersMs = Math.max(othersMs, sources[s]!.maxTimeMs + (sources[s]!.summary?.reachBackMs ?? 0))
        continue
      }
      const timeMs = newest.timeOf(index, minTimeMs)
      if (Number.isNaN(timeMs) || timeMs > maxTimeMs) return NewestResult.UNKNOWN
      if (timeMs >= bestMs) {
        bestMs = timeMs
        best = newest
        bestIndex = index
      }
    }
    if (othersMs >= bestMs && othersMs >= minTimeMs) return NewestResult.UNKNOWN
    if (best === undefined || bestMs < minTimeMs) return NewestResult.NONE
    this.stale = best.valueOf(bestIndex, this.values) ? STALE_ONE : undefined
    this.#setTime(bestMs)
    return NewestResult.FOUND
  }

  /** As `find`, where there is one source, which holds all series in the order in which they are asked for. */
  #findIn(only: NewestValues, i: number): number {
    const { minTimeMs, maxTimeMs } = this.#range
    const timeMs = only.timeOf(i, minTimeMs)
    if (timeMs < minTimeMs) return NewestResult.NONE
    // NaN, too.
    if (!(timeMs <= maxTimeMs)) return NewestResult.UNKNOWN
    this.stale = only.valueOf(i, this.values) ? STALE_ONE : undefined
    this.#setTime(timeMs)
    return NewestResult.FOUND
  }

  /** One object for all series of that time. */
  #setTime(timeMs: number): void {
    if (timeMs === this.#timeMs) return
    this.#timeMs = timeMs
    this.timestampsMs = this.#timeColumn(timeMs)
  }

  #timeColumn(timeMs: number): Float64Array<ArrayBuffer> {
    let column = this.#times.get(timeMs)
    if (column === undefined) {
      column = Float64Array.of(timeMs)
      this.#times.set(timeMs, column)
    }
    return column
  }
}

const STALE_ONE = Uint8Array.of(1)
