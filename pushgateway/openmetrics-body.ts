import {
  compareStrings,
  type ExpositionSample,
  type Labels,
  labelsKey,
  labelValue,
  METRIC_NAME,
  type MetricFamily,
  type MetricType,
  readExposition,
} from '../model/index.ts'

import type { ParsedPush } from './text-parser.ts'
import type { PushedFamily, PushedLabels, PushedMetric, PushedType } from './family.ts'

/**
 * Reads a body in OpenMetrics text. What the text format has no type for becomes what scrapers make of it: an info metric or
 * a state set is a gauge of its sample's name.
 *
 * @throws {ExpositionError}
 */
export function parseOpenMetrics(body: Uint8Array): ParsedPush {
  const read = readExposition(body, 'openmetrics').filter(({ samples }) => samples.length > 0)
  return {
    families: read.map(familyOf),
    hasTimestamps: read.some(({ samples }) => samples.some(({ timestampMs }) => timestampMs !== undefined)),
  }
}

const TYPES: Readonly<Record<MetricType, PushedType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  gaugehistogram: 'gaugehistogram',
  summary: 'summary',
  info: 'gauge',
  stateset: 'gauge',
  unknown: 'untyped',
}

function familyOf(family: MetricFamily): PushedFamily {
  const type = TYPES[family.type]
  const isDistribution = type === 'histogram' || type === 'gaugehistogram' || type === 'summary'
  return {
    name: exposedName(family),
    type,
    help: family.help,
    metrics: isDistribution ? distributions(family) : numbers(family),
  }
}

function exposedName({ name, type }: MetricFamily): string {
  if (type === 'counter') return `${name}_total`
  return type === 'info' ? `${name}_info` : name
}

interface Draft {
  readonly labels: PushedLabels
  value?: number
  sum: number
  count: number
  createdMs?: number
  exemplar?: NonNullable<ExpositionSample['exemplar']>
  readonly points: (readonly [number, number])[]
  readonly bucketExemplars: ExpositionSample['exemplar'][]
}

function drafts(family: MetricFamily, pointLabel: string): Draft[] {
  const byLabels = new Map<string, Draft>()
  for (const sample of family.samples) {
    const labels = ownLabels(sample, pointLabel)
    const key = labelsKey(labels)
    let draft = byLabels.get(key)
    if (draft === undefined) byLabels.set(key, (draft = { labels, sum: 0, count: 0, points: [], bucketExemplars: [] }))
    addSample(draft, labelValue(sample.labels, METRIC_NAME).slice(family.name.length), sample, pointLabel)
  }
  return [...byLabels.values()]
}

function addSample(draft: Draft, suffix: string, sample: ExpositionSample, pointLabel: string): void {
  const { value } = sample
  if (suffix === '_created') draft.createdMs = Math.round(value * 1000)
  else if (pointLabel === '') {
    draft.value = value
    if (sample.exemplar !== undefined) draft.exemplar = sample.exemplar
  } else if (suffix === '_sum' || suffix === '_gsum') draft.sum = value
  else if (suffix === '_count' || suffix === '_gcount') draft.count = value
  else {
    const at = labelValue(sample.labels, pointLabel)
    if (at === '') return
    draft.points.push([at === '+Inf' ? Number.POSITIVE_INFINITY : Number(at), value])
    draft.bucketExemplars.push(sample.exemplar)
  }
}

function numbers(family: MetricFamily): PushedMetric[] {
  return drafts(family, '')
    .filter(({ value }) => value !== undefined)
    .map(({ labels, value, exemplar, createdMs }) => ({
      labels,
      value: value!,
      ...(exemplar === undefined ? {} : { exemplar }),
      ...(createdMs === undefined ? {} : { createdMs }),
    }))
}

function distributions(family: MetricFamily): PushedMetric[] {
  return drafts(family, family.type === 'summary' ? 'quantile' : 'le').map((draft) => ({
    labels: draft.labels,
    points: draft.points,
    sum: draft.sum,
    count: draft.count,
    ...(draft.bucketExemplars.some((exemplar) => exemplar !== undefined)
      ? { bucketExemplars: draft.bucketExemplars }
      : {}),
    ...(draft.createdMs === undefined ? {} : { createdMs: draft.createdMs }),
  }))
}

/** Without the metric's name and the point, with the labels that were written empty. */
function ownLabels({ labels, emptyLabels }: ExpositionSample, pointLabel: string): PushedLabels {
  const pairs: [string, string][] = emptyLabels.map((name) => [name, ''])
  for (let i = 0; i < labels.length; i += 2)
    if (labels[i] !== METRIC_NAME && labels[i] !== pointLabel) pairs.push([labels[i]!, labels[i + 1]!])
  return pairs.sort(([a], [b]) => compareStrings(a, b)).flat() satisfies Labels
}
