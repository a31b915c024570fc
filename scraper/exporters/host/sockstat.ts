import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { pageBytes } from './page-bytes.ts'

export function createSockstatCollector(files: HostFiles): Collector {
  const bytesPerPage = pageBytes()
  return {
    name: 'sockstat',
    collect(page) {
      const text = files.proc('net/sockstat') + (ifPresent(() => files.proc('net/sockstat6')) ?? '')
      for (const line of text.split('\n')) {
        const [head, ...pairs] = line.split(' ')
        const protocol = head!.slice(0, -1)
        for (let i = 0; i + 1 < pairs.length; i += 2) {
          const field = pairs[i]!
          const value = Number(pairs[i + 1])
          const name = `node_sockstat_${protocol}_${field}`
          page.single(name, 'gauge', `Sockets: ${protocol} ${field}.`, value)
          if (field === 'mem' && protocol !== 'FRAG')
            page.single(`${name}_bytes`, 'gauge', `Sockets: ${protocol} memory in bytes.`, value * bytesPerPage)
        }
      }
    },
  }
}
