import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import { labelText } from './page.ts'

const DEVICE_COLUMN = 5

export function createArpCollector(files: HostFiles): Collector {
  return {
    name: 'arp',
    collect(page) {
      const counts = new Map<string, number>()
      for (const line of files.proc('net/arp').split('\n').slice(1)) {
        const device = line.split(/\s+/)[DEVICE_COLUMN]
        if (device !== undefined) counts.set(device, (counts.get(device) ?? 0) + 1)
      }
      if (counts.size === 0) return
      page.family('node_arp_entries', 'gauge', 'Entries of the ARP table by device.')
      // The kernel lists entries in the order of a hash table.
      for (const device of [...counts.keys()].sort()) page.sample(labelText({ device }), counts.get(device)!)
    },
  }
}
