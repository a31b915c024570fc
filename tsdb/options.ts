import type { Clock, Logger, Registry } from '../lib/index.ts'

export interface TsdbOptions {
  readonly dataDir: string
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  /** Blocks are deleted once their newest sample is this much older than the newest sample in blocks. */
  readonly retentionMs: number
  /** Bytes of blocks, head chunks and log together; oldest blocks go first. 0 or absent = no limit. */
  readonly retentionBytes?: number
  /** Address space reserved for the head; default and most: 4 GiB. */
  readonly headMemoryMaxBytes?: number
  /** How far ahead of the clock an `Appender` takes samples; default 10 minutes. */
  readonly futureMaxMs?: number
  /** Time covered by a block; default 2 hours. Blocks start at multiples of it. */
  readonly blockDurationMs?: number
  /** Log written since the last checkpoint that brings about the next one; default 32 MiB. */
  readonly checkpointLogBytes?: number
  /** Log segments are closed at this size; default 32 MiB. */
  readonly walSegmentBytesMax?: number
}
