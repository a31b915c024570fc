// Hot: covered by `npm run bench -- rules`.
import {
  type Labels,
  type Matcher,
  matcherText,
  type NewestByGroup,
  type Querier,
  type SelectHints,
  type SeriesColumn,
  type SeriesGroup,
} from '../../model/index.ts'

/** A selector that was asked for, and what it found where that is kept. */
interface Asked {
  /** The batch that asked last, for what times, and how often. */
  batch: number
  minTimeMs: number
  maxTimeMs: number
  count: number
  /** Whether the batch that asked before did so more than once: then it pays to keep what is found from the first time on. */
  isRepeated: boolean
  columns: readonly SeriesColumn[] | undefined
}

/** Newest values that a batch was told, and the time that they are of. */
interface Told {
  readonly maxTimeMs: number
  readonly newest: NewestByGroup
}

const SELECTORS_KEPT = 20_000
/** More are not kept: they would cost more memory than finding them costs time. */
const SAMPLES_KEPT_MAX = 20_000

/**
 * Rules of one group look at the same few metrics at the same moment: what a selector finds is kept for the rest of its batch,
 * once it has shown that it is asked for more than once. Answers are the same as without.
 */
export class RepeatedSelects {
  readonly #asked = new Map<string, Asked>()
  readonly #names = new WeakMap<readonly Matcher[], string>()
  /** Of the batch at hand. */
  readonly #told = new Map<string, Told>()
  #batch = 0
  #kept: Asked[] = []
  #keptSamples = 0

  /** What was kept is not used any longer. */
  startBatch(): void {
    this.#batch++
    for (const asked of this.#kept) asked.columns = undefined
    this.#kept = []
    this.#keptSamples = 0
    this.#told.clear()
  }

  select(view: Querier, matchers: readonly Matcher[], hints: SelectHints): Iterable<SeriesColumn> {
    const { minTimeMs, maxTimeMs } = hints
    const asked = this.#askedFor(matchers, hints)
    if (asked.batch === this.#batch && asked.minTimeMs === minTimeMs && asked.maxTimeMs === maxTimeMs) {
      asked.count++
      if (asked.columns !== undefined) return asked.columns
    } else {
      asked.isRepeated = asked.count > 1
      asked.count = 1
      asked.batch = this.#batch
      asked.minTimeMs = minTimeMs
      asked.maxTimeMs = maxTimeMs
      asked.columns = undefined
    }
    const found = view.select(matchers, hints)
    return asked.isRepeated || asked.count > 1 ? this.#keep(asked, found) : found
  }

  /** As the view's own. */
  newestByGroup(view: Querier, matchers: readonly Matcher[], hints: SelectHints): NewestByGroup | undefined {
    const { maxTimeMs } = hints
    const key = this.#keyOf(matchers, hints)
    const told = this.#told.get(key)
    if (told?.maxTimeMs === maxTimeMs) return told.newest
    const newest = view.newestByGroup?.(matchers, hints)
    if (newest === undefined || this.#keptSamples + newest.length > SAMPLES_KEPT_MAX) return newest
    this.#keptSamples += newest.length
    const { groups, values, groupIndexes, length } = newest
    const kept = { groups, values: values.slice(0, length), groupIndexes: groupIndexes.slice(0, length), length }
    this.#told.set(key, { maxTimeMs, newest: kept })
    return kept
  }

  *#keep(asked: Asked, found: Iterable<SeriesColumn>): Generator<SeriesColumn> {
    const columns: SeriesColumn[] = []
    const copier = new ColumnCopier()
    let keeps = true
    for (const column of found) {
      this.#keptSamples += column.length
      // Columns with more to them than floats are few.
      const isOfFloats = column.histograms === undefined && column.startTimesMs === undefined
      const isPlain = isOfFloats && column.counts === undefined && column.coarse === undefined
      if (!isPlain || this.#keptSamples > SAMPLES_KEPT_MAX) keeps = false
      if (!keeps) {
        yield column
        continue
      }
      const copy = copier.copy(column)
      columns.push(copy)
      yield copy
    }
    if (!keeps) return
    asked.columns = columns
    this.#kept.push(asked)
  }

  #keyOf(matchers: readonly Matcher[], hints: SelectHints): string {
    const { minTimeMs, maxTimeMs, stepMs, functionName, newestOnly, limit, grouping } = hints
    const width = maxTimeMs - minTimeMs
    return `${this.#nameOf(matchers)}${width} ${stepMs} ${functionName} ${newestOnly} ${limit} ${grouping?.key}`
  }

  #askedFor(matchers: readonly Matcher[], hints: SelectHints): Asked {
    const key = this.#keyOf(matchers, hints)
    let asked = this.#asked.get(key)
    if (asked === undefined) {
      if (this.#asked.size >= SELECTORS_KEPT) this.#asked.clear()
      asked = { batch: 0, minTimeMs: 0, maxTimeMs: 0, count: 0, isRepeated: false, columns: undefined }
      this.#asked.set(key, asked)
    }
    return asked
  }

  /** The matchers of a parsed expression stay the same object for as long as the expression is kept. */
  #nameOf(matchers: readonly Matcher[]): string {
    let name = this.#names.get(matchers)
    if (name === undefined) this.#names.set(matchers, (name = `${matchers.map(matcherText).join('\u00ff')}\u00fe`))
    return name
  }
}

/** Copies columns; those that share their times share the copy. */
class ColumnCopier {
  #timesMs: Float64Array | undefined
  #timesLength = -1
  #copiedMs = new Float64Array(0)

  copy(column: SeriesColumn): SeriesColumn {
    const { timestampsMs, length, values, stale, labels, group } = column
    if (timestampsMs !== this.#timesMs || length !== this.#timesLength) {
      this.#timesMs = timestampsMs
      this.#timesLength = length
      this.#copiedMs = timestampsMs.slice(0, length)
    }
    return new KeptColumn(labels, this.#copiedMs, values.slice(0, length), stale?.slice(0, length), group)
  }
}

class KeptColumn implements SeriesColumn {
  readonly labels: Labels
  readonly timestampsMs: Float64Array
  readonly values: Float64Array
  readonly length: number
  readonly stale: Uint8Array | undefined
  readonly group: SeriesGroup | undefined

  constructor(
    labels: Labels,
    timestampsMs: Float64Array,
    values: Float64Array,
    stale: Uint8Array | undefined,
    group: SeriesGroup | undefined,
  ) {
    this.labels = labels
    this.timestampsMs = timestampsMs
    this.values = values
    this.length = timestampsMs.length
    this.stale = stale
    this.group = group
  }
}
