// The monitoring stack itself: is it collecting, storing, answering, and at what cost.
import type { Board } from '../model/board.ts'

/** Keeps to the process that holds the store, whatever its job is called. */
const SELF = 'and on (job, instance) prometheus_tsdb_head_series'

export const selfBoard: Board = {
  uid: 'self',
  title: 'Belltower',
  rows: [
    {
      id: 'collect-store',
      title: 'Collecting and storing',
      panels: [
        {
          id: 'ingest-rate',
          kind: 'lines',
          title: 'Samples stored',
          hint: 'Samples appended to the store per second.',
          unit: 'cps',
          span: 3,
          needs: ['prometheus_tsdb_head_samples_appended_total'],
          min: 0,
          fill: true,
          queries: [
            {
              expr: 'sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))',
              legend: 'samples',
              color: 0,
            },
          ],
        },
        {
          id: 'scrape-duration',
          kind: 'lines',
          title: 'Scrape duration',
          hint: 'The slowest target of each job.',
          unit: 's',
          span: 3,
          needs: ['scrape_duration_seconds'],
          min: 0,
          queries: [{ expr: 'max by (job) (scrape_duration_seconds)', legend: '{{job}}' }],
        },
        {
          id: 'head-series',
          kind: 'lines',
          title: 'Active series',
          hint: 'Series in the open part of the store. Steady growth means labels that never repeat.',
          unit: 'short',
          span: 3,
          needs: ['prometheus_tsdb_head_series'],
          fill: true,
          queries: [{ expr: 'sum(prometheus_tsdb_head_series)', legend: 'series', color: 2 }],
        },
        {
          id: 'scrape-samples',
          kind: 'lines',
          title: 'Samples per scrape',
          hint: 'How much each job exposes.',
          unit: 'short',
          span: 3,
          needs: ['scrape_samples_post_metric_relabeling'],
          min: 0,
          stack: true,
          fill: true,
          queries: [{ expr: 'sum by (job) (scrape_samples_post_metric_relabeling)', legend: '{{job}}' }],
        },
      ],
    },
    {
      id: 'query-process',
      title: 'Answering and cost',
      panels: [
        {
          id: 'query-duration',
          kind: 'lines',
          title: 'Query duration, p90',
          hint: 'By phase of the evaluation.',
          unit: 's',
          span: 3,
          needs: ['prometheus_engine_query_duration_seconds'],
          min: 0,
          queries: [
            { expr: 'max by (slice) (prometheus_engine_query_duration_seconds{quantile="0.9"})', legend: '{{slice}}' },
          ],
        },
        {
          id: 'http-requests',
          kind: 'lines',
          title: 'API requests',
          unit: 'reqps',
          span: 3,
          needs: ['prometheus_http_requests_total'],
          min: 0,
          queries: [
            {
              expr: 'topk(5, sum by (handler) (rate(prometheus_http_requests_total[$__rate_interval])) > 0)',
              legend: '{{handler}}',
            },
          ],
        },
        {
          id: 'process-cpu',
          kind: 'lines',
          title: 'Process CPU',
          hint: 'In cores.',
          unit: 'percentunit',
          span: 3,
          needs: ['process_cpu_seconds_total'],
          min: 0,
          fill: true,
          queries: [
            {
              expr: `rate(process_cpu_seconds_total[$__rate_interval]) ${SELF}`,
              legend: 'CPU of one core',
              color: 1,
            },
          ],
        },
        {
          id: 'process-memory',
          kind: 'lines',
          title: 'Process memory',
          unit: 'bytes',
          span: 3,
          needs: ['process_resident_memory_bytes'],
          min: 0,
          fill: true,
          queries: [
            { expr: `process_resident_memory_bytes ${SELF}`, legend: 'resident', color: 5 },
            { expr: `nodejs_heap_size_used_bytes ${SELF}`, legend: 'JavaScript heap', color: 2 },
          ],
        },
        {
          id: 'event-loop-lag',
          kind: 'lines',
          title: 'Event-loop lag',
          hint: 'How late timers fire. Worry above 50 ms.',
          unit: 's',
          span: 3,
          needs: ['nodejs_eventloop_lag_p99_seconds'],
          min: 0,
          thresholds: { warn: 0.05, crit: 0.2 },
          queries: [
            { expr: `nodejs_eventloop_lag_p99_seconds ${SELF}`, legend: 'p99', color: 1 },
            { expr: `nodejs_eventloop_lag_p50_seconds ${SELF}`, legend: 'p50', color: 0 },
          ],
        },
        {
          id: 'storage-bytes',
          kind: 'lines',
          title: 'Storage',
          unit: 'bytes',
          span: 3,
          needs: ['prometheus_tsdb_storage_blocks_bytes', 'prometheus_tsdb_wal_storage_size_bytes'],
          min: 0,
          stack: true,
          fill: true,
          queries: [
            { expr: 'sum(prometheus_tsdb_storage_blocks_bytes)', legend: 'blocks', color: 2 },
            { expr: 'sum(prometheus_tsdb_wal_storage_size_bytes)', legend: 'write-ahead log', color: 1 },
          ],
        },
        {
          id: 'rule-duration',
          kind: 'lines',
          title: 'Rule evaluation',
          hint: 'The slowest group; it must stay below its interval.',
          unit: 's',
          span: 3,
          needs: ['prometheus_rule_group_last_duration_seconds'],
          min: 0,
          queries: [
            {
              expr: 'topk(5, max by (group) (label_replace(prometheus_rule_group_last_duration_seconds, "group", "$1", "rule_group", ".*;(.*)")))',
              legend: '{{group}}',
            },
          ],
        },
      ],
    },
  ],
}
