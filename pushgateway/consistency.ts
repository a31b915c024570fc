import { formatFloatGeneral, isLegacyLabelName, isLegacyMetricName, labelsKey, quoteGo } from '../model/index.ts'
import {
  isHistogram,
  labelPairs,
  type PushedFamily,
  type PushedLabels,
  type PushedMetric,
  type PushedType,
} from './family.ts'

/** What is exposed already, without the families that the push replaces. */
export interface ExposedPage {
  /** The type under which anything else exposes the name. */
  typeOf(name: string): PushedType | undefined
  /** The type under which the process's own metrics expose the name. */
  ownTypeOf(name: string): PushedType | undefined
  /** Whether anything else exposes this very series. */
  hasSeries(name: string, labels: PushedLabels): boolean
  /** Names are any text; else only letters, digits and underscores. */
  readonly allowsUtf8: boolean
}

/**
 * Why these families cannot stand on the page: names of two types, series that are there twice, names that collide with
 * the parts of a histogram or summary. Works on the push and an index, not on the whole page.
 *
 * @returns the Pushgateway's messages; none if all is well
 */
export function findInconsistencies(families: readonly PushedFamily[], page: ExposedPage): string[] {
  const reasons: string[] = []
  const pushedTypes = new Map(families.map(({ name, type }) => [name, type]))
  const typeOf = (name: string): PushedType | undefined =>
    pushedTypes.get(name) ?? page.typeOf(name) ?? page.ownTypeOf(name)
  for (const family of families) {
    const { name, type, metrics } = family
    if (!(page.allowsUtf8 ? name !== '' : isLegacyMetricName(name))) {
      reasons.push(`collected metric ${describe(family, metrics[0]!)} has an invalid name`)
      continue
    }
    const ownType = page.ownTypeOf(name)
    if (ownType !== undefined && ownType !== type) {
      const [has, should] = [type.toUpperCase(), ownType.toUpperCase()]
      reasons.push(`gathered metric family ${name} has type ${has} but should have ${should}`)
      continue
    }
    const otherType = page.typeOf(name)
    if (otherType !== undefined && otherType !== type) {
      reasons.push(`collected metric ${describe(family, metrics[0]!)} is not a ${otherType.toUpperCase()}`)
      continue
    }
    const collision = collisionOf(family, typeOf)
    if (collision !== undefined) reasons.push(collision)
    reasons.push(...seriesFaults(family, page))
  }
  return reasons
}

function seriesFaults(family: PushedFamily, page: ExposedPage): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  for (const metric of family.metrics) {
    const bad = improperName(metric.labels, page.allowsUtf8)
    if (bad !== undefined)
      faults.push(`collected metric ${describe(family, metric)} has a label with an invalid name: ${bad}`)
    const key = labelsKey(metric.labels)
    if (seen.has(key) || page.hasSeries(family.name, metric.labels))
      faults.push(
        `collected metric ${describe(family, metric)} was collected before with the same name and label values`,
      )
    seen.add(key)
  }
  return faults
}

function improperName(labels: PushedLabels, allowsUtf8: boolean): string | undefined {
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!
    if (!(allowsUtf8 ? name !== '' : isLegacyLabelName(name)) || name.startsWith('__')) return name
  }
  return undefined
}

const PARTS: Partial<Record<PushedType, readonly string[]>> = {
  summary: ['_count', '_sum'],
  histogram: ['_count', '_sum', '_bucket'],
  gaugehistogram: ['_count', '_sum', '_bucket'],
}

function collisionOf(
  { name, type }: PushedFamily,
  typeOf: (name: string) => PushedType | undefined,
): string | undefined {
  const suffix = /_(?:count|sum|bucket)$/.exec(name)
  if (suffix !== null) {
    const base = name.slice(0, suffix.index)
    const baseType = typeOf(base)
    if (baseType !== undefined && PARTS[baseType]?.includes(suffix[0]))
      return `collected metric named ${quote(name)} collides with previously collected ${baseType} named ${quote(base)}`
  }
  const taken = PARTS[type]?.find((part) => typeOf(name + part) !== undefined)
  if (taken === undefined) return undefined
  return `collected ${type} named ${quote(name)} collides with previously collected metric named ${quote(name + taken)}`
}

/** `"x" { label:<name:"job" value:"a" > gauge:<value:1 > }`: the text of the protocol buffer that the original prints. */
function describe({ name, type }: PushedFamily, metric: PushedMetric): string {
  const parts = [...labelPairs(metric.labels)].map(
    ([label, value]) => `label:<name:${quote(label)} value:${quote(value)} > `,
  )
  return `${quote(name)} { ${parts.join('')}${type}:<${valueText(type, metric)} > }`
}

function valueText(type: PushedType, metric: PushedMetric): string {
  if ('value' in metric) return `value:${formatFloatGeneral(metric.value)}`
  const [item, at, value] = isHistogram(type)
    ? ['bucket', 'upper_bound', 'cumulative_count']
    : ['quantile', 'quantile', 'value']
  const points = metric.points.map(
    (point) => ` ${item}:<${at}:${formatFloatGeneral(point[0])} ${value}:${formatFloatGeneral(point[1])} >`,
  )
  return `sample_count:${metric.count} sample_sum:${formatFloatGeneral(metric.sum)}${points.join('')}`
}

const quote = quoteGo
