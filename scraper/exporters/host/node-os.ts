import { cpus, freemem, hostname, loadavg, machine, release, totalmem, type, uptime, version } from 'node:os'
import type { Clock } from '../../../lib/index.ts'
import type { Collector } from './collector.ts'
import { labelText } from './page.ts'

const MODES = ['user', 'nice', 'sys', 'idle', 'irq'] as const

/** What Node knows of the host on systems without /proc, under the names the Linux collectors use. */
export function createNodeOsCollectors(clock: Clock): Collector[] {
  return [
    {
      name: 'cpu',
      collect(page) {
        page.family('node_cpu_seconds_total', 'counter', 'CPU time by mode, in seconds.')
        for (const [i, { times }] of cpus().entries())
          for (const mode of MODES)
            page.sample(labelText({ cpu: String(i), mode: mode === 'sys' ? 'system' : mode }), times[mode] / 1000)
      },
    },
    {
      name: 'boottime',
      collect(page) {
        const bootSeconds = Math.round(clock.nowMs() / 1000 - uptime())
        page.single('node_boot_time_seconds', 'gauge', 'When the host started, in Unix seconds.', bootSeconds)
      },
    },
    {
      name: 'loadavg',
      collect(page) {
        if (process.platform === 'win32') return // Windows has no load average; Node answers zeros.
        const [load1, load5, load15] = loadavg() as [number, number, number]
        page.single('node_load1', 'gauge', 'Load average over 1 minute.', load1)
        page.single('node_load15', 'gauge', 'Load average over 15 minutes.', load15)
        page.single('node_load5', 'gauge', 'Load average over 5 minutes.', load5)
      },
    },
    {
      name: 'meminfo',
      collect(page) {
        // Both namings: macOS' own, and Linux' so that dashboards work.
        for (const name of ['MemTotal', 'total'])
          page.single(`node_memory_${name}_bytes`, 'gauge', 'Memory of the host in bytes.', totalmem())
        for (const name of ['MemFree', 'MemAvailable', 'free'])
          page.single(`node_memory_${name}_bytes`, 'gauge', 'Memory not in use, in bytes.', freemem())
      },
    },
    {
      name: 'uname',
      collect(page) {
        page.family('node_uname_info', 'gauge', 'Names and versions of host and kernel; always 1.')
        page.sample(
          labelText({
            domainname: '(none)',
            machine: machine(),
            nodename: hostname(),
            release: release(),
            sysname: type(),
            version: version(),
          }),
          1,
        )
      },
    },
  ]
}
