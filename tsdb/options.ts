import type { Clock, Logger, Registry } from '../lib/index.ts'
import type { Matcher } from '../model/index.ts'
import type { TierSetting } from './block/tier-plan.ts'

/** Series that match all go with the block they are in, once its newest sample is this much older than the newest in blocks. */
export interface RetentionRule {
  readonly matchers: readonly Matcher[]
  readonly retentionMs: number
}

/** What may change while the store is open. */
export interface TsdbSettings {
  /** Blocks are deleted once their newest sample is this much older than the newest sample in blocks. */
  readonly retentionMs: number
  /** Bytes of blocks, head chunks and log together; oldest blocks go first. 0 or absent = no limit. */
  readonly retentionBytes?: number
  /** Series that are kept for a shorter time than the others. */
  readonly retentionRules?: readonly RetentionRule[]
  /** Summaries that are made of the samples, to be kept for longer; finest first. */
  readonly tiers?: readonly TierSetting[]
  /** How far behind the newest sample of the head late samples of a series are taken; default 0: none. */
  readonly outOfOrderTimeWindowMs?: number
  /** Exemplars kept; default 100,000; 0 keeps none. */
  readonly exemplarsMax?: number
}

export interface TsdbOptions extends TsdbSettings {
  readonly dataDir: string
  /** Data folder of a Prometheus that runs no more, whose history is brought in while the store is open; see `storePlaceOf`. */
  readonly prometheusDir?: string
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** Address space reserved for the head; default and most: 4 GiB. */
  readonly headMemoryMaxBytes?: number
  /** How far ahead of the clock an `Appender` takes samples; default 10 minutes. */
  readonly futureMaxMs?: number
  /** How far behind the newest sample of the head an `Appender` takes samples; default half a block. */
  readonly pastMaxMs?: number
  /** Time covered by a block; default 2 hours. Blocks start at multiples of it. */
  readonly blockDurationMs?: number
  /** Log written since the last checkpoint that brings about the next one; default 32 MiB. */
  readonly checkpointLogBytes?: number
  /** Log segments are closed at this size; default 32 MiB. */
  readonly walSegmentBytesMax?: number
  /** Log that may wait in memory while the disk refuses writes; default 64 MiB. Beyond it rows are refused. */
  readonly walBacklogBytesMax?: number
}
