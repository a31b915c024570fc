import { formatFloatGeneral } from '../float.ts'
import { isLegacyLabelName, isLegacyMetricName, type Labels, METRIC_NAME } from '../labels.ts'
import type { MetricFamily } from './format.ts'

/** What `writeExposition` needs of a family; `MetricFamily` fits. HELP and TYPE lines come only where they say something. */
export type WritableFamily = Pick<MetricFamily, 'name' | 'type' | 'help'> & {
  readonly samples: readonly {
    readonly labels: Labels
    readonly value: number
    readonly timestampMs?: number | undefined
  }[]
}

// The text format knows fewer types than OpenMetrics.
const TEXT_TYPES = new Set(['counter', 'gauge', 'histogram', 'summary'])

/** Prometheus' text format: 0.0.4 as long as every name is an old-style one, names in quotes (1.0.0) where not. */
export const writeExposition = (families: Iterable<WritableFamily>): string => [...expositionLines(families)].join('')

/** The same, line by line. */
export function* expositionLines(families: Iterable<WritableFamily>): Generator<string, void> {
  for (const family of families) {
    const name = isLegacyMetricName(family.name) ? family.name : quote(family.name)
    if (family.help !== '') yield `# HELP ${name} ${escapeHelp(family.help)}\n`
    yield `# TYPE ${name} ${TEXT_TYPES.has(family.type) ? family.type : 'untyped'}\n`
    for (const sample of family.samples) {
      const time = sample.timestampMs === undefined ? '' : ` ${sample.timestampMs}`
      yield `${seriesText(sample.labels)} ${formatFloatGeneral(sample.value)}${time}\n`
    }
  }
}

function seriesText(labels: Labels): string {
  let name = ''
  const parts: string[] = []
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i]!
    const value = labels[i + 1]!
    if (label !== METRIC_NAME) parts.push(`${isLegacyLabelName(label) ? label : quote(label)}=${quote(value)}`)
    else if (isLegacyMetricName(value)) name = value
    else parts.unshift(quote(value))
  }
  return parts.length === 0 ? name : `${name}{${parts.join(',')}}`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

const quote = (text: string): string => `"${text.replace(/[\\"\n]/g, (c) => ESCAPES[c]!)}"`
const escapeHelp = (text: string): string => text.replace(/[\\\n]/g, (c) => ESCAPES[c]!)
