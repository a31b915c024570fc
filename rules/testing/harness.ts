import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import {
  type Alert,
  type Appendable,
  type Appender,
  DuplicateSampleError,
  EMPTY_LABELS,
  type InstantValue,
  type Labels,
  labelsFromRecord,
  labelsKey,
  labelsText,
  labelValue,
  METRIC_NAME,
  OutOfOrderSampleError,
  type SeriesRef,
} from '../../model/index.ts'
import { createRuleManager, parseRuleFile, type RuleManager, type RuleManagerOptions } from '../index.ts'
import { slotOffsetMs } from '../schedule.ts'

interface StoredSeries {
  readonly labels: Labels
  /** NaN is a staleness marker. */
  readonly points: [timestampMs: number, value: number][]
}

const LOOKBACK_MS = 300_000

/** A store of a few series in memory, with the order checks of a real one. */
export class MemoryStore implements Appendable {
  readonly series = new Map<string, StoredSeries>()

  appender(): Appender {
    const staged: (() => void)[] = []
    const stage = (labels: Labels, timestampMs: number, value: number): SeriesRef => {
      const key = labelsKey(labels)
      const stored = this.series.get(key)
      const last = stored?.points.at(-1)
      if (last && timestampMs < last[0]) throw new OutOfOrderSampleError('out of order sample')
      if (last && timestampMs === last[0]) throw new DuplicateSampleError('duplicate sample for timestamp')
      staged.push(() => {
        const series = this.series.get(key) ?? { labels, points: [] }
        series.points.push([timestampMs, value])
        this.series.set(key, series)
      })
      return 0 as SeriesRef
    }
    return {
      append: (_, labels, timestampMs, value) => stage(labels, timestampMs, value),
      appendStale: (_, labels, timestampMs) => stage(labels, timestampMs, Number.NaN),
      appendHistogram: (_, labels, timestampMs, histogram) => stage(labels, timestampMs, histogram.count),
      appendExemplar: () => undefined,
      commit: async () => {
        for (const write of staged.splice(0)) write()
      },
      rollback: () => {
        staged.length = 0
      },
    }
  }

  /** Newest samples of a metric. */
  instant(metric: string, timeMs: number): { labels: Labels; timestampMs: number; value: number }[] {
    return [...this.series.values()].flatMap(({ labels, points }) => {
      const point = points.findLast(([t]) => t <= timeMs)
      const isThere = point !== undefined && timeMs - point[0] < LOOKBACK_MS && !Number.isNaN(point[1])
      return isThere && labelValue(labels, METRIC_NAME) === metric
        ? [{ labels, timestampMs: point[0], value: point[1] }]
        : []
    })
  }

  range(selector: string, startMs: number, endMs: number): StoredSeries[] {
    const [, metric, alertname] = /^(\w+)\{alertname="(.*)"\}$/.exec(selector) ?? []
    return [...this.series.values()]
      .filter(
        ({ labels }) => labelValue(labels, METRIC_NAME) === metric && labelValue(labels, 'alertname') === alertname,
      )
      .map(({ labels, points }) => ({ labels, points: points.filter(([t]) => t >= startMs && t <= endMs) }))
      .filter(({ points }) => points.length > 0)
  }

  /** `name{labels}` → values in order, `stale` for markers. */
  dump(): Record<string, (number | 'stale')[]> {
    const lines = [...this.series.values()].map(({ labels, points }): [string, (number | 'stale')[]] => [
      labelsText(labels),
      points.map(([, value]) => (Number.isNaN(value) ? 'stale' : value)),
    ])
    return Object.fromEntries(lines)
  }
}

/** What an expression yields at a time: values by labels, or nothing. */
export type Answers = (
  expr: string,
  timeMs: number,
) => readonly (readonly [Record<string, string>, number])[] | undefined

export interface Bench {
  readonly clock: ManualClock
  readonly store: MemoryStore
  readonly registry: Registry
  readonly manager: RuleManager
  /** Everything handed to the sink, with the clock's time. */
  readonly sent: { readonly atMs: number; readonly alerts: readonly Alert[] }[]
  /** Parses, applies; groups come from the file `r.yml`. */
  load(text: string): Promise<void>
  /** One evaluation: a minute. */
  tick(count?: number): Promise<void>
}

export const MINUTE_MS = 60_000

/** A manager whose first evaluation falls on a slot of group `g`, so that each minute is one evaluation. */
export function createBench(
  answers: Answers,
  options: Partial<RuleManagerOptions> & { store?: MemoryStore; startMs?: number } = {},
): Bench {
  const offsetMs = slotOffsetMs({ file: 'r.yml', name: 'g' }, MINUTE_MS)
  const clock = new ManualClock(options.startMs ?? 100 * MINUTE_MS + offsetMs)
  const store = options.store ?? new MemoryStore()
  const sent: { atMs: number; alerts: readonly Alert[] }[] = []
  const registry = new Registry()
  const query = async (expr: string, timeMs: number): Promise<InstantValue> => {
    const answer = answers(expr, timeMs)
    const samples = answer
      ? answer.map(([labels, value]) => ({ labels: labelsFromRecord(labels), timestampMs: timeMs, value }))
      : store.instant(expr, timeMs)
    return { type: 'vector', samples }
  }
  const manager = createRuleManager({
    clock,
    logger: silentLogger,
    registry,
    query,
    queryRange: async (selector, { startMs, endMs }) => store.range(selector, startMs, endMs),
    appendable: store,
    sink: { send: async (alerts) => void sent.push({ atMs: clock.nowMs(), alerts }) },
    externalUrl: 'http://bell.example',
    externalLabels: EMPTY_LABELS,
    evaluationIntervalMs: MINUTE_MS,
    firstEvaluationDelayMs: 0,
    ...options,
  })
  return {
    clock,
    store,
    registry,
    manager,
    sent,
    load: (text) => manager.apply(parseRuleFile('r.yml', text)),
    tick: (count = 1) => clock.advance(count * MINUTE_MS),
  }
}

/** The samples of one metric in a vector, for answers. */
export const named = (name: string, labels: Record<string, string> = {}): Record<string, string> => ({
  [METRIC_NAME]: name,
  ...labels,
})
