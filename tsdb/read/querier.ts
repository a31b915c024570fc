import { compareStrings, type Labels, type Matcher } from '../../model/index.ts'
import type { Querier, SelectHints, SeriesColumn, TimeRange } from '../../model/index.ts'
import type { Scratch } from '../memory/scratch.ts'
import { ColumnAssembler, OutputColumn, type PiecePart } from './column-output.ts'
import type { LabelIndex } from './label-index.ts'
import type { GroupSource, NewestValues } from './piece.ts'
import { findTwins, groupByTarget, type SeriesAddress, type TargetSeries } from './selection.ts'

/** Finds the series that match in one part of the store: the head, or a block. */
export interface SourceFinder {
  find(matchers: readonly Matcher[], range: TimeRange): GroupSource[]
}

/** A view of head and blocks as they stood at one moment. */
export class StoreQuerier implements Querier {
  readonly #index: LabelIndex
  readonly #scratch: Scratch
  readonly #finders: readonly SourceFinder[]
  readonly #onClose: () => void
  #isClosed = false

  /** @param finders oldest data first */
  constructor(index: LabelIndex, scratch: Scratch, finders: readonly SourceFinder[], onClose: () => void) {
    this.#index = index
    this.#scratch = scratch
    this.#finders = finders
    this.#onClose = onClose
  }

  *select(matchers: readonly Matcher[], hints: SelectHints): Generator<SeriesColumn> {
    const limit = hints.limit ?? 0
    let count = 0
    const mark = this.#scratch.mark()
    try {
      for (const column of this.#columns(matchers, hints)) {
        yield column
        if (++count === limit) return
      }
    } finally {
      this.#scratch.release(mark)
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
    const pairs = this.#index.pairWords
    const seen = new Set<number>()
    for (const { target, overlay } of this.#present(matcherSets, range)) {
      // The target's own names all count unless every series of it takes one away, so they are looked at together.
      const key = target * 2 ** 26 + overlay
      if (seen.has(key)) continue
      seen.add(key)
      this.#eachLabel(target, overlay, (at) => names.add(pairs[at]!))
    }
    return [...names].map((name) => this.#index.text(name)).sort(compareStrings)
  }

  labelValues(name: string, matcherSets: readonly (readonly Matcher[])[], range: TimeRange): string[] {
    const symbol = this.#index.findSymbol(name)
    const values = new Set<number>()
    const pairs = this.#index.pairWords
    for (const { target, overlay } of this.#present(matcherSets, range)) {
      this.#eachLabel(target, overlay, (at) => {
        if (pairs[at] === (symbol ?? this.#index.findSymbol(name))) values.add(pairs[at + 1]!)
      })
    }
    return [...values].map((value) => this.#index.text(value)).sort(compareStrings)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClose()
  }

  /** Calls back with the place of each pair that comes out in the end. */
  #eachLabel(target: number, overlay: number, callback: (at: number) => void): void {
    const index = this.#index
    const pairs = index.pairWords
    const from = index.pairsFrom(overlay)
    const to = index.pairsTo(overlay)
    for (let at = from; at < to; at += 2) if (pairs[at + 1] !== 0) callback(at)
    for (let t = index.pairsFrom(target); t < index.pairsTo(target); t += 2) {
      let isNamed = false
      for (let at = from; at < to && !isNamed; at += 2) isNamed = pairs[at] === pairs[t]
      if (!isNamed) callback(t)
    }
  }

  #find(matchers: readonly Matcher[], range: TimeRange): TargetSeries[] {
    const sources = this.#finders.flatMap((finder) => finder.find(matchers, range))
    return groupByTarget(sources, this.#index)
  }

  *#present(
    matcherSets: readonly (readonly Matcher[])[],
    range: TimeRange,
  ): Generator<{ target: number; overlay: number }> {
    const sets = matcherSets.length === 0 ? [[]] : matcherSets
    for (const matchers of sets) {
      for (const { target, sources, overlays, indexes } of this.#find(matchers, range)) {
        for (const [i, overlay] of overlays.entries()) {
          const isPresent = sources.some((source, s) => {
            const index = indexes[s]![i]!
            return index >= 0 && source.hasSamples(index, range.minTimeMs, range.maxTimeMs)
          })
          if (isPresent) yield { target, overlay }
        }
      }
    }
  }

  *#columns(matchers: readonly Matcher[], hints: SelectHints): Generator<SeriesColumn> {
    const targets = this.#find(matchers, hints)
    const twins = findTwins(targets, this.#index)
    const skipped = new Map<number, Set<number>>()
    for (const { targetIndex, seriesIndex } of twins.flat()) {
      const set = skipped.get(targetIndex) ?? new Set<number>()
      skipped.set(targetIndex, set.add(seriesIndex))
    }
    for (const [targetIndex, target] of targets.entries()) {
      const mark = this.#scratch.mark()
      yield* this.#targetColumns(target, hints, skipped.get(targetIndex))
      this.#scratch.release(mark)
    }
    for (const addresses of twins) {
      const mark = this.#scratch.mark()
      yield* this.#twinColumn(targets, addresses, hints)
      this.#scratch.release(mark)
    }
  }

  *#targetColumns(
    series: TargetSeries,
    hints: SelectHints,
    skipped: ReadonlySet<number> | undefined,
  ): Generator<SeriesColumn> {
    const { target, overlays, sources, indexes } = series
    const newest = hints.newestOnly === true ? new NewestAnswer(series, hints) : undefined
    let open: OpenSources | undefined
    for (const [i, overlay] of overlays.entries()) {
      if (skipped?.has(i) === true) continue
      const answer = newest?.answer(i)
      if (answer === 'none') continue
      if (answer !== undefined) {
        yield new OutputColumn(this.#index, { target, overlay }, answer)
        continue
      }
      open ??= new OpenSources(this.#scratch, sources, hints)
      const samples = open.assembler.assemble(open.partsOf((s) => indexes[s]![i]!))
      if (samples !== undefined) yield new OutputColumn(this.#index, { target, overlay }, samples)
    }
  }

  /** One series out of several targets. */
  *#twinColumn(
    targets: readonly TargetSeries[],
    addresses: readonly SeriesAddress[],
    hints: SelectHints,
  ): Generator<SeriesColumn> {
    const sources: GroupSource[] = []
    const indexes: number[] = []
    for (const { targetIndex, seriesIndex } of addresses) {
      const series = targets[targetIndex]!
      for (const [s, source] of series.sources.entries()) {
        sources.push(source)
        indexes.push(series.indexes[s]![seriesIndex]!)
      }
    }
    const first = targets[addresses[0]!.targetIndex]!
    const overlay = first.overlays[addresses[0]!.seriesIndex]!
    const open = new OpenSources(this.#scratch, sources, hints)
    const samples = open.assembler.assemble(open.partsOf((s) => indexes[s]!))
    if (samples !== undefined) yield new OutputColumn(this.#index, { target: first.target, overlay }, samples)
  }
}

/** The pieces of some sources, opened and in order of time. */
class OpenSources {
  readonly assembler: ColumnAssembler
  readonly #pieces: { readonly part: PiecePart; readonly source: number }[] = []

  constructor(scratch: Scratch, sources: readonly GroupSource[], range: TimeRange) {
    let rows = 0
    for (const [s, source] of sources.entries()) {
      for (const piece of source.open(range.minTimeMs, range.maxTimeMs)) {
        // A piece may overlap the range between two of its rows.
        if (piece.from >= piece.to) continue
        rows += piece.timestampsMs.length
        this.#pieces.push({ part: { piece, index: 0, rank: this.#pieces.length }, source: s })
      }
    }
    const firstMs = ({ piece }: PiecePart): number => piece.timestampsMs[piece.from]!
    this.#pieces.sort((a, b) => firstMs(a.part) - firstMs(b.part))
    this.assembler = new ColumnAssembler(scratch, rows)
  }

  /** @param indexOf number of the series within the n-th source, or -1 */
  partsOf(indexOf: (source: number) => number): PiecePart[] {
    const parts: PiecePart[] = []
    for (const { part, source } of this.#pieces) {
      const index = indexOf(source)
      if (index >= 0) parts.push({ piece: part.piece, index, rank: part.rank })
    }
    return parts
  }
}

/** Answers "newest sample only" from the last values, where no other place can hold a newer one. */
class NewestAnswer {
  readonly #series: TargetSeries
  readonly #range: TimeRange
  readonly #newest: readonly (NewestValues | undefined)[]
  readonly #times = new Map<number, Float64Array>()
  readonly #value = new Float64Array(1)

  constructor(series: TargetSeries, range: TimeRange) {
    this.#series = series
    this.#range = range
    this.#newest = series.sources.map((source) => source.newest(range.maxTimeMs))
  }

  /** The sample, 'none' when there is none in the range, `undefined` when the columns must be looked at. */
  answer(
    i: number,
  ):
    | { timestampsMs: Float64Array; values: Float64Array; length: number; stale: Uint8Array | undefined }
    | 'none'
    | undefined {
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
        othersMs = Math.max(othersMs, sources[s]!.maxTimeMs)
        continue
      }
      const timeMs = newest.timeOf(index, minTimeMs)
      if (Number.isNaN(timeMs) || timeMs > maxTimeMs) return undefined
      if (timeMs > bestMs) {
        bestMs = timeMs
        best = newest
        bestIndex = index
      }
    }
    if (othersMs >= bestMs && othersMs >= minTimeMs) return undefined
    if (best === undefined || bestMs < minTimeMs) return 'none'
    const isStale = best.valueOf(bestIndex, this.#value)
    return {
      timestampsMs: this.#timeColumn(bestMs),
      values: this.#value,
      length: 1,
      stale: isStale ? Uint8Array.of(1) : undefined,
    }
  }

  #timeColumn(timeMs: number): Float64Array {
    let column = this.#times.get(timeMs)
    if (column === undefined) {
      column = Float64Array.of(timeMs)
      this.#times.set(timeMs, column)
    }
    return column
  }
}
