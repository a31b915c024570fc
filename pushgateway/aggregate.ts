import { labelsKey, type NativeHistogram } from '../model/index.ts'
import { PushOptionError } from './errors.ts'
import {
  isHistogram,
  type PushedDistribution,
  type PushedFamily,
  type PushedMetric,
  type PushedNumber,
} from './family.ts'
import { addNativeHistograms } from './native-sum.ts'

/** What becomes of a gauge that several senders push into one group. Counters and distributions are always summed. */
export const GAUGE_MODES = ['last', 'sum', 'max', 'min'] as const
export type GaugeMode = (typeof GAUGE_MODES)[number]

/**
 * The pushed families with what the group had of them before: numbers added up by labels, so that many short-lived senders
 * count together. Quantiles of summaries cannot be combined and are left out from the second push on.
 *
 * @param before the group's families of these names
 * @throws {PushOptionError} where two pushes cannot be added
 */
export function aggregateFamilies(
  pushed: readonly PushedFamily[],
  before: (name: string) => PushedFamily | undefined,
  gauges: GaugeMode,
): PushedFamily[] {
  return pushed.map((family) => {
    const known = before(family.name)
    if (known === undefined) return family
    if (known.type !== family.type)
      throw new PushOptionError(`cannot add a ${family.type} to a ${known.type}: ${family.name} was pushed before`)
    const metrics = new Map(known.metrics.map((metric) => [labelsKey(metric.labels), metric]))
    for (const metric of family.metrics) {
      const key = labelsKey(metric.labels)
      const old = metrics.get(key)
      metrics.set(key, old === undefined ? metric : combine(family, { old, metric, gauges }))
    }
    return { ...family, help: family.help || known.help, metrics: [...metrics.values()] }
  })
}

function combine(
  { name, type }: PushedFamily,
  { old, metric, gauges }: { readonly old: PushedMetric; readonly metric: PushedMetric; readonly gauges: GaugeMode },
): PushedMetric {
  const created = earliest(old.createdMs, metric.createdMs)
  if ('value' in metric && 'value' in old) {
    const mode = type === 'counter' ? 'sum' : type === 'gauge' ? gauges : 'last'
    return { ...metric, value: combineValues(old, metric, mode), ...created }
  }
  if ('value' in metric || 'value' in old) return metric
  const total = { ...metric, sum: old.sum + metric.sum, count: old.count + metric.count, ...created }
  if (!isHistogram(type)) return { ...total, points: [] }
  const points = addBuckets(name, old, metric)
  return { ...total, points, ...addNatives(name, old.native, metric.native) }
}

function combineValues(old: PushedNumber, metric: PushedNumber, mode: GaugeMode): number {
  if (mode === 'sum') return old.value + metric.value
  if (mode === 'max') return Math.max(old.value, metric.value)
  return mode === 'min' ? Math.min(old.value, metric.value) : metric.value
}

function addBuckets(name: string, old: PushedDistribution, metric: PushedDistribution): PushedDistribution['points'] {
  const isSame =
    old.points.length === metric.points.length && old.points.every(([bound], i) => bound === metric.points[i]![0])
  if (!isSame) throw new PushOptionError(`cannot add histograms of different buckets: ${name} was pushed before`)
  return metric.points.map(([bound, count], i) => [bound, count + old.points[i]![1]])
}

function addNatives(
  name: string,
  old: NativeHistogram | undefined,
  native: NativeHistogram | undefined,
): { native?: NativeHistogram } {
  if (old === undefined || native === undefined) return native || old ? { native: (native ?? old)! } : {}
  const sum = addNativeHistograms(old, native)
  if (sum === undefined)
    throw new PushOptionError(`cannot add native histograms of different schemas or zero buckets: ${name}`)
  return { native: sum }
}

function earliest(a: number | undefined, b: number | undefined): { createdMs?: number } {
  const known = [a, b].filter((timeMs) => timeMs !== undefined)
  return known.length === 0 ? {} : { createdMs: Math.min(...known) }
}
