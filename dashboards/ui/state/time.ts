// The time range of the page, the clock of its refreshes and the instant under the pointer, shared by all its panels.
import { batch, computed, effect, signal } from '@preact/signals'
import { tryParseDuration } from '../../model/interval.ts'
import {
  isLive,
  readWeekStart,
  type ResolvedRange,
  resolveRange,
  type TimeRange,
  type TimeZone,
  zoomOut,
} from '../../model/time-range.ts'
import { readTimeZone } from '../../model/zone.ts'
import { route, setParams } from './route.ts'

const DEFAULT_RANGE: TimeRange = { from: 'now-15m', to: 'now' }
const DEFAULT_REFRESH = '5s'
export interface PageDefaults {
  readonly range: TimeRange
  readonly refresh: string
  readonly timezone: string
  readonly weekStart: string
}
/** What the page shows where the address says nothing: a dashboard has its own. */
export const pageDefaults = signal<PageDefaults | undefined>(undefined)
const REFRESH_MIN_MS = 1000
/** A young store is shown at least this wide, so that the first points do not fill the whole width. */
const SPAN_MIN_MS = 90_000
/** A gap at the left of less than this share of the width is left as it is. */
const LATE_SHARE = 0.05

export const timeZone = computed<TimeZone>(() =>
  readTimeZone(route.value.search.get('timezone') ?? pageDefaults.value?.timezone),
)
/** The day on which weeks begin, 0 = Sunday. */
export const weekStart = computed(() => readWeekStart(pageDefaults.value?.weekStart ?? ''))

export const timeRange = computed<TimeRange>(() => {
  const from = route.value.search.get('from')
  const to = route.value.search.get('to')
  const usual = pageDefaults.value?.range ?? DEFAULT_RANGE
  const window = windowRange(route.value.search)
  if (window !== undefined) return window
  return from === null && to === null ? usual : { from: from ?? usual.from, to: to ?? usual.to }
})

/** `time` is the middle, `time.window` the span in milliseconds. */
function windowRange(search: URLSearchParams): TimeRange | undefined {
  const [middle, spanMs] = [Number(search.get('time') ?? Number.NaN), Number(search.get('time.window') ?? Number.NaN)]
  if (!(spanMs > 0) || Number.isNaN(middle)) return undefined
  return { from: String(Math.round(middle - spanMs / 2)), to: String(Math.round(middle + spanMs / 2)) }
}

/** `5s`, `1m` … or `off`. */
export const refresh = computed(
  () => route.value.search.get('refresh') || (pageDefaults.value?.refresh ?? DEFAULT_REFRESH),
)
const refreshMs = computed(() => Math.max(tryParseDuration(refresh.value) ?? 0, 0))

/** Counts refreshes; whatever shows live data depends on it. */
export const tick = signal(0)
const nowMs = signal(Date.now())
/** When the store's first sample was taken, once found to lie inside a range that was asked for. */
export const dataStartMs = signal<number | undefined>(undefined)

/** The range as asked for. */
export const askedRange = computed<ResolvedRange>(
  () =>
    resolveRange(timeRange.value, nowMs.value, timeZone.value, weekStart.value) ??
    (resolveRange(DEFAULT_RANGE, nowMs.value, timeZone.value) as ResolvedRange),
)

/** True where the charts begin later than asked, for want of older data. */
export const startsLate = computed(() => {
  const startMs = dataStartMs.value
  const { fromMs, toMs } = askedRange.value
  return isLive(timeRange.value) && startMs !== undefined && startMs - fromMs > (toMs - fromMs) * LATE_SHARE
})

/** The range as shown: a live one begins where data begin, so that a fresh start fills its charts. */
export const shownRange = computed<ResolvedRange>(() => {
  const { fromMs, toMs } = askedRange.value
  if (!startsLate.value) return { fromMs, toMs }
  return { fromMs: Math.max(fromMs, Math.min(dataStartMs.value!, toMs - SPAN_MIN_MS)), toMs }
})

export interface Cursor {
  readonly atMs: number
  /** Id of the panel the pointer is over. */
  readonly panelId: string
}
export const cursor = signal<Cursor | undefined>(undefined)

/** Changes when another range is asked for, not when a live one moves on. */
export const rangeKey = computed(() => `${timeRange.value.from} ${timeRange.value.to} ${dataStartMs.value ?? ''}`)

export function refreshNow(): void {
  batch(() => {
    nowMs.value = Date.now()
    tick.value++
  })
}

export function setRange(range: TimeRange): void {
  batch(() => {
    nowMs.value = Date.now()
    setParams({ from: range.from, to: range.to, time: undefined, 'time.window': undefined })
  })
}

export function zoomTo({ fromMs, toMs }: ResolvedRange): void {
  setRange({ from: String(Math.round(fromMs)), to: String(Math.round(toMs)) })
}

export function zoomOutOnce(): void {
  zoomTo(zoomOut(askedRange.peek(), Date.now()))
}

/** Parameters that go along when the user moves between pages with a time range. */
export const timeParams = computed<Record<string, string>>(() => {
  const kept: Record<string, string> = {}
  for (const name of ['from', 'to', 'refresh', 'timezone']) {
    const value = route.value.search.get(name)
    if (value !== null) kept[name] = value
  }
  return kept
})

// A hidden page costs nothing; it catches up when it is looked at again.
let missedRefresh = false
effect(() => {
  const everyMs = refreshMs.value
  if (everyMs < REFRESH_MIN_MS) return
  const timer = setInterval(() => {
    if (document.hidden) missedRefresh = true
    else refreshNow()
  }, everyMs)
  return () => clearInterval(timer)
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden || !missedRefresh) return
  missedRefresh = false
  refreshNow()
})
