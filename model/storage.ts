/**
 * The seam between what writes samples (scraper, rules, remote write), what keeps them (tsdb) and what reads them (promql).
 * Times are Unix milliseconds, integers held in float64.
 */
import { AppError } from '../lib/errors.ts'
import type { Exemplar, SeriesExemplars } from './exemplar.ts'
import type { Labels } from './labels.ts'
import type { Matcher } from './matcher.ts'
import type { NativeHistogram } from './native-histogram.ts'

declare const seriesRefBrand: unique symbol
/** Handle of a series inside one open store. Not stable across restarts; never persist it. */
export type SeriesRef = number & { readonly [seriesRefBrand]: true }

/** Older than the newest sample of its series; nothing was stored for this sample. */
export class OutOfOrderSampleError extends AppError {
  override readonly code = 'ERR_OUT_OF_ORDER_SAMPLE'
  override readonly httpStatus = 400
}

/** Same time as a stored sample, other value. */
export class DuplicateSampleError extends AppError {
  override readonly code = 'ERR_DUPLICATE_SAMPLE'
  override readonly httpStatus = 400
}

/** Too far in the past or the future for the store. */
export class OutOfBoundsError extends AppError {
  override readonly code = 'ERR_OUT_OF_BOUNDS'
  override readonly httpStatus = 400
}

// ---- writing: any series -----------------------------------------------------------------------------------------------

/** One atomic batch of writes, for one caller. Nothing is visible to queries before `commit`. */
export interface Appender {
  /**
   * @param ref what an earlier call returned for the same labels, or `undefined` to look it up
   * @param labels kept by reference, so do not mutate
   * @param timestampMs newer than the newest sample of the series
   * @throws {OutOfOrderSampleError} and its siblings; that sample is not stored, the batch stays usable
   */
  append(ref: SeriesRef | undefined, labels: Labels, timestampMs: number, value: number): SeriesRef
  /** As `append`, but stores the staleness marker (its NaN bits would not survive a JavaScript number). */
  appendStale(ref: SeriesRef | undefined, labels: Labels, timestampMs: number): SeriesRef
  /** As `append`, for a native histogram. A series may hold floats at some times and histograms at others. */
  appendHistogram(
    ref: SeriesRef | undefined,
    labels: Labels,
    timestampMs: number,
    histogram: NativeHistogram,
  ): SeriesRef
  /**
   * Keeps an exemplar of a series. One that the store has already, or that is older than the series' newest, is dropped
   * silently, as Prometheus does.
   *
   * @param exemplar with a time
   */
  appendExemplar(labels: Labels, exemplar: Exemplar & { readonly timestampMs: number }): void
  /** Resolves when the batch is in the log and visible. On rejection it has been rolled back. */
  commit(): Promise<void>
  /** Drops the batch. */
  rollback(): void
}

export interface Appendable {
  appender(): Appender
}

// ---- writing: streams with a stable layout -----------------------------------------------------------------------------

/**
 * One changed position of a row, 16 bytes little-endian, in a `RowBuffer`:
 * byte 0–3 position (u32) · 4 kind (u8, `SampleKind`) · 5 decimal exponent (i8) · 6–7 zero · 8–15 payload.
 * DECIMAL: payload is the mantissa (i64, |m| ≤ 2^53) and the value is exactly `m / 10^e` (e ≥ 0) or `m * 10^-e` (e < 0),
 * |e| ≤ 22, one correctly rounded operation. RAW: payload is the float64's bits. STALE, ABSENT: payload ignored.
 */
export const ROW_ENTRY_BYTES = 16

export const SampleKind = { ABSENT: 0, DECIMAL: 1, RAW: 2, STALE: 3 } as const
export type SampleKind = (typeof SampleKind)[keyof typeof SampleKind]

/**
 * The series of one target (or any other stream that writes many series at one time): target labels once, one row a scrape.
 * A position's value is carried over from row to row until an entry changes it, so a writer only sends what changed.
 */
export interface GroupWriter {
  /** Number of positions handed out so far. */
  readonly positionCount: number
  /**
   * Adds series in the order given, positions counting up from `positionCount`; they start ABSENT. A series' labels are laid
   * over the group's: a label named here wins, and an empty value takes the group's label away. Here, and only here, label
   * values may therefore be empty.
   *
   * @returns the first new position
   */
  addSeries(seriesLabels: readonly Labels[]): number
  /**
   * Stages one row; visible and logged with the store's next group commit (`flushed` tells when).
   *
   * @param entries `entryCount` entries of `ROW_ENTRY_BYTES`, positions ascending, unchanged positions left out; copied
   * @throws {OutOfOrderSampleError} when `timestampMs` is not newer than the group's newest row; nothing is stored
   */
  writeRow(timestampMs: number, entries: Uint8Array, entryCount: number): void
  /** The target is gone for good: no more rows. Its samples stay; its memory is reclaimed once they are in blocks. */
  close(): void
}

export interface GroupAppendable {
  /** A group with these labels; one that exists with the same labels (after a restart, a reload) is taken over. */
  openGroup(groupLabels: Labels): GroupWriter
  /** Resolves when every row written so far is in the log file (not yet necessarily fsynced; that happens each second). */
  flushed(): Promise<void>
}

// ---- reading -----------------------------------------------------------------------------------------------------------

/**
 * Samples of one series, oldest first. Valid until the next series is taken from the same reader; copy what must live on.
 * Series of one target share one `timestampsMs` object as long as none of their samples is missing, so that window bounds
 * can be computed once: compare by identity.
 */
export interface SeriesColumn {
  readonly labels: Labels
  /** `length` valid entries, ascending. */
  readonly timestampsMs: Float64Array
  /** `length` valid entries. At staleness markers the content is the marker's NaN. */
  readonly values: Float64Array
  readonly length: number
  /** 1 where the sample is a staleness marker; `undefined` when there is none. */
  readonly stale: Uint8Array | undefined
  /** Set at the indexes whose sample is a native histogram (their `values` entry says nothing); absent when there is none. */
  readonly histograms?: readonly (NativeHistogram | undefined)[] | undefined
  /** When each counter began (Unix milliseconds, 0 = not known); absent when no sample says. */
  readonly startTimesMs?: Float64Array | undefined
  /**
   * How many samples each entry stands for, `values` being their sum: where `SelectHints.windows` let a store answer
   * `avg_over_time` or `count_over_time` with summaries. Absent: each stands for itself.
   */
  readonly counts?: Float64Array | undefined
  /** Where samples are far apart because only some of them are kept: there a look back goes so much further. */
  readonly coarse?: CoarseSamples | undefined
  /** By the grouping of the hints, one object for all series of one `select` that belong together; absent where the store does not group. */
  readonly group?: SeriesGroup | undefined
}

export interface CoarseSamples {
  /** Time of the newest of them. */
  readonly untilMs: number
  readonly resolutionMs: number
}

/** Cuts label sets down: only the named labels stay, or all but them. */
export interface SeriesGrouping {
  /** Equal for equal groupings. */
  readonly key: string
  readonly names: ReadonlySet<string>
  readonly keep: boolean
}

/** Series whose labels are equal once they are cut down. */
export interface SeriesGroup {
  /** What is left of the labels. */
  readonly labels: Labels
}

/**
 * The windows (end − range, end] that a caller cuts columns into; ends are a step apart. A store may answer with summaries of
 * stretches of time, for the function named in the hints, as far as no window is the worse for it.
 */
export interface SelectWindows {
  readonly firstEndMs: number
  readonly lastEndMs: number
  /** 0 where there is one window, of a query at one time. */
  readonly stepMs: number
  /** 0 for an instant selector. */
  readonly rangeMs: number
}

export interface SelectHints {
  /** Inclusive; the caller has widened it by range, lookback and offset. */
  readonly minTimeMs: number
  /** Inclusive. */
  readonly maxTimeMs: number
  /** Step of the range query, 0 for an instant query. */
  readonly stepMs?: number
  /** The function applied to the range selector, if any: lets a store answer from summaries. */
  readonly functionName?: string | undefined
  /** Absent: samples are wanted as they were written. */
  readonly windows?: SelectWindows | undefined
  /** True when only the newest sample at or before `maxTimeMs` matters (instant selector at one time). */
  readonly newestOnly?: boolean | undefined
  /** Stop after this many series; 0 or absent = no limit. */
  readonly limit?: number
  /** How the caller groups the series; with the groups told it does not need the labels of each. */
  readonly grouping?: SeriesGrouping | undefined
  /**
   * A wider range of time, in whose order the series are wanted although only those with samples in the range come; its order
   * is told by `onOrder`.
   */
  readonly order?: SelectOrder | undefined
}

export interface SelectOrder {
  readonly minTimeMs: number
  readonly onOrder: (order: Float64Array) => void
}

/** A consistent view of the store, pinned until `close`. Synchronous: it runs in a query worker beside the data. */
export interface Querier {
  /** Series in no promised order. Matchers are ANDed. */
  select(matchers: readonly Matcher[], hints: SelectHints): Iterable<SeriesColumn>
  /** Label sets that match any of the lists and have a sample in the range; unique, in no promised order. */
  series(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): Labels[]
  /** Sorted (UTF-8 byte order). Without matchers, of all series. */
  labelNames(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): string[]
  /** Sorted (UTF-8 byte order). Without matchers, of all series. */
  labelValues(name: string, matcherSets: readonly (readonly Matcher[])[], range: TimeRange): string[]
  /**
   * The newest samples of the series that `select` gives with `newestOnly` and a grouping, without staleness markers; much cheaper
   * than series by series. Absent, or `undefined`, where the store cannot tell them so, or where there are histograms.
   */
  newestByGroup?(matchers: readonly Matcher[], hints: SelectHints): NewestByGroup | undefined
  /** For whoever keeps what was made of samples; absent where the store cannot tell. */
  readonly changes?: StoreChanges
  /** Where `select` has answered with summaries so far, or could not; absent where the store has none. */
  resolutions?(): readonly ResolutionUse[]
  close(): void
}

/** Summaries of one resolution that stand for samples that are gone. */
export interface ResolutionUse extends TimeRange {
  readonly resolutionMs: number
  /** False: too coarse for the windows asked for, so that nothing was found in that time. */
  readonly isUsed: boolean
}

/** Values in the order of `select`, and the group of each. The arrays are the store's, and hold until it is asked for more. */
export interface NewestByGroup {
  /** In order of their first series. */
  readonly groups: readonly SeriesGroup[]
  /** `length` valid entries each. */
  readonly values: Float64Array
  readonly groupIndexes: Uint32Array
  readonly length: number
}

/**
 * What has changed from one view of a store to the next, seen from the view at hand. Where samples are the same and the order
 * told by `SelectHints.order` is equal, the series that both views give come in the same order.
 */
export interface StoreChanges {
  /** Equal for views of equal content. Of one reader only. */
  readonly version: number
  /** Up to this time, inclusive, all samples are what they were in the view of that version; +∞ all, −∞ not known. */
  unchangedSince(version: number): number
}

export interface TimeRange {
  /** Inclusive. */
  readonly minTimeMs: number
  /** Inclusive. */
  readonly maxTimeMs: number
}

export interface Queryable {
  querier(range: TimeRange): Querier
}

/** Reading exemplars; on the thread that writes, since they are few. */
export interface ExemplarQueryable {
  /** Of series that match any of the lists, those whose time lies in the range, by series. */
  exemplars(matcherSets: readonly (readonly Matcher[])[], range: TimeRange): SeriesExemplars[]
}
