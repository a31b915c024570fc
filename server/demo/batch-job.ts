import { type Clock, errorMessage } from '../../lib/index.ts'
import { Counter, Gauge, Registry } from '../../lib/metrics.ts'
import { Pushgateway } from 'prom-client'

const INTERVAL_MS = 15_000

/** A nightly report that runs every 15 seconds, and pushes what it did when it is through. @returns a function that ends it */
export function startBatchJob(options: {
  readonly pushgatewayUrl: string
  readonly clock: Clock
  readonly onError: (message: string) => void
}): () => void {
  const { clock, onError } = options
  const registry = new Registry()
  const registers = [registry]
  const rows = new Gauge({ name: 'report_rows', help: 'Rows of the last report.', registers })
  const duration = new Gauge({ name: 'report_duration_seconds', help: 'How long the last report took.', registers })
  const success = new Gauge({
    name: 'report_last_success_timestamp_seconds',
    help: 'When a report last went well, in Unix seconds.',
    registers,
  })
  const runs = new Counter({ name: 'report_runs_total', help: 'Reports made.', registers })
  const gateway = new Pushgateway(options.pushgatewayUrl, {}, registry)
  let cancel: () => void = () => undefined
  const run = async (): Promise<void> => {
    cancel = clock.schedule(INTERVAL_MS, () => void run())
    rows.set(Math.round(900 + Math.random() * 200))
    duration.set(Math.round(2000 + Math.random() * 1000) / 1000)
    success.set(clock.nowMs() / 1000)
    runs.inc()
    try {
      await gateway.push({ jobName: 'nightly_report', groupings: { shop: 'main' } })
    } catch (error) {
      onError(`the report could not be pushed: ${errorMessage(error)}`)
    }
  }
  void run()
  return () => cancel()
}
