import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'

export function createMeminfoCollector(files: HostFiles): Collector {
  return {
    name: 'meminfo',
    collect(page) {
      for (const line of files.proc('meminfo').split('\n')) {
        const match = /^([^:]+):\s+(\d+)( kB)?/.exec(line)
        if (match === null) continue
        const [, field, value, unit] = match
        // Active(anon) becomes Active_anon.
        const name = field!.replace(/\((.*)\)/, '_$1').replaceAll(/[^a-zA-Z0-9_]/g, '_')
        const suffix = unit === undefined ? '' : '_bytes'
        const scale = unit === undefined ? 1 : 1024
        page.single(`node_memory_${name}${suffix}`, 'gauge', `${field} of /proc/meminfo.`, Number(value) * scale)
      }
    },
  }
}
