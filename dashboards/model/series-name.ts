// How a series is called in legends.
import type { LabelSet } from './frame.ts'

/** Replaces `{{label}}` in a legend text; without one, the labels in which the series of a panel differ. */
export function seriesName(labels: LabelSet, legend: string | undefined, commonNames: ReadonlySet<string>): string {
  if (legend !== undefined) {
    return legend.replace(/\{\{\s*([^{}\s]+)\s*\}\}/g, (_, name: string) => labels[name] ?? '')
  }
  return formatSeries(labels, commonNames)
}

/** Prometheus' own notation, `metric{a="b"}`, leaving out the given label names. */
export function formatSeries(labels: LabelSet, without: ReadonlySet<string> = new Set()): string {
  const { __name__: metric = '', ...rest } = labels
  const pairs = Object.keys(rest)
    .filter((name) => !without.has(name))
    .sort()
    .map((name) => `${name}=${JSON.stringify(rest[name])}`)
  if (pairs.length === 0) return metric === '' ? '{}' : metric
  return `${metric}{${pairs.join(', ')}}`
}

/** Label names whose value is the same on all of two or more series. */
export function commonLabelNames(series: readonly LabelSet[]): Set<string> {
  const [first, ...others] = series
  if (first === undefined || others.length === 0) return new Set()
  return new Set(
    Object.keys(first).filter((name) => name !== '__name__' && others.every((labels) => labels[name] === first[name])),
  )
}
