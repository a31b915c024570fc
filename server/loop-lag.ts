import { createHistogram } from 'node:perf_hooks'
import type { Registry } from '../lib/index.ts'
import { gaugeOf } from '../lib/metrics.ts'

const SAMPLE_MS = 200
const NAME = 'nodejs_eventloop_lag'

/** What prom-client measures with a timer of its own, which wakes an idle process up a hundred times a second. */
export const LOOP_LAG_METRICS = ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99'].map(
  (part) => `${NAME}${part}_seconds`,
)

/**
 * How late the event loop serves what is due: a timer's lateness five times a second, as whatever arrives at any moment would
 * find it. Each page of metrics tells of the time since the one before. Nothing keeps the process alive for it.
 */
export function registerLoopLag(registry: Registry): void {
  const latenessNs = createHistogram()
  let lastMs = 0
  let dueMs = performance.now() + SAMPLE_MS
  setInterval(() => {
    const nowMs = performance.now()
    lastMs = Math.max(0, nowMs - dueMs)
    // A histogram of Node begins at 1.
    latenessNs.record(Math.max(1, Math.round(lastMs * 1e6)))
    dueMs = nowMs + SAMPLE_MS
  }, SAMPLE_MS).unref()
  const seconds = (ns: number): number => (latenessNs.count === 0 ? 0 : ns / 1e9)
  const gauge = (part: string, help: string, value: () => number): void =>
    void gaugeOf(registry, `${NAME}${part}_seconds`, help, value)
  gauge('_min', 'The least lateness of the event loop.', () => seconds(latenessNs.min))
  gauge('_max', 'The greatest lateness of the event loop.', () => seconds(latenessNs.max))
  gauge('_mean', 'The mean lateness of the event loop.', () => seconds(latenessNs.mean))
  gauge('_stddev', 'The standard deviation of the lateness of the event loop.', () => seconds(latenessNs.stddev))
  for (const rank of [50, 90, 99]) {
    gauge(`_p${rank}`, `The ${rank}th percentile of the lateness of the event loop.`, () =>
      seconds(latenessNs.percentile(rank)),
    )
  }
  // The last one collected begins anew.
  gauge('', 'Lateness of the event loop in seconds.', () => {
    latenessNs.reset()
    return lastMs / 1000
  })
}
