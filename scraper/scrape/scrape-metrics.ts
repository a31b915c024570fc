import type { Clock, Registry } from '../../lib/index.ts'
import { Counter, Gauge, Summary } from '../../lib/metrics.ts'
import { createDiscoveryMetrics } from '../discovery/discovery-metrics.ts'
import { IntervalLengths } from './interval-lengths.ts'

/** What the scraper says about itself, under the reference's names. */
export type ScrapeMetrics = ReturnType<typeof createScrapeMetrics>

export function createScrapeMetrics(registry: Registry, clock: Clock) {
  const registers = [registry]
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers })
  const percentiles = [0.01, 0.05, 0.5, 0.9, 0.99]
  return {
    discovery: createDiscoveryMetrics(registry),
    intervalLengths: new IntervalLengths(registry, clock),
    syncLength: new Summary({
      name: 'prometheus_target_sync_length_seconds',
      help: 'Actual interval to sync the scrape pool.',
      labelNames: ['scrape_job'],
      percentiles,
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers,
    }),
    poolTargets: new Gauge({
      name: 'prometheus_target_scrape_pool_targets',
      help: 'Current number of targets in this scrape pool.',
      labelNames: ['scrape_job'],
      registers,
    }),
    poolTargetLimit: new Gauge({
      name: 'prometheus_target_scrape_pool_target_limit',
      help: 'Maximum number of targets allowed in this scrape pool.',
      labelNames: ['scrape_job'],
      registers,
    }),
    poolSyncs: new Counter({
      name: 'prometheus_target_scrape_pool_sync_total',
      help: 'Total number of syncs that were executed on a scrape pool.',
      labelNames: ['scrape_job'],
      registers,
    }),
    syncFailed: new Counter({
      name: 'prometheus_target_sync_failed_total',
      help: 'Total number of target sync failures.',
      labelNames: ['scrape_job'],
      registers,
    }),
    metadataEntries: new Gauge({
      name: 'prometheus_target_metadata_cache_entries',
      help: 'Total number of metric metadata entries in the cache.',
      labelNames: ['scrape_job'],
      registers,
    }),
    pools: counter('prometheus_target_scrape_pools_total', 'Total number of scrape pool creation attempts.'),
    poolReloads: counter('prometheus_target_scrape_pool_reloads_total', 'Total number of scrape pool reloads.'),
    exceededTargetLimit: counter(
      'prometheus_target_scrape_pool_exceeded_target_limit_total',
      'Total number of times scrape pools hit the target limit, during sync or config reload.',
    ),
    exceededLabelLimits: counter(
      'prometheus_target_scrape_pool_exceeded_label_limits_total',
      'Total number of times scrape pools hit the label limits, during sync or config reload.',
    ),
    exceededSampleLimit: counter(
      'prometheus_target_scrapes_exceeded_sample_limit_total',
      'Total number of scrapes that hit the sample limit and were rejected.',
    ),
    exceededBodySizeLimit: counter(
      'prometheus_target_scrapes_exceeded_body_size_limit_total',
      'Total number of scrapes that hit the body size limit.',
    ),
    outOfOrder: counter(
      'prometheus_target_scrapes_sample_out_of_order_total',
      'Total number of samples rejected due to not being out of the expected order.',
    ),
    duplicateTimestamp: counter(
      'prometheus_target_scrapes_sample_duplicate_timestamp_total',
      'Total number of samples rejected due to duplicate timestamps but different values.',
    ),
    outOfBounds: counter(
      'prometheus_target_scrapes_sample_out_of_bounds_total',
      'Total number of samples rejected due to timestamp falling outside of the time bounds.',
    ),
  }
}
