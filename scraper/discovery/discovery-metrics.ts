import type { Registry } from '../../lib/index.ts'
import { Counter, Gauge, Summary } from '../../lib/metrics.ts'
import type { DiscoveryHears } from './poll.ts'

/** What discovery says about itself, under the reference's names. */
export type DiscoveryMetrics = ReturnType<typeof createDiscoveryMetrics>

/** Counters that some mechanisms have beside the one for all; alerts ask for them by name. */
const OWN_FAILURES: Readonly<Record<string, string>> = {
  azure: 'prometheus_sd_azure_failures_total',
  consul: 'prometheus_sd_consul_rpc_failures_total',
  dns: 'prometheus_sd_dns_lookup_failures_total',
  file: 'prometheus_sd_file_read_errors_total',
  http: 'prometheus_sd_http_failures_total',
  kubernetes: 'prometheus_sd_kubernetes_failures_total',
}
const MANAGER = 'scrape'

export function createDiscoveryMetrics(registry: Registry) {
  const registers = [registry]
  const perJob = ['mechanism', 'config'] as const
  const discovered = new Gauge({
    name: 'prometheus_sd_discovered_targets',
    help: 'Current number of discovered targets.',
    labelNames: ['name', 'config'],
    registers,
  })
  const failures = new Counter({
    name: 'prometheus_sd_refresh_failures_total',
    help: 'Number of refresh failures for the given SD mechanism.',
    labelNames: perJob,
    registers,
  })
  const durations = new Summary({
    name: 'prometheus_sd_refresh_duration_seconds',
    help: 'The duration of a refresh in seconds for the given SD mechanism.',
    labelNames: perJob,
    percentiles: [0.5, 0.9, 0.99],
    maxAgeSeconds: 600,
    ageBuckets: 5,
    registers,
  })
  const fileTimes = new Gauge({
    name: 'prometheus_sd_file_mtime_seconds',
    help: 'Timestamp (mtime) of files read by FileSD. Timestamp is set at read time.',
    labelNames: ['filename'],
    registers,
  })
  const ownFailures = new Map(
    Object.entries(OWN_FAILURES).map(([mechanism, name]) => [
      mechanism,
      new Counter({ name, help: `Number of failures of ${mechanism} service discovery.`, registers }),
    ]),
  )
  const updates = (name: string, help: string): Counter => {
    const counter = new Counter({ name, help, labelNames: ['name'], registers })
    counter.inc({ name: MANAGER }, 0)
    return counter
  }
  const received = updates(
    'prometheus_sd_received_updates_total',
    'Total number of update events received from the SD providers.',
  )
  const sent = updates('prometheus_sd_updates_total', 'Total number of update events sent to the SD consumers.')
  return {
    /** The counter is there from now on, so that its first increase is seen. */
    begin(mechanism: string, config: string): void {
      failures.inc({ mechanism, config }, 0)
    },
    hearing(mechanism: string, config: string): DiscoveryHears {
      return {
        onFailure() {
          failures.inc({ mechanism, config })
          ownFailures.get(mechanism)?.inc()
        },
        onRefresh: (seconds) => durations.observe({ mechanism, config }, seconds),
        onFile(filename, mtimeMs) {
          if (mtimeMs === undefined) fileTimes.remove({ filename })
          else fileTimes.set({ filename }, mtimeMs / 1000)
        },
      }
    },
    received: () => received.inc({ name: MANAGER }),
    setTargets(config: string, count: number): void {
      sent.inc({ name: MANAGER })
      discovered.set({ name: MANAGER, config }, count)
    },
    /** The job is no more. */
    forget(config: string, mechanisms: Iterable<string>): void {
      discovered.remove({ name: MANAGER, config })
      for (const mechanism of mechanisms) for (const one of [failures, durations]) one.remove({ mechanism, config })
    },
  }
}
