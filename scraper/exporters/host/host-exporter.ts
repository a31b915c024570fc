import { performance } from 'node:perf_hooks'
import type { Clock, Logger } from '../../../lib/index.ts'
import { createArpCollector } from './arp.ts'
import { createBondingCollector, createKernelHungCollector } from './bonding.ts'
import type { Collector } from './collector.ts'
import { createConntrackCollector } from './conntrack.ts'
import { createCpuCollector } from './cpu.ts'
import { createCpufreqCollector } from './cpufreq.ts'
import { createDiskstatsCollector } from './diskstats.ts'
import { createEntropyCollector } from './entropy.ts'
import { createFilefdCollector } from './filefd.ts'
import { createFilesystemCollector } from './filesystem.ts'
import { HostFiles, isAbsence } from './host-files.ts'
import { createHwmonCollector } from './hwmon.ts'
import { createLoadavgCollector } from './loadavg.ts'
import { createMeminfoCollector } from './meminfo.ts'
import { createNetclassCollector } from './netclass.ts'
import { createNetdevCollector } from './netdev.ts'
import { createNetstatCollector } from './netstat.ts'
import { createNodeOsCollectors } from './node-os.ts'
import { createOsReleaseCollector } from './os-release.ts'
import { labelText, Page } from './page.ts'
import { createPressureCollector } from './pressure.ts'
import { createSchedstatCollector } from './schedstat.ts'
import { createSelinuxCollector } from './selinux.ts'
import { createSockstatCollector } from './sockstat.ts'
import { createSoftnetCollector } from './softnet.ts'
import { createStatCollector } from './stat.ts'
import { createTextfileCollector } from './textfile.ts'
import { createPowerSupplyCollector, createThermalCollector } from './thermal.ts'
import { createTimeCollector } from './time.ts'
import { createTimexCollector } from './timex.ts'
import { createUdpQueuesCollector } from './udp-queues.ts'
import { createUnameCollector } from './uname.ts'
import { createVmstatCollector } from './vmstat.ts'

export interface HostExporterOptions {
  /** Default `/proc`; in a container where the host's is mounted. */
  readonly procPath?: string
  /** Default `/sys`. */
  readonly sysPath?: string
  /** Default `/`; this prefix is taken off the mount points. */
  readonly rootfsPath?: string
  /** Folder whose `*.prom` files are added to the page. Without it there are none. */
  readonly textfileDirectory?: string
  /** For `node_exporter_build_info`. */
  readonly version?: string
  readonly clock: Clock
  readonly logger: Logger
}

/** Metrics of the host this process runs on, under node_exporter's names. */
export interface HostExporter {
  /**
   * One page in text format 0.0.4. A collector that fails is reported as `node_scrape_collector_success 0` and costs its
   * own metrics only. The order of the lines is the same each time.
   */
  scrape(): Promise<Uint8Array>
}

export function createHostExporter(options: HostExporterOptions): HostExporter {
  const logger = options.logger.child({ module: 'host-exporter' })
  const collectors = createCollectors({ ...options, logger })
  const buildInfo = buildInfoText(options.version ?? '')
  const failing = new Set<string>()
  const encoder = new TextEncoder()

  const run = async (collector: Collector): Promise<CollectorResult> => {
    const startMs = performance.now()
    const page = new Page()
    let success = true
    try {
      // Waiting where nothing is awaited would count the other collectors' time.
      const pending = collector.collect(page)
      if (pending !== undefined) await pending
      failing.delete(collector.name)
    } catch (error) {
      success = false
      // Once for each failure, not once a scrape; what a host does not have is no failure to speak of.
      if (!failing.has(collector.name))
        logger[isAbsence(error) ? 'debug' : 'warn']({ err: error, collector: collector.name }, 'collector failed')
      failing.add(collector.name)
    }
    return {
      name: collector.name,
      text: success ? page.toString() : '',
      success,
      durationMs: performance.now() - startMs,
    }
  }

  return {
    async scrape() {
      const page = new Page()
      const results = await Promise.all(collectors.map(run))
      for (const { text } of results) page.raw(text)
      page.raw(buildInfo)
      page.family('node_scrape_collector_duration_seconds', 'gauge', 'How long the collector took, in seconds.')
      for (const { name, durationMs } of results)
        page.sample(labelText({ collector: name }), Math.round(durationMs * 1000) / 1e6)
      page.family('node_scrape_collector_success', 'gauge', 'Whether the collector worked.')
      for (const { name, success } of results) page.sample(labelText({ collector: name }), success ? 1 : 0)
      return encoder.encode(page.toString())
    },
  }
}

interface CollectorResult {
  readonly name: string
  readonly text: string
  readonly success: boolean
  readonly durationMs: number
}

function createCollectors(options: HostExporterOptions): Collector[] {
  const { clock, textfileDirectory, logger } = options
  const everywhere = [createTextfileCollector(textfileDirectory, logger)]
  // Given paths are read on any system, so that a fixture is.
  if (process.platform !== 'linux' && options.procPath === undefined)
    return [...createNodeOsCollectors(clock), createTimeCollector(clock), ...everywhere]
  const rootfsPath = options.rootfsPath ?? '/'
  const files = new HostFiles({
    procPath: options.procPath ?? '/proc',
    sysPath: options.sysPath ?? '/sys',
    rootfsPath,
  })
  return [
    createArpCollector(files),
    createBondingCollector(files),
    createConntrackCollector(files),
    createCpuCollector(files),
    createCpufreqCollector(files),
    createDiskstatsCollector(files),
    createEntropyCollector(files),
    createFilefdCollector(files),
    createFilesystemCollector(files, rootfsPath, clock),
    createHwmonCollector(files),
    createKernelHungCollector(files),
    createLoadavgCollector(files),
    createMeminfoCollector(files),
    createNetclassCollector(files),
    createNetdevCollector(files),
    createNetstatCollector(files),
    createOsReleaseCollector(files),
    createPowerSupplyCollector(files),
    createPressureCollector(files),
    createSchedstatCollector(files),
    createSelinuxCollector(files),
    createSockstatCollector(files),
    createSoftnetCollector(files),
    createStatCollector(files),
    createThermalCollector(files),
    createTimeCollector(clock, files),
    createTimexCollector(files, clock),
    createUdpQueuesCollector(files),
    createUnameCollector(files),
    createVmstatCollector(files),
    ...everywhere,
  ]
}

function buildInfoText(version: string): string {
  const page = new Page()
  page.family('node_exporter_build_info', 'gauge', 'What writes this page; always 1.')
  const labels = { branch: '', goarch: process.arch, goos: process.platform, goversion: '', revision: '', version }
  page.sample(labelText(labels), 1)
  return page.toString()
}
