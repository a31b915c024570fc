import { type HttpClient, ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { EMPTY_LABELS, type InstantValue, labelsFromRecord, labelsToRecord, METRIC_NAME } from '../../model/index.ts'
import { createEngine, parseSeriesLine } from '../../promql/index.ts'
import { createExternalNotifier, createRuleManager, parseRuleFile, type AlertInfo } from '../index.ts'
import { slotOffsetMs } from '../schedule.ts'
import { TestStore } from '../unit-test/test-store.ts'

export const MINUTE_MS = 60_000
export const INTERVAL_MS = 30_000
export const RESEND_DELAY_MS = 60_000
const SAMPLE_INTERVAL_MS = 15_000
const SAMPLES_PER_MINUTE = MINUTE_MS / SAMPLE_INTERVAL_MS

export type Labels = Readonly<Record<string, string>>

/** One alert as an Alertmanager received it. Times in milliseconds since the start of the run. */
export interface Received {
  readonly atMs: number
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly generatorUrl: string
}

/** What can be seen right after one evaluation. */
export interface Moment {
  readonly atMs: number
  /** Pending and firing alerts of all rules. */
  readonly alerts: readonly (Omit<AlertInfo, 'labels' | 'annotations'> & { labels: Labels; annotations: Labels })[]
  /** By rule name. */
  readonly rules: ReadonlyMap<string, { readonly state: string; readonly health: string; readonly lastError: string }>
  /** Labels of the `ALERTS` series that a query finds, without the metric name; the value of each is checked to be 1. */
  readonly alertsSeries: readonly Labels[]
}

export interface Run {
  readonly startMs: number
  readonly moments: readonly Moment[]
  readonly received: readonly Received[]
}

/** A series, `[value, minutes]` after each other, one sample each quarter of a minute; no value = no samples. */
export type Course = readonly (readonly [value: number | undefined, minutes: number])[]

/** Evaluates group `g` each half minute for as long as the longest series, beside a receiver of alerts. */
export async function runCompliance(rules: string, series: Readonly<Record<string, Course>>): Promise<Run> {
  const startMs =
    1_700_000_000_000 - (1_700_000_000_000 % INTERVAL_MS) + slotOffsetMs({ file: 'r.yml', name: 'g' }, INTERVAL_MS)
  const clock = new ManualClock(startMs)
  const store = new TestStore()
  for (const [name, course] of Object.entries(series)) {
    const values = course.flatMap(([value, minutes]) =>
      Array.from({ length: minutes * SAMPLES_PER_MINUTE }, () => (value === undefined ? '_' : String(value))),
    )
    store.addInput(parseSeriesLine(`${name} ${values.join(' ')}`), startMs, SAMPLE_INTERVAL_MS)
  }
  const engine = createEngine({
    lookbackDeltaMs: 300_000,
    defaultSubqueryStepMs: () => INTERVAL_MS,
    maxSamples: 1e6,
    clock,
  })
  const query = async (expr: string, timeMs: number): Promise<InstantValue> =>
    engine.instant(store, expr, timeMs).result as InstantValue
  const received: Received[] = []
  const notifier = createExternalNotifier({ clock, logger: silentLogger, registry: new Registry() })
  const client = receiver(clock, startMs, received)
  notifier.setAlertmanagers([{ url: 'http://alertmanager.example', client, timeoutMs: 10_000 }])
  const manager = createRuleManager({
    clock,
    logger: silentLogger,
    registry: new Registry(),
    query,
    queryRange: async () => [],
    appendable: store,
    sink: notifier,
    externalUrl: 'http://bell.example',
    externalLabels: EMPTY_LABELS,
    evaluationIntervalMs: INTERVAL_MS,
    firstEvaluationDelayMs: 0,
    resendDelayMs: RESEND_DELAY_MS,
  })
  await manager.apply(parseRuleFile('r.yml', rules))
  manager.start()
  const moments: Moment[] = []
  const minutes = Math.max(
    ...Object.values(series).map((course) => course.reduce((sum, [, length]) => sum + length, 0)),
  )
  for (let atMs = 0; atMs < minutes * MINUTE_MS; atMs += INTERVAL_MS) {
    await clock.advance(atMs === 0 ? 0 : INTERVAL_MS)
    moments.push(await momentOf(manager, query, { atMs, startMs }))
  }
  await manager.stop()
  await notifier.stop(0)
  return { startMs, moments, received }
}

async function momentOf(
  manager: ReturnType<typeof createRuleManager>,
  query: (expr: string, timeMs: number) => Promise<InstantValue>,
  { atMs, startMs }: { atMs: number; startMs: number },
): Promise<Moment> {
  const found = await query('ALERTS', startMs + atMs)
  const samples = found.type === 'vector' ? found.samples : []
  if (samples.some(({ value }) => value !== 1)) throw new Error('an ALERTS series is not 1')
  const rules = manager.groups().flatMap((group) => group.rules)
  return {
    atMs,
    alerts: manager.alerts().map((alert) => ({
      ...alert,
      labels: labelsToRecord(alert.labels),
      annotations: labelsToRecord(alert.annotations),
      activeAtMs: alert.activeAtMs - startMs,
    })),
    rules: new Map(
      rules.map((rule) => [
        rule.config.name,
        { state: rule.kind === 'alerting' ? rule.state : '', health: rule.health, lastError: rule.lastError },
      ]),
    ),
    alertsSeries: samples.map(({ labels }) => {
      const { [METRIC_NAME]: _, ...others } = labelsToRecord(labels)
      return others
    }),
  }
}

interface PostedAlert {
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL: string
}

/** Takes `POST /api/v2/alerts` at the end of the line, so that no real time passes. */
function receiver(clock: ManualClock, startMs: number, received: Received[]): HttpClient {
  return {
    async request({ url, method, body }) {
      if (method !== 'POST' || new URL(url).pathname !== '/api/v2/alerts')
        return { status: 404, headers: {}, body: new Uint8Array() }
      for (const alert of JSON.parse(String(body)) as PostedAlert[])
        received.push({
          atMs: clock.nowMs() - startMs,
          labels: alert.labels,
          annotations: alert.annotations,
          startsAtMs: Date.parse(alert.startsAt) - startMs,
          endsAtMs: Date.parse(alert.endsAt) - startMs,
          generatorUrl: new URL(alert.generatorURL).href,
        })
      return { status: 200, headers: {}, body: new Uint8Array() }
    },
    close: async () => undefined,
  }
}

/** Whether `labels` are exactly the labels of an alert. */
export const isAlert = (labels: Labels, wanted: Labels): boolean =>
  labelsFromRecord(labels).join('\n') === labelsFromRecord(wanted).join('\n')
