import type { SelectHints, SeriesColumn, TimeRange } from '../../model/index.ts'
import type { Scratch } from '../memory/scratch.ts'
import type { AssembledColumns } from './assembled-columns.ts'
import { ColumnAssembler, type JoinedTimes, type OpenPiece, OutputColumn, type Samples } from './column-output.ts'
import type { HistogramLookup } from './histogram-source.ts'
import type { LabelIndex } from './label-index.ts'
import { NewestAnswers, NewestResult } from './newest-answers.ts'
import type { GroupSource } from './piece.ts'
import type { TargetSeries } from './selection.ts'
import type { SeriesGroups } from './series-groups.ts'
import { SummaryColumns } from './summary-columns.ts'

/** What the columns of one `select` are made with. */
export interface SelectParts {
  readonly index: LabelIndex
  readonly histograms: HistogramLookup
  /** Where the caller groups. */
  readonly groups: SeriesGroups | undefined
  readonly times: JoinedTimes
  /** Absent: whole columns are kept nowhere. */
  readonly assembled: AssembledColumns | undefined
}

/** Puts what is found for a series into a column, histograms looked up. */
export function fillColumn(
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
export function openSources(
  scratch: Scratch,
  series: Pick<TargetSeries, 'sources' | 'indexes'>,
  range: TimeRange,
  kept: Pick<SelectParts, 'times' | 'assembled'>,
): Pick<ColumnAssembler, 'assemble'> {
  const parts = series.sources.flatMap(({ summary }) => summary ?? [])
  if (parts.length === 0) return openPieces(scratch, series, range, kept, () => true)
  const samples = openPieces(scratch, series, range, kept, ({ summary }) => summary?.side === undefined)
  const hasSide = parts.some(({ side }) => side !== undefined)
  const side = hasSide
    ? openPieces(scratch, series, range, kept, ({ summary }) => summary?.side !== undefined)
    : undefined
  return new SummaryColumns(samples, side, parts)
}

/** Opens the pieces of some sources, in order of time. */
function openPieces(
  scratch: Scratch,
  { sources, indexes }: Pick<TargetSeries, 'sources' | 'indexes'>,
  range: TimeRange,
  { times, assembled }: Pick<SelectParts, 'times' | 'assembled'>,
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
    times,
    assembled,
  )
}

/** Makes the columns of one target, series by series. */
export class TargetColumns {
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
    this.#assembler ??= openSources(this.#scratch, this.#series, this.#hints, this.#parts)
    const samples = this.#assembler.assemble(i)
    return samples && fillColumn(this.#column, this.#parts, target, overlays[i]!, samples)
  }
}
