// Step, window and range of one query, formula by formula as Grafana's Prometheus data source has them.
import { alignRange, POINTS_MAX, roundInterval, tryParseDuration } from '../model/interval.ts'
import { formatDuration } from '../../model/duration.ts'
import type { Scope, VariableValue } from './interpolate.ts'

export interface TargetIntervalInput {
  readonly fromMs: number
  readonly toMs: number
  /** Points the panel can show: its `maxDataPoints`, else its width in pixels. */
  readonly pointsMax: number
  /** Real interval at which what the query selects is scraped. */
  readonly scrapeIntervalMs: number
  /** Min step of the query and of the panel as written after interpolation; '' = none. `$__rate_interval` may stand here. */
  readonly targetMin: string
  readonly panelMin: string
  readonly factor?: number
}

export interface TargetIntervals {
  readonly stepMs: number
  readonly rateIntervalMs: number
  readonly rangeMs: number
  readonly startMs: number
  readonly endMs: number
}

export function targetIntervals(input: TargetIntervalInput): TargetIntervals {
  const spanMs = Math.max(input.toMs - input.fromMs, 1)
  const asksRate = /^\$\{?__rate_interval\}?$/.test(input.targetMin.trim())
  const targetMs = asksRate ? undefined : parseMin(input.targetMin)
  const minMs = targetMs ?? parseMin(input.panelMin) ?? input.scrapeIntervalMs
  const rounded = roundInterval(spanMs / Math.max(input.pointsMax, 1))
  const intervalMs = Math.max(rounded, minMs)
  const scrapeMs = targetMs ?? input.scrapeIntervalMs
  const rateIntervalMs = Math.max(intervalMs + scrapeMs, 4 * scrapeMs)
  const safeMs = roundInterval(spanMs / POINTS_MAX)
  const stepMs = asksRate ? Math.max(rateIntervalMs, safeMs) : Math.max(intervalMs, safeMs) * (input.factor ?? 1)
  return {
    stepMs,
    rateIntervalMs,
    rangeMs: Math.round(spanMs / 1000) * 1000,
    ...alignRange(input.fromMs, input.toMs, stepMs),
  }
}

/** `>5m`, `30s`, or bare seconds. */
function parseMin(text: string): number | undefined {
  const trimmed = text.trim().replace(/^>\s*/, '')
  if (trimmed === '' || trimmed.includes('$')) return undefined
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000 || undefined
  return tryParseDuration(trimmed) || undefined
}

/** What `$__interval` and its kin stand for in a query. */
export function intervalScope({ stepMs, rateIntervalMs, rangeMs }: TargetIntervals): Map<string, VariableValue> {
  const raw = (text: string): VariableValue => ({ values: [text], texts: [text], isList: false, isRaw: true })
  return new Map([
    ['__interval', raw(formatDuration(stepMs))],
    ['__interval_ms', raw(String(stepMs))],
    ['__rate_interval', raw(formatDuration(rateIntervalMs))],
    ['__rate_interval_ms', raw(String(rateIntervalMs))],
    ['__range', raw(`${rangeMs / 1000}s`)],
    ['__range_s', raw(String(rangeMs / 1000))],
    ['__range_ms', raw(String(rangeMs))],
  ])
}

/** Matchers that name jobs or instances in an expression, to find out how often what it selects is scraped. */
export function scrapedBy(expr: string): { name: 'job' | 'instance'; pattern: RegExp }[] {
  const out: { name: 'job' | 'instance'; pattern: RegExp }[] = []
  for (const match of expr.matchAll(/\b(job|instance)\s*(=~|=)\s*"((?:[^"\\]|\\.)*)"/g)) {
    try {
      const value = JSON.parse(`"${match[3]}"`) as string
      const source = match[2] === '=' ? value.replaceAll(/[\\^$*+?.()|[\]{}]/g, '\\$&') : value
      out.push({ name: match[1] as 'job' | 'instance', pattern: new RegExp(`^(?:${source})$`) })
    } catch {
      // A pattern the browser cannot read: the other matchers decide.
    }
  }
  return out
}

/** The scope that every text of a board has: its range, its name, its own address. */
export function builtInScope(facts: { fromMs: number; toMs: number; timezone: string; dashboard: string }): Scope {
  const raw = (text: string): VariableValue => ({ values: [text], texts: [text], isList: false, isRaw: true })
  return new Map([
    ['__from', raw(String(Math.round(facts.fromMs)))],
    ['__to', raw(String(Math.round(facts.toMs)))],
    ['__timezone', raw(facts.timezone)],
    ['__dashboard', raw(facts.dashboard)],
    ['__org', raw('1')],
    ['__user', raw('1')],
    ['timeFilter', raw('')],
    ['__timeFilter', raw('')],
    ['__url_time_range', raw(`from=${Math.round(facts.fromMs)}&to=${Math.round(facts.toMs)}`)],
  ])
}
