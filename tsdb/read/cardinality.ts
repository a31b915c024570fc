import { METRIC_NAME } from '../../model/index.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { TemplateCache } from './head-finder.ts'
import type { HeadSnapshot } from './head-snapshot.ts'
import { type LabelIndex, LOST } from './label-index.ts'

export interface CardinalityItem {
  readonly name: string
  readonly value: number
}

/** Top lists over the series of the head, largest first. */
export interface TsdbCardinality {
  readonly seriesCountByMetricName: readonly CardinalityItem[]
  readonly labelValueCountByLabelName: readonly CardinalityItem[]
  readonly memoryInBytesByLabelName: readonly CardinalityItem[]
  readonly seriesCountByLabelValuePair: readonly CardinalityItem[]
}

/** Counts pairs per label set first, then multiplies: targets of one layout are counted together. */
export function measureCardinality(
  views: MemoryViews,
  index: LabelIndex,
  templates: TemplateCache,
  snapshot: HeadSnapshot,
  limit: number,
): TsdbCardinality {
  const seriesByPair = new Map<number, number>()
  const add = (labelSet: number, count: number): void => {
    const pairs = index.pairWords
    for (let at = index.pairsFrom(labelSet); at < index.pairsTo(labelSet); at += 2) {
      if (pairs[at + 1] === 0) continue
      const key = pairs[at]! * 2 ** 26 + pairs[at + 1]!
      seriesByPair.set(key, (seriesByPair.get(key) ?? 0) + count)
    }
  }
  const overlayCounts = new Map<number, number>()
  for (const group of snapshot.groups) {
    add(index.fromHead(views, group.labelSet), group.positionCount)
    for (const overlay of templates.overlaysOf(group)) {
      if (overlay !== LOST) overlayCounts.set(overlay, (overlayCounts.get(overlay) ?? 0) + 1)
    }
  }
  for (const [overlay, count] of overlayCounts) add(overlay, count)

  const byMetric = new Map<string, number>()
  const values = new Map<string, number>()
  const bytes = new Map<string, number>()
  const byPair: CardinalityItem[] = []
  for (const [key, count] of seriesByPair) {
    const name = index.text(Math.floor(key / 2 ** 26))
    const value = index.text(key % 2 ** 26)
    if (name === METRIC_NAME) byMetric.set(value, count)
    values.set(name, (values.get(name) ?? 0) + 1)
    bytes.set(name, (bytes.get(name) ?? 0) + Buffer.byteLength(value) * count)
    byPair.push({ name: `${name}=${value}`, value: count })
  }
  const top = (items: CardinalityItem[]): CardinalityItem[] => items.sort((a, b) => b.value - a.value).slice(0, limit)
  const topOf = (map: Map<string, number>): CardinalityItem[] =>
    top(Array.from(map, ([name, value]) => ({ name, value })))
  return {
    seriesCountByMetricName: topOf(byMetric),
    labelValueCountByLabelName: topOf(values),
    memoryInBytesByLabelName: topOf(bytes),
    seriesCountByLabelValuePair: top(byPair),
  }
}
