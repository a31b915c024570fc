import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'

export function createLoadavgCollector(files: HostFiles): Collector {
  return {
    name: 'loadavg',
    collect(page) {
      const [load1, load5, load15] = files.proc('loadavg').split(' ', 3).map(Number)
      page.single('node_load1', 'gauge', 'Load average over 1 minute.', load1!)
      page.single('node_load15', 'gauge', 'Load average over 15 minutes.', load15!)
      page.single('node_load5', 'gauge', 'Load average over 5 minutes.', load5!)
    },
  }
}
