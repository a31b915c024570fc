// Alerts over time, the rules behind them, and what is sent about them.
import type { Board } from '../model/board.ts'
import { lines, stat } from './panel-kit.ts'

/** A group is named after its file, which is long. */
const GROUP_DURATION =
  'topk(10, label_replace(prometheus_rule_group_last_duration_seconds, "group", "$1", "rule_group", ".*;(.*)"))'

export const alertsBoard: Board = {
  uid: 'alerts',
  title: 'Alerts and notifications',
  rows: [
    {
      id: 'alerts-now',
      title: 'Now',
      panels: [
        stat('alerts-firing', 'Firing', 'none', 'count(ALERTS{alertstate="firing"}) or vector(0)', {
          thresholds: { crit: 1 },
        }),
        stat('alerts-pending', 'Pending', 'none', 'count(ALERTS{alertstate="pending"}) or vector(0)', {
          thresholds: { warn: 1 },
        }),
        stat('alerts-silences', 'Silences', 'none', 'sum(alertmanager_silences{state="active"})', {
          needs: ['alertmanager_silences'],
        }),
        stat('alerts-sent', 'Sent', 'none', 'round(sum(increase(alertmanager_notifications_total[$__range])))', {
          needs: ['alertmanager_notifications_total'],
          hint: 'Notifications in the range shown.',
        }),
        stat(
          'alerts-failed',
          'Failed',
          'none',
          'round(sum(increase(alertmanager_notifications_failed_total[$__range])))',
          {
            needs: ['alertmanager_notifications_failed_total'],
            thresholds: { crit: 1 },
          },
        ),
        stat('alerts-faults', 'Rules failing', 'cps', 'sum(rate(prometheus_rule_evaluation_failures_total[5m]))', {
          needs: ['prometheus_rule_evaluation_failures_total'],
          thresholds: { crit: 0.0001 },
        }),
      ],
    },
    {
      id: 'alerts-course',
      title: 'Over time',
      panels: [
        lines(
          'alerts-by-name',
          'Firing by alert',
          'none',
          [{ expr: 'count by (alertname) (ALERTS{alertstate="firing"})', legend: '{{alertname}}' }],
          { needs: ['ALERTS'], stack: true, fill: true, span: 6 },
        ),
        lines(
          'alerts-notifications',
          'Notifications by integration',
          'cps',
          [
            {
              expr: 'sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval]))',
              legend: '{{integration}}',
            },
            {
              expr: 'sum(rate(alertmanager_notifications_failed_total[$__rate_interval]))',
              legend: 'failed',
              color: 'crit',
            },
          ],
          { needs: ['alertmanager_notifications_total'], span: 6 },
        ),
        lines(
          'alerts-latency',
          'Delivery p99 by integration',
          's',
          [
            {
              expr: 'histogram_quantile(0.99, sum by (le, integration) (rate(alertmanager_notification_latency_seconds_bucket[$__rate_interval])))',
              legend: '{{integration}}',
            },
          ],
          { needs: ['alertmanager_notification_latency_seconds_bucket'] },
        ),
        lines(
          'alerts-evaluation',
          'Rule groups: time of an evaluation',
          's',
          [{ expr: GROUP_DURATION, legend: '{{group}}' }],
          { needs: ['prometheus_rule_group_last_duration_seconds'] },
        ),
        lines(
          'alerts-missed',
          'Evaluations missed or failed',
          'cps',
          [
            {
              expr: 'sum(rate(prometheus_rule_group_iterations_missed_total[$__rate_interval]))',
              legend: 'missed',
              color: 'warn',
            },
            {
              expr: 'sum(rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))',
              legend: 'failed',
              color: 'crit',
            },
          ],
          { needs: ['prometheus_rule_group_iterations_missed_total', 'prometheus_rule_evaluation_failures_total'] },
        ),
        {
          id: 'alerts-noisy',
          kind: 'table',
          title: 'Noisiest alerts in the range',
          unit: 's',
          span: 12,
          needs: ['ALERTS'],
          by: ['alertname', 'severity'],
          queries: [
            {
              expr: 'sum by (alertname, severity) (count_over_time(ALERTS{alertstate="firing"}[$__range:1m])) * 60',
            },
            { expr: 'count by (alertname, severity) (count_over_time(ALERTS{alertstate="firing"}[$__range]))' },
          ],
          columns: [
            { title: 'Time firing', unit: 's' },
            { title: 'Different alerts', unit: 'none' },
          ],
        },
      ],
    },
  ],
}
