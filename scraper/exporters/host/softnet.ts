import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import { labelText } from './page.ts'

const COLUMNS = [
  [0, 'processed', 'Packets processed.'],
  [1, 'dropped', 'Packets dropped because the backlog was full.'],
  [2, 'times_squeezed', 'Times the budget ran out with work left.'],
  [9, 'received_rps', 'Times the CPU was woken to take packets of another one.'],
  [10, 'flow_limit_count', 'Times a flow was limited.'],
] as const
const CPU_COLUMN = 12 // Since Linux 5.10; before, every CPU has its line.

export function createSoftnetCollector(files: HostFiles): Collector {
  return {
    name: 'softnet',
    collect(page) {
      const cpus = files
        .proc('net/softnet_stat')
        .split('\n')
        .filter((line) => line !== '')
        .map((line, i) => {
          const values = line.split(' ').map((word) => Number.parseInt(word, 16))
          return { labels: labelText({ cpu: String(values[CPU_COLUMN] ?? i) }), values }
        })
      for (const [column, name, help] of COLUMNS) {
        page.family(`node_softnet_${name}_total`, 'counter', help)
        for (const { labels, values } of cpus) page.sample(labels, values[column] ?? 0)
      }
    },
  }
}
