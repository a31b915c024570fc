// Step and rate-window arithmetic of panels, formula by formula as Grafana's Prometheus data source does it, so that an
// imported board asks for the same points. The scrape interval is the real one of the job, not a setting.
// Not by the folder's door: behind it are parts that no browser can load.
import { formatDuration, parseDuration } from '../../model/duration.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS
const MONTH_MS = 30 * DAY_MS
const YEAR_MS = 365 * DAY_MS

/** Upper bound (exclusive from the next row on) → the round interval used below it. */
const LADDER: readonly (readonly [limitMs: number, intervalMs: number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1.5 * SECOND_MS, SECOND_MS],
  [3.5 * SECOND_MS, 2 * SECOND_MS],
  [7.5 * SECOND_MS, 5 * SECOND_MS],
  [12.5 * SECOND_MS, 10 * SECOND_MS],
  [17.5 * SECOND_MS, 15 * SECOND_MS],
  [25 * SECOND_MS, 20 * SECOND_MS],
  [45 * SECOND_MS, 30 * SECOND_MS],
  [1.5 * MINUTE_MS, MINUTE_MS],
  [3.5 * MINUTE_MS, 2 * MINUTE_MS],
  [7.5 * MINUTE_MS, 5 * MINUTE_MS],
  [12.5 * MINUTE_MS, 10 * MINUTE_MS],
  [17.5 * MINUTE_MS, 15 * MINUTE_MS],
  [25 * MINUTE_MS, 20 * MINUTE_MS],
  [45 * MINUTE_MS, 30 * MINUTE_MS],
  [1.5 * HOUR_MS, HOUR_MS],
  [2.5 * HOUR_MS, 2 * HOUR_MS],
  [4.5 * HOUR_MS, 3 * HOUR_MS],
  [9 * HOUR_MS, 6 * HOUR_MS],
  [24 * HOUR_MS, 12 * HOUR_MS],
  [WEEK_MS, DAY_MS],
  [3 * WEEK_MS, WEEK_MS],
  [6 * WEEK_MS, MONTH_MS],
]

/** The query API answers at most this many points per series. */
export const POINTS_MAX = 11_000
export const DEFAULT_SCRAPE_INTERVAL_MS = 15 * SECOND_MS

export function roundInterval(intervalMs: number): number {
  for (const [limitMs, roundMs] of LADDER) if (intervalMs < limitMs) return roundMs
  return YEAR_MS
}

/** The smallest round interval that is not below; whole years beyond the ladder. */
function roundUpInterval(intervalMs: number): number {
  for (const [, roundMs] of LADDER) if (roundMs >= intervalMs) return roundMs
  return Math.ceil(intervalMs / YEAR_MS) * YEAR_MS
}

export interface IntervalInput {
  readonly fromMs: number
  readonly toMs: number
  /** How many points the panel can show; its width in pixels unless the panel says otherwise. */
  readonly pointsMax: number
  readonly scrapeIntervalMs: number
  /** The query's own smallest step, where it states one. */
  readonly stepMinMs?: number
}

export interface PanelIntervals {
  readonly stepMs: number
  readonly rateIntervalMs: number
  readonly rangeMs: number
}

export function panelIntervals(input: IntervalInput): PanelIntervals {
  const spanMs = Math.max(input.toMs - input.fromMs, 1)
  const floorMs = input.stepMinMs ?? input.scrapeIntervalMs
  const intervalMs = Math.max(roundInterval(spanMs / Math.max(input.pointsMax, 1)), floorMs)
  // Grafana rounds this one to the nearest, so that the server may refuse a long range; up, it never does.
  const safeMs = roundUpInterval(spanMs / POINTS_MAX)
  const baseMs = input.stepMinMs ?? input.scrapeIntervalMs
  return {
    stepMs: Math.max(intervalMs, safeMs),
    rateIntervalMs: Math.max(intervalMs + baseMs, 4 * baseMs),
    rangeMs: Math.round(spanMs / SECOND_MS) * SECOND_MS,
  }
}

/** Start and end on multiples of the step, so that a refresh asks for the same instants again and lines do not jitter. */
export function alignRange(fromMs: number, toMs: number, stepMs: number): { startMs: number; endMs: number } {
  return { startMs: Math.floor(fromMs / stepMs) * stepMs, endMs: Math.floor(toMs / stepMs) * stepMs }
}

/** Replaces `$__interval`, `$__rate_interval`, `$__range` and their `_ms` and `_s` forms, with or without braces. */
export function expandIntervals(expr: string, intervals: PanelIntervals): string {
  const values: Readonly<Record<string, string>> = {
    interval: formatDuration(intervals.stepMs),
    interval_ms: String(intervals.stepMs),
    rate_interval: formatDuration(intervals.rateIntervalMs),
    rate_interval_ms: String(intervals.rateIntervalMs),
    range: `${intervals.rangeMs / SECOND_MS}s`,
    range_s: String(intervals.rangeMs / SECOND_MS),
    range_ms: String(intervals.rangeMs),
  }
  return expr.replace(
    /\$(?:__(rate_interval_ms|rate_interval|interval_ms|interval|range_ms|range_s|range)\b|\{__(rate_interval_ms|rate_interval|interval_ms|interval|range_ms|range_s|range)\})/g,
    (whole, plain?: string, braced?: string) => values[plain ?? braced ?? ''] ?? whole,
  )
}

/** A duration as people and targets write it (`15s`, `1m30s`), or `undefined` where it is none. */
export function tryParseDuration(text: string): number | undefined {
  try {
    return parseDuration(text.trim())
  } catch {
    return undefined
  }
}
