import { formatFloatGeneral, isLegacyLabelName, isLegacyMetricName } from '../model/index.ts'
import { isHistogram, type PushedDistribution, type PushedFamily, type PushedLabels } from './family.ts'

/** HELP and TYPE lines of text format 0.0.4. */
export function writeHeader({ name, type, help }: Pick<PushedFamily, 'name' | 'type' | 'help'>): string {
  const shown = isLegacyMetricName(name) ? name : quoteText(name)
  const helpLine = help === '' ? '' : `# HELP ${shown} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`
  return `${helpLine}# TYPE ${shown} ${type === 'gaugehistogram' ? 'histogram' : type}\n`
}

/** The sample lines of a family in text format 0.0.4; names that are not old-style ones stand in quotes (1.0.0). */
export function writeMetrics(family: PushedFamily): string {
  const { name, type, metrics } = family
  const lines: string[] = []
  for (const metric of metrics) {
    if ('value' in metric) lines.push(sampleLine(name, metric.labels, metric.value))
    else writeDistribution(lines, name, metric, isHistogram(type))
  }
  return lines.join('')
}

function writeDistribution(lines: string[], name: string, metric: PushedDistribution, hasBuckets: boolean): void {
  const { labels, points, sum, count } = metric
  let hasInfinity = false
  for (const [at, value] of points) {
    hasInfinity ||= at === Number.POSITIVE_INFINITY
    const pointLabel = `${hasBuckets ? 'le' : 'quantile'}="${formatFloatGeneral(at)}"`
    lines.push(sampleLine(hasBuckets ? `${name}_bucket` : name, labels, value, pointLabel))
  }
  if (hasBuckets && !hasInfinity) lines.push(sampleLine(`${name}_bucket`, labels, count, 'le="+Inf"'))
  lines.push(sampleLine(`${name}_sum`, labels, sum), sampleLine(`${name}_count`, labels, count))
}

export function sampleLine(name: string, labels: PushedLabels, value: number, lastLabel = ''): string {
  return `${seriesText(name, labels, lastLabel)} ${formatFloatGeneral(value)}\n`
}

/** `name{label="value",…}`; `lastLabel` is text already. */
export function seriesText(name: string, labels: PushedLabels, lastLabel = ''): string {
  const isLegacy = isLegacyMetricName(name)
  let text = isLegacy ? '' : quoteText(name)
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i]!
    const shown = isLegacyLabelName(label) ? label : quoteText(label)
    text += `${text === '' ? '' : ','}${shown}=${quoteText(labels[i + 1]!)}`
  }
  if (lastLabel !== '') text += `${text === '' ? '' : ','}${lastLabel}`
  return `${isLegacy ? name : ''}${text === '' ? '' : `{${text}}`}`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

export function quoteText(text: string): string {
  return `"${/[\\"\n]/.test(text) ? text.replace(/[\\"\n]/g, (char) => ESCAPES[char]!) : text}"`
}
