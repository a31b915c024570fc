import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import type { PageType } from './page.ts'

const FIELDS: readonly (readonly [field: string, name: string, type: PageType, help: string])[] = [
  ['btime', 'node_boot_time_seconds', 'gauge', 'When the host started, in Unix seconds.'],
  ['ctxt', 'node_context_switches_total', 'counter', 'Context switches.'],
  ['processes', 'node_forks_total', 'counter', 'Processes and threads created.'],
  ['intr', 'node_intr_total', 'counter', 'Interrupts serviced.'],
  ['procs_blocked', 'node_procs_blocked', 'gauge', 'Processes waiting for input or output.'],
  ['procs_running', 'node_procs_running', 'gauge', 'Processes that run or could run.'],
]

export function createStatCollector(files: HostFiles): Collector {
  return {
    name: 'stat',
    collect(page) {
      const values = new Map<string, number>()
      for (const line of files.proc('stat').split('\n')) {
        const [field, first] = line.split(' ', 2)
        if (first !== undefined) values.set(field!, Number(first))
      }
      for (const [field, name, type, help] of FIELDS) {
        const value = values.get(field)
        if (value !== undefined) page.single(name, type, help, value)
      }
    },
  }
}
