// Probes from outside, as the blackbox exporter's metrics tell them. `$job` = matchers of the job.
import type { Board } from '../model/board.ts'
import { lines, stat } from './panel-kit.ts'

export const probesBoard: Board = {
  uid: 'probes',
  title: 'Probes',
  rows: [
    {
      id: 'probe-now',
      title: 'Now',
      panels: [
        stat('probe-up', 'Answering', 'none', 'sum(probe_success{$job})', { needs: ['probe_success'] }),
        stat('probe-down', 'Not answering', 'none', 'count(probe_success{$job} == 0) or vector(0)', {
          needs: ['probe_success'],
          thresholds: { crit: 1 },
        }),
        stat('probe-slowest', 'Slowest', 's', 'max(probe_duration_seconds{$job})', {
          needs: ['probe_duration_seconds'],
          thresholds: { warn: 1, crit: 5 },
        }),
        stat(
          'probe-certificate',
          'First certificate expires in',
          'dtdurations',
          'min(probe_ssl_earliest_cert_expiry{$job}) - time()',
          { needs: ['probe_ssl_earliest_cert_expiry'], span: 3 },
        ),
      ],
    },
    {
      id: 'probe-course',
      title: 'Over time',
      panels: [
        lines(
          'probe-success',
          'Share of probes that succeed',
          'percentunit',
          [{ expr: 'avg_over_time(probe_success{$job}[$__rate_interval])', legend: '{{instance}}' }],
          { needs: ['probe_success'], max: 1 },
        ),
        lines('probe-duration', 'Duration', 's', [{ expr: 'probe_duration_seconds{$job}', legend: '{{instance}}' }], {
          needs: ['probe_duration_seconds'],
        }),
        lines(
          'probe-phases',
          'Duration by phase',
          's',
          [
            { expr: 'avg by (phase) (probe_http_duration_seconds{$job})', legend: '{{phase}}' },
            { expr: 'avg by (phase) (probe_icmp_duration_seconds{$job})', legend: '{{phase}}' },
          ],
          { needs: ['probe_http_duration_seconds', 'probe_icmp_duration_seconds'], stack: true, fill: true },
        ),
        {
          id: 'probe-table',
          kind: 'table',
          title: 'Every target, slowest first',
          unit: 's',
          span: 12,
          needs: ['probe_success'],
          by: ['instance'],
          queries: [
            { expr: 'probe_duration_seconds{$job}' },
            { expr: 'avg_over_time(probe_success{$job}[$__range])' },
            { expr: 'probe_http_status_code{$job}' },
            { expr: 'probe_ssl_earliest_cert_expiry{$job} - time()' },
          ],
          columns: [
            { title: 'Duration', unit: 's', thresholds: { warn: 1, crit: 5 } },
            { title: 'Answered', unit: 'percentunit' },
            { title: 'Status', unit: 'none' },
            { title: 'Certificate', unit: 'dtdurations' },
          ],
        },
      ],
    },
  ],
}
