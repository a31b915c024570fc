import { formatFloatGeneral } from '../model/index.ts'
import type { PushedLabels, PushedMetric, PushedType } from './family.ts'
import { type Group, timeFamilies } from './group-store.ts'
import type { Pushgateway } from './pushgateway.ts'

/** `/api/v1/metrics`: one object a group, its families beside `labels` under their own names. */
export function metricsDocument(gateway: Pushgateway): unknown {
  return { status: 'success', data: gateway.groups().map(groupDocument) }
}

/** `/api/v1/status` */
export function statusDocument(gateway: Pushgateway): unknown {
  return {
    status: 'success',
    data: {
      build_information: {
        branch: '',
        buildDate: '',
        buildUser: '',
        goVersion: '',
        revision: '',
        version: gateway.version,
      },
      flags: gateway.flags,
      start_time: new Date(gateway.startedAtMs).toISOString(),
    },
  }
}

function groupDocument(group: Group): Record<string, unknown> {
  const document: Record<string, unknown> = {
    labels: group.labels,
    last_push_successful: group.pushTimeMs >= group.pushFailureTimeMs,
  }
  const [pushTime, failureTime] = timeFamilies(group)
  const stored = [
    ...group.families.values(),
    { family: pushTime, pushedAtMs: group.pushTimeMs },
    { family: failureTime, pushedAtMs: group.pushFailureTimeMs || group.pushTimeMs },
  ]
  for (const { family, pushedAtMs } of stored)
    document[family.name] = {
      time_stamp: new Date(pushedAtMs).toISOString(),
      type: family.type.toUpperCase(),
      ...(family.help === '' ? {} : { help: family.help }),
      metrics: family.metrics.map((metric) => metricDocument(metric, family.type)),
    }
  return document
}

function metricDocument(metric: PushedMetric, type: PushedType): Record<string, unknown> {
  const labels = labelsRecord(metric.labels)
  if ('value' in metric) return { labels, value: formatFloatGeneral(metric.value) }
  const points = Object.fromEntries(metric.points.map(([at, v]) => [formatFloatGeneral(at), formatFloatGeneral(v)]))
  return {
    labels,
    [type === 'histogram' ? 'buckets' : 'quantiles']: points,
    count: String(metric.count),
    sum: formatFloatGeneral(metric.sum),
  }
}

function labelsRecord(labels: PushedLabels): Record<string, string> {
  const record: Record<string, string> = {}
  for (let i = 0; i < labels.length; i += 2) record[labels[i]!] = labels[i + 1]!
  return record
}
