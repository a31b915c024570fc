// What is there to be shown: targets and the intervals they are scraped at, metric names, and when the data begin.
import { computed, effect, signal } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { DEFAULT_SCRAPE_INTERVAL_MS, tryParseDuration } from '../../model/interval.ts'
import { labelValues, queryRange, type Target, targets as loadTargets } from '../api/prometheus.ts'
import { askedRange, dataStartMs, tick, timeRange } from './time.ts'
import { useLive } from './live.ts'

const TARGETS_EVERY_MS = 4500
const NAMES_EVERY_ROUNDS = 6
const PROBE_POINTS = 60
const PROBE_FINEST_MS = 15_000

export const targets = signal<readonly Target[] | undefined>(undefined)
export const targetsError = signal<string | undefined>(undefined)

let targetsAtMs = 0
effect(() => {
  const nowMs = Date.now()
  // At the first refresh always, later at most as often as targets are worth asking for.
  if (tick.value > 0 && nowMs - targetsAtMs < TARGETS_EVERY_MS) return
  targetsAtMs = nowMs
  loadTargets().then(
    (answer) => {
      targets.value = answer.activeTargets
      targetsError.value = undefined
    },
    (thrown: unknown) => {
      targetsError.value = thrown instanceof Error ? thrown.message : String(thrown)
    },
  )
})

const intervalByJob = computed(() => {
  const intervals = new Map<string, number>()
  for (const { labels, scrapeInterval } of targets.value ?? []) {
    const intervalMs = tryParseDuration(scrapeInterval ?? '')
    if (intervalMs) intervals.set(labels.job ?? '', Math.max(intervalMs, intervals.get(labels.job ?? '') ?? 0))
  }
  return intervals
})

/** The longest interval at which targets of the job (or of any) are scraped; `undefined` until targets are known. */
export function scrapeIntervalMs(job?: string): number | undefined {
  const intervals = intervalByJob.value
  if (targets.value === undefined) return undefined
  const own = job === undefined ? undefined : intervals.get(job)
  return own ?? (intervals.size === 0 ? DEFAULT_SCRAPE_INTERVAL_MS : Math.max(...intervals.values()))
}

/** The longest interval among the targets that an expression's matchers name; of all where it names none. */
export function scrapeIntervalOf(matchers: readonly { name: 'job' | 'instance'; pattern: RegExp }[]): number {
  const all = targets.value ?? []
  const chosen = all.filter(({ labels }) => matchers.every(({ name, pattern }) => pattern.test(labels[name] ?? '')))
  const intervals = (matchers.length > 0 && chosen.length > 0 ? chosen : all).map(
    ({ scrapeInterval }) => tryParseDuration(scrapeInterval ?? '') || 0,
  )
  return Math.max(0, ...intervals) || DEFAULT_SCRAPE_INTERVAL_MS
}

/** Names of the metrics that match, looked up again now and then, and at every refresh while there are none. */
export function useMetricNames(matcher: string | undefined, active = true): ReadonlySet<string> | undefined {
  const emptyRef = useRef(true)
  const round = emptyRef.current ? tick.value : Math.floor(tick.value / NAMES_EVERY_ROUNDS)
  const { data } = useLive((abort) => labelValues('__name__', matcher, abort), [matcher, round], {
    active,
    live: false,
  })
  emptyRef.current = data === undefined || data.length === 0
  return useMemo(() => (data === undefined ? undefined : new Set(data)), [data])
}

// Where the asked range reaches back before the first sample, the charts begin at that sample. Looked up once per range
// until some data are found.
let probedFrom: string | undefined
effect(() => {
  const { from } = timeRange.value
  const round = tick.value // Read even where it does not matter: an unsuccessful look-up is repeated at the next refresh.
  if (round >= 0 && probedFrom === from) return
  probedFrom = from
  const { fromMs, toMs } = askedRange.peek()
  findDataStart(fromMs, toMs).then(
    (startMs) => {
      if (probedFrom !== from) return
      if (startMs === undefined) probedFrom = undefined
      dataStartMs.value = startMs ?? toMs
    },
    () => {
      if (probedFrom === from) probedFrom = undefined
    },
  )
})

/** The first instant in the range at which anything was scraped, `fromMs` where data reach further back; `undefined` for none. */
async function findDataStart(fromMs: number, toMs: number): Promise<number | undefined> {
  let startMs = fromMs
  let endMs = toMs
  for (;;) {
    const stepMs = Math.max(1000, Math.ceil((endMs - startMs) / PROBE_POINTS / 1000) * 1000)
    const { data } = await queryRange('count(up)', { startMs, endMs, stepMs })
    const first = data[0]?.values?.[0]
    if (first === undefined) return undefined
    const foundMs = first[0] * 1000
    if (foundMs <= startMs) return startMs
    if (stepMs <= PROBE_FINEST_MS) return foundMs
    startMs = foundMs - stepMs
    endMs = foundMs
  }
}
