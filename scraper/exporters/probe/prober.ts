import { performance } from 'node:perf_hooks'
import { errorMessage, type Logger } from '../../../lib/index.ts'
import type { ProbeModule, ProbeModules } from './config.ts'
import type { ProbeTls } from './config-keys.ts'
import { dnsProbe } from './dns-probe.ts'
import { httpProbe } from './http-probe.ts'
import { icmpProbe } from './icmp-probe.ts'
import { ProbeResult } from './probe-page.ts'
import { ProbeFailure } from './resolve.ts'
import { tcpProbe, unixProbe } from './tcp-probe.ts'

export interface ProbeRequest {
  readonly target: string
  readonly module: string
  /** Name to ask for where the target is an address: the header Host, and the name of the certificate. '' = none. */
  readonly hostname?: string | undefined
  /** `X-Prometheus-Scrape-Timeout-Seconds`; `undefined` = no scrape behind it. */
  readonly scrapeTimeoutSeconds?: number | undefined
  /** Adds what went on to the page. */
  readonly debug?: boolean | undefined
}

export interface Probed {
  /** False: the probe failed, which is no failure of the request. */
  readonly success: boolean
  /** Text format 0.0.4, or the report for people where `debug` was set. */
  readonly body: string
}

/** Looks at targets from outside, as blackbox_exporter does. */
export interface Prober {
  /** @returns `undefined` when there is no such module */
  probe(request: ProbeRequest): Promise<Probed | undefined>
}

// Leaves time for the answer to get back before the scrape gives up.
const TIMEOUT_OFFSET_SECONDS = 0.5
const TIMEOUT_DEFAULT_SECONDS = 120

/** @param modules asked anew for each probe, so that a reload takes effect */
export function createProber(modules: () => ProbeModules, logger: Logger): Prober {
  const log = logger.child({ module: 'probe' })
  return {
    async probe({ target, module: name, hostname = '', scrapeTimeoutSeconds, debug }) {
      const configured = Object.hasOwn(modules(), name) ? modules()[name] : undefined
      if (configured === undefined) return undefined
      const module = hostname === '' ? configured : withHostname(configured, hostname)
      const timeoutMs = timeoutOf(module, scrapeTimeoutSeconds)
      const report: string[] = []
      const note = (message: string, facts: Readonly<Record<string, unknown>> = {}): void => {
        report.push(`${message} ${JSON.stringify(facts)}`)
        log.debug({ target, probe: name, ...facts }, message)
      }
      const result = new ProbeResult()
      const startMs = performance.now()
      let success = false
      try {
        success = await run(module, target, { result, log: note, deadlineMs: startMs + timeoutMs })
      } catch (error) {
        note('probe failed', { why: errorMessage(error) })
        if (!(error instanceof ProbeFailure)) log.warn({ err: error, target, probe: name }, 'probe broke off')
      }
      const seconds = (performance.now() - startMs) / 1000
      result.set('probe_duration_seconds', 'How long the probe took, in seconds.', seconds)
      result.set('probe_timeout_seconds', 'How long it might have taken.', timeoutMs / 1000)
      result.set('probe_success', 'Whether the probe found everything as it should be.', success ? 1 : 0)
      const page = result.page()
      return { success, body: debug ? `Log of the probe:\n${report.join('\n')}\n\nMetrics:\n${page}` : page }
    },
  }
}

async function run(module: ProbeModule, target: string, context: Parameters<typeof httpProbe>[2]): Promise<boolean> {
  switch (module.prober) {
    case 'http':
      return httpProbe(target, module.http, context)
    case 'tcp':
      return tcpProbe(target, module.tcp, context)
    case 'dns':
      return dnsProbe(target, module.dns!, context)
    case 'icmp':
      return icmpProbe(target, module.icmp, context)
    case 'grpc': {
      // HTTP/2 is not needed by most, and a start has no time for it.
      const { grpcProbe } = await import('./grpc-probe.ts')
      return grpcProbe(target, module.grpc, context)
    }
    case 'unix':
      return unixProbe(target, module.unix, context)
  }
}

function withHostname(module: ProbeModule, hostname: string): ProbeModule {
  const { http, tcp, grpc } = module
  const headers = Object.entries(http.headers).filter(([name]) => name.toLowerCase() !== 'host')
  const named = (tls: ProbeTls = { insecure_skip_verify: false }): ProbeTls => ({
    ...tls,
    server_name: tls.server_name ?? hostname,
  })
  return {
    ...module,
    http: { ...http, headers: { ...Object.fromEntries(headers), Host: hostname } },
    tcp: { ...tcp, tls_config: named(tcp.tls_config) },
    grpc: { ...grpc, tls_config: named(grpc.tls_config) },
  }
}

function timeoutOf(module: ProbeModule, scrapeSeconds: number | undefined): number {
  const hasScrape = scrapeSeconds !== undefined && scrapeSeconds > 0
  const offset = hasScrape && scrapeSeconds > TIMEOUT_OFFSET_SECONDS ? TIMEOUT_OFFSET_SECONDS : 0
  const scrapeMs = (hasScrape ? scrapeSeconds - offset : TIMEOUT_DEFAULT_SECONDS) * 1000
  return module.timeoutMs ? Math.min(module.timeoutMs, scrapeMs) : scrapeMs
}
