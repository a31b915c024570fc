// Pushed groups: are they fresh, do they arrive whole, and what does taking them cost. `$job` = matchers of the Pushgateway.
import type { Board } from '../model/board.ts'
import { lines, stat } from './panel-kit.ts'

/** Groups that were refused from the first push on have no age. */
const AGE = 'time() - max by (job) (push_time_seconds > 0)'

export const pushBoard: Board = {
  uid: 'push',
  title: 'Push groups',
  rows: [
    {
      id: 'push-now',
      title: 'Now',
      panels: [
        stat('push-groups', 'Groups', 'none', 'sum(pushgateway_groups) or count(push_time_seconds)', {
          needs: ['push_time_seconds'],
        }),
        stat('push-overdue', 'Overdue', 'none', 'sum(pushgateway_overdue_groups)', {
          needs: ['pushgateway_overdue_groups'],
          thresholds: { warn: 1 },
        }),
        stat('push-oldest', 'Oldest push', 's', 'time() - min(push_time_seconds > 0)', {
          needs: ['push_time_seconds'],
          thresholds: { warn: 86_400 },
        }),
        stat(
          'push-failing',
          'Last push failed',
          'none',
          'count(push_failure_time_seconds > push_time_seconds) or vector(0)',
          { needs: ['push_failure_time_seconds'], thresholds: { crit: 1 } },
        ),
        stat('push-rate', 'Requests', 'reqps', 'sum(rate(pushgateway_http_requests_total[$__rate_interval]))', {
          needs: ['pushgateway_http_requests_total'],
        }),
        stat('push-series', 'Metrics held', 'none', 'sum(pushgateway_metrics)', { needs: ['pushgateway_metrics'] }),
      ],
    },
    {
      id: 'push-course',
      title: 'Over time',
      panels: [
        lines('push-age', 'Age of the newest push', 's', [{ expr: AGE, legend: '{{job}}' }], {
          hint: 'A saw-tooth is a job that comes back; a line that keeps rising is one that does not.',
          needs: ['push_time_seconds'],
        }),
        lines(
          'push-requests',
          'Requests by answer',
          'reqps',
          [
            {
              expr: 'sum by (code) (rate(pushgateway_http_requests_total[$__rate_interval]))',
              legend: '{{code}}',
            },
          ],
          { needs: ['pushgateway_http_requests_total'], stack: true, fill: true },
        ),
        lines(
          'push-duration',
          'Duration of a push',
          's',
          [
            {
              expr: 'sum(rate(pushgateway_http_push_duration_seconds_sum[$__rate_interval])) / sum(rate(pushgateway_http_push_duration_seconds_count[$__rate_interval]))',
              legend: 'mean',
              color: 0,
            },
          ],
          { needs: ['pushgateway_http_push_duration_seconds_count'] },
        ),
        {
          id: 'push-table',
          kind: 'table',
          title: 'Groups by age',
          unit: 's',
          span: 12,
          needs: ['push_time_seconds'],
          by: ['job'],
          queries: [{ expr: AGE }, { expr: 'changes(max by (job) (push_time_seconds)[$__range:])' }],
          columns: [
            { title: 'Age', unit: 's', thresholds: { warn: 86_400 } },
            { title: 'Pushes in the range', unit: 'none' },
          ],
        },
      ],
    },
  ],
}
