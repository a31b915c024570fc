import { formatFloatGeneral } from '../model/index.ts'
import { isHistogram, labelPairs, type PushedFamily, type PushedMetric, type PushedType } from './family.ts'
import { PUSH_FAILURE_TIME, PUSH_TIME } from './exposed-labels.ts'
import type { Group } from './group.ts'
import type { Pushgateway } from './pushgateway.ts'
import { readFamily } from './stored-family.ts'

/** `/api/v1/metrics` as JSON text in parts: one object a group, its families beside `labels` under their own names. */
export function* metricsDocument(gateway: Pushgateway): Generator<string> {
  yield '{"status":"success","data":['
  let separator = ''
  // A copy: the list changes while the answer is written.
  for (const group of gateway.groups().slice()) {
    yield separator + JSON.stringify(groupDocument(group))
    separator = ','
  }
  yield ']}'
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
  const stored = [
    ...[...group.families.values()].map((family) => ({ family: readFamily(family), pushedAtMs: family.pushedAtMs })),
    { family: timeFamily(group, PUSH_TIME, group.pushTimeMs), pushedAtMs: group.pushTimeMs },
    {
      family: timeFamily(group, PUSH_FAILURE_TIME, group.pushFailureTimeMs),
      pushedAtMs: group.pushFailureTimeMs || group.pushTimeMs,
    },
  ]
  for (const { family, pushedAtMs } of stored)
    document[family.name] = {
      time_stamp: new Date(pushedAtMs).toISOString(),
      type: family.type === 'gaugehistogram' ? 'GAUGE_HISTOGRAM' : family.type.toUpperCase(),
      ...(family.help === '' ? {} : { help: family.help }),
      metrics: family.metrics.map((metric) => metricDocument(metric, family.type)),
    }
  return document
}

const timeFamily = ({ exposed }: Group, name: string, timeMs: number): PushedFamily => ({
  name,
  type: 'gauge',
  help: `When changing this group last ${name === PUSH_TIME ? 'succeeded' : 'failed'}, in Unix seconds.`,
  metrics: [{ labels: exposed, value: timeMs / 1000 }],
})

function metricDocument(metric: PushedMetric, type: PushedType): Record<string, unknown> {
  const labels = Object.fromEntries(labelPairs(metric.labels))
  if ('value' in metric) return { labels, value: formatFloatGeneral(metric.value) }
  const points = Object.fromEntries(metric.points.map(([at, v]) => [formatFloatGeneral(at), formatFloatGeneral(v)]))
  return {
    labels,
    [isHistogram(type) ? 'buckets' : 'quantiles']: points,
    count: String(metric.count),
    sum: formatFloatGeneral(metric.sum),
  }
}
