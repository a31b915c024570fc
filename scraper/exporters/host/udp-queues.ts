import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

const TABLES = [
  ['net/udp', 'v4'],
  ['net/udp6', 'v6'],
] as const

export function createUdpQueuesCollector(files: HostFiles): Collector {
  return {
    name: 'udp_queues',
    collect(page) {
      page.family('node_udp_queues', 'gauge', 'Bytes of datagrams that wait in the kernel.')
      for (const [path, ip] of TABLES) {
        const text = ifPresent(() => files.proc(path))
        if (text === undefined) continue
        let sent = 0
        let received = 0
        // The fifth column is `tx:rx`, in hexadecimal.
        for (const [, tx, rx] of text.matchAll(/^\s*\d+: \S+ \S+ \S+ ([0-9A-F]+):([0-9A-F]+)/gim)) {
          sent += Number.parseInt(tx!, 16)
          received += Number.parseInt(rx!, 16)
        }
        page.sample(labelText({ ip, queue: 'rx' }), received)
        page.sample(labelText({ ip, queue: 'tx' }), sent)
      }
    },
  }
}
