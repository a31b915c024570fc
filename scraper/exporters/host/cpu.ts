import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import { labelText, type Page } from './page.ts'

// Columns of /proc/stat's cpu lines, in the kernel's order; the last two are contained in user and nice.
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const
const GUEST_MODES = ['user', 'nice'] as const
const TICKS_PER_SECOND = 100 // USER_HZ, fixed by the kernel's interface on every architecture Node runs on.

export function createCpuCollector(files: HostFiles): Collector {
  const labels = new Map<string, string>()
  const labelsOf = (cpu: string, mode: string): string => {
    const key = `${cpu}/${mode}`
    let text = labels.get(key)
    if (text === undefined) labels.set(key, (text = labelText({ cpu, mode })))
    return text
  }
  return {
    name: 'cpu',
    collect(page: Page) {
      const cpus = readCpuLines(files.proc('stat'))
      page.family('node_cpu_guest_seconds_total', 'counter', 'CPU time given to virtual machines, in seconds.')
      for (const { cpu, ticks } of cpus)
        for (const [i, mode] of GUEST_MODES.entries())
          page.sample(labelsOf(cpu, mode), (ticks[MODES.length + i] ?? 0) / TICKS_PER_SECOND)
      page.family('node_cpu_seconds_total', 'counter', 'CPU time by mode, in seconds.')
      for (const { cpu, ticks } of cpus)
        for (const [i, mode] of MODES.entries()) page.sample(labelsOf(cpu, mode), (ticks[i] ?? 0) / TICKS_PER_SECOND)
    },
  }
}

function readCpuLines(stat: string): { cpu: string; ticks: number[] }[] {
  const cpus: { cpu: string; ticks: number[] }[] = []
  for (const line of stat.split('\n')) {
    if (!line.startsWith('cpu')) break // The cpu lines are the first ones.
    const [name, ...ticks] = line.split(/ +/)
    if (name !== 'cpu') cpus.push({ cpu: name!.slice(3), ticks: ticks.map(Number) })
  }
  return cpus
}
