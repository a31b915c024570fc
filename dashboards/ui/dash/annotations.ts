// Events drawn over charts: every sample of an annotation's query is one, neighbours are one stretch.
import { resolveColor } from '../../grafana/colors.ts'
import type { AnnotationQuery } from '../../grafana/dashboard.ts'
import { interpolate, type Scope } from '../../grafana/interpolate.ts'
import { alignRange, expandIntervals, panelIntervals, tryParseDuration } from '../../model/interval.ts'
import type { Theme } from '../../model/series-color.ts'
import type { ResolvedRange } from '../../model/time-range.ts'
import { queryRange } from '../api/prometheus.ts'
import { scrapeIntervalOf } from '../state/catalog.ts'
import { filteredExpr } from './adhoc-filter.ts'
import type { BoardEvent } from './panel-props.ts'

const EVENTS_MAX = 300
const STEP_MIN_MS = 60_000

export async function loadAnnotations(
  queries: readonly AnnotationQuery[],
  { scope, range, theme, signal }: { scope: Scope; range: ResolvedRange; theme: Theme; signal: AbortSignal },
): Promise<(BoardEvent & { readonly query: AnnotationQuery })[]> {
  const found = await Promise.all(queries.map((query) => load(query, scope, range, theme, signal).catch(() => [])))
  return found.flat().slice(0, EVENTS_MAX)
}

async function load(query: AnnotationQuery, scope: Scope, range: ResolvedRange, theme: Theme, signal: AbortSignal) {
  const stepMinMs = tryParseDuration(interpolate(query.step, scope)) || STEP_MIN_MS
  const intervals = panelIntervals({ ...range, pointsMax: 1500, scrapeIntervalMs: scrapeIntervalOf([]), stepMinMs })
  const expr = filteredExpr(expandIntervals(interpolate(query.expr, scope, 'promql'), intervals), scope)
  const { data } = await queryRange(
    expr,
    { ...alignRange(range.fromMs, range.toMs, intervals.stepMs), stepMs: intervals.stepMs },
    signal,
  )
  const color = resolveColor(query.iconColor, theme)
  return data.flatMap(({ metric, values = [] }) => {
    const fill = (text: string) => text.replaceAll(/\{\{\s*([^{}\s]+)\s*\}\}/g, (_, name: string) => metric[name] ?? '')
    const texts = {
      title: fill(interpolate(query.titleFormat, scope, 'text')) || query.name,
      text: fill(interpolate(query.textFormat, scope, 'text')),
      color,
      query,
    }
    if (query.useValueForTime) {
      return [...new Set(values.map(([, value]) => Number(value)))]
        .filter((atMs) => atMs > 0)
        .map((atMs) => ({ atMs, endMs: atMs, ...texts }))
    }
    const out: (BoardEvent & { query: AnnotationQuery })[] = []
    for (const [seconds, value] of values) {
      if (Number(value) === 0) continue
      const last = out.at(-1)
      const atMs = seconds * 1000
      if (last !== undefined && atMs - last.endMs <= intervals.stepMs) out[out.length - 1] = { ...last, endMs: atMs }
      else out.push({ atMs, endMs: atMs, ...texts })
    }
    return out
  })
}

export function eventsOfPanel(
  events: readonly (BoardEvent & { readonly query: AnnotationQuery })[],
  panelId: number,
): BoardEvent[] {
  return events.filter(({ query }) => query.panelIds.length === 0 || query.panelIds.includes(panelId) !== query.exclude)
}
