import type { Appendable, Appender, ExemplarQueryable, GroupAppendable, Matcher, TimeRange } from '../model/index.ts'
import type { BlockMeta } from './block/meta.ts'
import type { TsdbSettings } from './options.ts'
import type { ReaderHandle } from './read/reader.ts'

export interface TsdbStats {
  readonly numSeries: number
  /** Label sets in use are built from this many distinct strings. */
  readonly numLabelPairs: number
  readonly chunkCount: number
  /** Of the head, in Unix milliseconds; NaN while it is empty. */
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** Damaged places found in the log at start. */
  readonly walCorruptions: number
}

/** The store. One process at a time; writing is for the thread that opened it, reading for any thread with a reader. */
export interface Tsdb extends GroupAppendable, Appendable, ExemplarQueryable {
  /** Appenders of one stream must be used by one caller; streams do not check each other's order. */
  appender(options?: { readonly stream?: string }): Appender
  /** What a thread needs to read (`openReader`). `detach` when it is gone; queries of it must be over. */
  attachReader(): { readonly handle: ReaderHandle; detach(): void }
  stats(): TsdbStats
  /** Oldest first. */
  blocks(): readonly BlockMeta[]
  /** Log segments: the oldest kept, the newest, and how far a replay has come. */
  walStatus(): { readonly min: number; readonly max: number; readonly current: number }
  /** Applies a new configuration; what it does not name is at its default from now on. */
  configure(settings: TsdbSettings): void
  /** Seals, builds blocks, cuts the log and applies retention, as far as it is due. It happens by itself, too. */
  maintain(): Promise<void>
  /**
   * Hides the samples of matching series in a range (inclusive), as far as they were stored before; resolves when that is on
   * disk. Room is made when their blocks are merged, or by `cleanTombstones`.
   */
  deleteSeries(matchers: readonly Matcher[], range: TimeRange): Promise<void>
  /** Rewrites the blocks that hold hidden samples. Those of the head go when it becomes a block. */
  cleanTombstones(): Promise<void>
  /**
   * Puts a copy of the store that does not change any more into `snapshots` of the data folder: a data folder itself.
   *
   * @param options `skipHead`: only blocks
   * @returns its name there
   */
  snapshot(options?: { readonly skipHead?: boolean }): Promise<string>
  /** Resolves when everything accepted is on disk; nothing is taken from the call on. */
  close(): Promise<void>
}
