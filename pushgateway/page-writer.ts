import { formatFloatGeneral } from '../model/index.ts'
import type { PushedFamily, PushedLabels, PushedMetric } from './family.ts'

/** Text format 0.0.4, families in the order given. */
export function writeFamilies(families: Iterable<PushedFamily>): string {
  const lines: string[] = []
  for (const { name, type, help, metrics } of families) {
    if (help !== '') lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`)
    lines.push(`# TYPE ${name} ${type}`)
    for (const metric of metrics) {
      if ('value' in metric) lines.push(sampleLine(name, metric.labels, metric.value))
      else writeDistribution(lines, { name, metric, isHistogram: type === 'histogram' })
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function writeDistribution(
  lines: string[],
  {
    name,
    metric,
    isHistogram,
  }: { name: string; metric: Extract<PushedMetric, { points: unknown }>; isHistogram: boolean },
): void {
  const { labels, points, sum, count } = metric
  let hasInfinity = false
  for (const [at, value] of points) {
    hasInfinity ||= at === Number.POSITIVE_INFINITY
    const pointLabel = `${isHistogram ? 'le' : 'quantile'}="${formatFloatGeneral(at)}"`
    lines.push(sampleLine(isHistogram ? `${name}_bucket` : name, labels, value, pointLabel))
  }
  if (isHistogram && !hasInfinity) lines.push(sampleLine(`${name}_bucket`, labels, count, 'le="+Inf"'))
  lines.push(sampleLine(`${name}_sum`, labels, sum), sampleLine(`${name}_count`, labels, count))
}

function sampleLine(name: string, labels: PushedLabels, value: number, lastLabel = ''): string {
  let text = ''
  for (let i = 0; i < labels.length; i += 2)
    text += `${text === '' ? '' : ','}${labels[i]}="${escapeValue(labels[i + 1]!)}"`
  if (lastLabel !== '') text += `${text === '' ? '' : ','}${lastLabel}`
  return `${name}${text === '' ? '' : `{${text}}`} ${formatFloatGeneral(value)}`
}

function escapeValue(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
