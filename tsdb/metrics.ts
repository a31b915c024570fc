import type { Registry } from '../lib/index.ts'
import { Counter, counterOf, gaugeOf, Histogram } from '../lib/metrics.ts'
import type { BlockList } from './block/block-list.ts'
import type { ExemplarStore } from './exemplars/exemplar-store.ts'
import type { Head, TypeCounts } from './head/head.ts'
import type { Compactor } from './maintenance/compactor.ts'
import type { Maintenance } from './maintenance/maintenance.ts'
import type { TsdbSettings } from './options.ts'
import type { WalLog } from './wal/wal-log.ts'
import type { WalWriter } from './wal/wal-writer.ts'

/** Plain fields that the metrics copy when they are scraped. */
export interface TsdbMetricSource {
  readonly settings: TsdbSettings
  readonly head: Head
  readonly blockList: BlockList
  readonly maintenance: Maintenance
  readonly compactor: Compactor
  readonly log: WalLog
  readonly writer: WalWriter
  readonly exemplarStore: ExemplarStore
  readonly walCorruptions: number
  readonly replaySeconds: number
  readonly chunkCount: number
}

/**
 * Registers the store's metrics under the names Prometheus gives them.
 *
 * @returns what is told the seconds of each sync of the log
 */
export function registerTsdbMetrics(registry: Registry, store: TsdbMetricSource): (seconds: number) => void {
  const { head, blockList, maintenance, compactor } = store
  const counter = (name: string, help: string, read: () => number): void =>
    counterOf(registry, `prometheus_tsdb_${name}`, help, read)
  const gauge = (name: string, help: string, read: () => number): void =>
    gaugeOf(registry, `prometheus_tsdb_${name}`, help, read)
  const orZero = (value: number): number => (Number.isFinite(value) ? value : 0)

  gauge('head_series', 'Series in the head.', () => head.seriesCount)
  gauge('head_chunks', 'Chunks in the head, open rows included.', () => store.chunkCount)
  const counterByType = (name: string, help: string, read: () => TypeCounts): void =>
    counterOfTypes(registry, `prometheus_tsdb_${name}`, help, read)
  counterByType('head_samples_appended_total', 'Samples appended.', () => ({
    float: head.samplesAppended,
    histogram: head.histogramsAppended,
  }))
  counter('head_series_created_total', 'Series created in the head.', () => head.seriesCreated)
  counter('head_series_removed_total', 'Series removed from the head.', () => head.seriesRemoved)
  gauge('head_min_time', 'Oldest sample of the head, Unix milliseconds.', () => orZero(head.timeRange().minMs))
  gauge('head_max_time', 'Newest sample of the head, Unix milliseconds.', () => orZero(head.timeRange().maxMs))
  gauge('symbol_table_size_bytes', 'Bytes of label names and values in the head.', () => head.catalogue.symbolBytes)
  counterByType(
    'out_of_order_samples_total',
    'Samples refused as older than their series.',
    () => head.outOfOrderSamples,
  )
  counterByType('out_of_bound_samples_total', 'Samples refused as too old or too new.', () => head.outOfBoundsSamples)
  counterByType('too_old_samples_total', 'Samples refused as behind the out-of-order window.', () => head.tooOldSamples)
  counter(
    'head_out_of_order_samples_appended_total',
    'Samples appended behind newer ones of their series.',
    () => head.lateSamplesAppended,
  )
  gauge(
    'out_of_order_time_window_seconds',
    'How far behind the newest sample late samples are taken.',
    () => head.outOfOrderWindowMs / 1000,
  )
  gauge('blocks_loaded', 'Blocks in use.', () => blockList.metas.length)
  gauge('storage_blocks_bytes', 'Bytes of all blocks.', () => blockList.sizeBytes)
  gauge('lowest_timestamp', 'Oldest sample of the store, Unix milliseconds.', () =>
    orZero(blockList.metas[0]?.minTime ?? head.timeRange().minMs),
  )
  counter('time_retentions_total', 'Blocks deleted by age.', () => blockList.retiredByTime)
  counter('size_retentions_total', 'Blocks deleted by size.', () => blockList.retiredBySize)
  gauge('retention_limit_seconds', 'Time samples are kept.', () => store.settings.retentionMs / 1000)
  gauge('retention_limit_bytes', 'Bytes that are kept, 0 for no limit.', () => store.settings.retentionBytes ?? 0)
  counter('compactions_total', 'Blocks built or merged.', () => maintenance.counts.compactions + compactor.merges)
  counter(
    'compactions_failed_total',
    'Blocks that could not be built.',
    () => maintenance.counts.compactionsFailed + compactor.mergesFailed,
  )
  counter('checkpoint_creations_total', 'Checkpoints written.', () => maintenance.counts.checkpoints)
  counter('checkpoint_creations_failed_total', 'Checkpoints failed.', () => maintenance.counts.checkpointsFailed)
  gauge('wal_segment_current', 'Log segment that is written.', () => store.writer.segment)
  gauge('wal_storage_size_bytes', 'Bytes of the log on disk.', () => store.log.sizeBytes())
  counter('wal_writes_failed_total', 'Failed writes and syncs of the log.', () => store.writer.failedWrites)
  counter('wal_corruptions_total', 'Damaged places found at start.', () => store.walCorruptions + blockList.setAside)
  gauge('data_replay_duration_seconds', 'Time the start took to bring back the head.', () => store.replaySeconds)
  gaugeOf(registry, 'belltower_tsdb_read_only', '1 while the log cannot be written.', () =>
    store.writer.failure === undefined ? 0 : 1,
  )
  gaugeOf(registry, 'belltower_tsdb_head_memory_bytes', 'Head memory in use.', () => head.memory.usedBytes)
  registerExemplarMetrics(registry, store.exemplarStore)
  const sync = new Histogram({
    name: 'prometheus_tsdb_wal_fsync_duration_seconds',
    help: 'Duration of syncs of the log.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers: [registry],
  })
  return (seconds) => sync.observe(seconds)
}

/** A counter for floats and one for histograms. */
function counterOfTypes(registry: Registry, name: string, help: string, read: () => TypeCounts): void {
  new Counter({
    name,
    help,
    labelNames: ['type'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [type, count] of Object.entries(read())) this.inc({ type }, count)
    },
  })
}

function registerExemplarMetrics(registry: Registry, store: ExemplarStore): void {
  const { ring } = store
  const counter = (name: string, help: string, read: () => number): void =>
    counterOf(registry, `prometheus_tsdb_exemplar_${name}`, help, read)
  const gauge = (name: string, help: string, read: () => number): void =>
    gaugeOf(registry, `prometheus_tsdb_exemplar_${name}`, help, read)
  counter('exemplars_appended_total', 'Exemplars appended.', () => store.appended)
  counter('out_of_order_exemplars_total', 'Exemplars refused as older than their series.', () => store.outOfOrder)
  gauge('exemplars_in_storage', 'Exemplars kept.', () => ring.count)
  gauge('series_with_exemplars_in_storage', 'Series of which exemplars are kept.', () => ring.seriesCount)
  gauge('last_exemplars_timestamp_seconds', 'Time of the oldest exemplar kept.', () => ring.oldestMs / 1000)
  gauge('max_exemplars', 'Exemplars that are kept at most.', () => ring.capacity)
}
