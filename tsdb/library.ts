// The store as a library, `belltower/tsdb`: with what goes in and comes out of it, and without the server. See docs/library.md.
import { type Clock, type Logger, systemClock } from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { openReader, type TsdbReader } from './read/reader.ts'
import { openTsdb, type Tsdb } from './tsdb.ts'
import type { TsdbOptions } from './options.ts'

export * from './index.ts'
export {
  type Appender,
  type BucketSpan,
  CounterResetHint,
  createMatcher,
  type GroupWriter,
  type Labels,
  labelsFromRecord,
  labelsText,
  labelsToRecord,
  type Matcher,
  type MatchType,
  type NativeHistogram,
  type Querier,
  type SelectHints,
  type SeriesColumn,
  type SeriesRef,
  type TimeRange,
} from '../model/index.ts'

/** As `TsdbOptions`; without a clock, a logger or a registry there is the system's clock, and silence. */
export type StoreOptions = Omit<TsdbOptions, 'clock' | 'logger' | 'registry' | 'retentionMs'> & {
  /** Default: samples are kept for ever. */
  readonly retentionMs?: number
  readonly clock?: Clock
  readonly logger?: Logger
  readonly registry?: Registry
}

export interface Store {
  /** Writing, deleting, snapshots: for the thread that opened it. */
  readonly tsdb: Tsdb
  /** Reading in this thread; `tsdb.attachReader` is for others. */
  readonly reader: TsdbReader
  /** Resolves when everything accepted is on disk. Queries must be over. */
  close(): Promise<void>
}

/**
 * Opens the store in a folder, which is made if missing.
 *
 * @throws {DataFolderLockedError} when another process has it open
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const tsdb = await openTsdb({
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    retentionMs: Number.MAX_SAFE_INTEGER,
    ...options,
  })
  const { handle, detach } = tsdb.attachReader()
  const reader = openReader(handle)
  return {
    tsdb,
    reader,
    close: () => {
      reader.close()
      detach()
      return tsdb.close()
    },
  }
}
