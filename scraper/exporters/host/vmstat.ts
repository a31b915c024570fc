import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'

const WANTED = /^(?:oom_kill|pgpg|pswp|pg.*fault)/

export function createVmstatCollector(files: HostFiles): Collector {
  return {
    name: 'vmstat',
    collect(page) {
      for (const line of files.proc('vmstat').split('\n')) {
        if (!WANTED.test(line)) continue
        const [field, value] = line.split(' ', 2)
        page.single(`node_vmstat_${field}`, 'untyped', `${field} of /proc/vmstat.`, Number(value))
      }
    },
  }
}
