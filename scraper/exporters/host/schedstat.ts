import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

const NS_PER_SECOND = 1e9
const COLUMNS = [
  [7, NS_PER_SECOND, 'running_seconds_total', 'Time the CPU has run tasks.'],
  [8, NS_PER_SECOND, 'waiting_seconds_total', 'Time tasks have waited for this CPU.'],
  [9, 1, 'timeslices_total', 'Time slices the CPU has run.'],
] as const

export function createSchedstatCollector(files: HostFiles): Collector {
  return {
    name: 'schedstat',
    collect(page) {
      const text = ifPresent(() => files.proc('schedstat')) ?? ''
      const cpus = text
        .split('\n')
        .filter((line) => /^cpu\d+ /.test(line))
        .map((line) => line.split(' '))
      if (cpus.length === 0) return
      for (const [column, scale, name, help] of COLUMNS) {
        page.family(`node_schedstat_${name}`, 'counter', help)
        for (const fields of cpus) {
          page.sample(labelText({ cpu: fields[0]!.slice(3) }), Number(fields[column] ?? 0) / scale)
        }
      }
    },
  }
}
