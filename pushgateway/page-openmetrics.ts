import { type Exemplar, formatFloatGeneral } from '../model/index.ts'
import {
  isHistogram,
  labelPairs,
  type PushedDistribution,
  type PushedFamily,
  type PushedLabels,
  type PushedNumber,
} from './family.ts'
import { quoteText, seriesText } from './page-text.ts'

export const OPENMETRICS_END = '# EOF\n'

/** The samples of a family in OpenMetrics text 1.0.0. */
export function writeOpenMetrics(family: PushedFamily): string {
  const lines: string[] = []
  for (const metric of family.metrics) {
    if ('value' in metric) writeNumber(lines, family, metric)
    else writeDistribution(lines, family, metric)
  }
  return lines.join('')
}

export function openMetricsHeader({ name, type, help }: Pick<PushedFamily, 'name' | 'type' | 'help'>): string {
  const shown = seriesText(baseName(name, type), [])
  const quoted = shown.startsWith('{') ? shown.slice(1, -1) : shown
  const helpText = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
  const kind = type === 'untyped' ? 'unknown' : type
  return `${help === '' ? '' : `# HELP ${quoted} ${helpText}\n`}# TYPE ${quoted} ${kind}\n`
}

/** Whether the samples of a family differ from those of text 0.0.4 in nothing but how whole numbers are written. */
export const hasSameLines = (name: string, type: PushedFamily['type']): boolean =>
  type === 'gauge' || type === 'untyped' || (type === 'counter' && baseName(name, type) !== name)

/** The same from lines of text 0.0.4. Their ends are the only line feeds in them. */
export const openMetricsLines = (lines: string): string => lines.replaceAll(/ (-?\d+)\n/g, ' $1.0\n')

/** A counter's family is named without the ending that its samples have. */
const baseName = (name: string, type: PushedFamily['type']): string =>
  type === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name

function writeNumber(lines: string[], { name, type }: PushedFamily, metric: PushedNumber): void {
  const isCounter = type === 'counter'
  const sampleName = isCounter ? `${baseName(name, type)}_total` : name
  lines.push(`${seriesText(sampleName, metric.labels)} ${float(metric.value)}${exemplarText(metric.exemplar)}\n`)
  if (isCounter) writeCreated(lines, baseName(name, type), metric)
}

function writeDistribution(lines: string[], { name, type }: PushedFamily, metric: PushedDistribution): void {
  const { labels, points, sum, count, bucketExemplars } = metric
  const hasBuckets = isHistogram(type)
  let hasInfinity = false
  for (const [i, [at, value]] of points.entries()) {
    hasInfinity ||= at === Number.POSITIVE_INFINITY
    const pointLabel = `${hasBuckets ? 'le' : 'quantile'}="${float(at)}"`
    const series = seriesText(hasBuckets ? `${name}_bucket` : name, labels, pointLabel)
    lines.push(`${series} ${hasBuckets ? countText(value) : float(value)}${exemplarText(bucketExemplars?.[i])}\n`)
  }
  if (hasBuckets && !hasInfinity)
    lines.push(`${seriesText(`${name}_bucket`, labels, 'le="+Inf"')} ${countText(count)}\n`)
  const [sumName, countName] = type === 'gaugehistogram' ? ['_gsum', '_gcount'] : ['_sum', '_count']
  lines.push(`${seriesText(name + sumName, labels)} ${float(sum)}\n`)
  lines.push(`${seriesText(name + countName, labels)} ${countText(count)}\n`)
  writeCreated(lines, name, metric)
}

function writeCreated(lines: string[], name: string, metric: { labels: PushedLabels; createdMs?: number }): void {
  if (metric.createdMs === undefined) return
  lines.push(`${seriesText(`${name}_created`, metric.labels)} ${float(metric.createdMs / 1000)}\n`)
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return ''
  const labels = [...labelPairs(exemplar.labels)].map(([name, value]) => `${name}=${quoteText(value)}`)
  const time = exemplar.timestampMs === undefined ? '' : ` ${exemplar.timestampMs / 1000}`
  return ` # {${labels.join(',')}} ${float(exemplar.value)}${time}`
}

/** OpenMetrics wants a point or an exponent in every float, and none in counts. */
function float(value: number): string {
  const text = formatFloatGeneral(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

const countText = (value: number): string => (Number.isSafeInteger(value) ? String(value) : formatFloatGeneral(value))
