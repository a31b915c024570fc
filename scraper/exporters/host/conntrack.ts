import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'

const STATISTICS = [
  ['drop', 'Packets dropped because tracking failed.'],
  ['early_drop', 'Entries dropped to make room for new ones.'],
  ['found', 'Lookups that found their entry.'],
  ['ignore', 'Packets of connections that are tracked already.'],
  ['insert', 'Entries inserted.'],
  ['insert_failed', 'Insertions that failed.'],
  ['invalid', 'Packets that cannot be tracked.'],
  ['search_restart', 'Lookups restarted because the table was resized.'],
] as const

export function createConntrackCollector(files: HostFiles): Collector {
  const read = (name: string): number => Number(files.proc(`sys/net/netfilter/nf_conntrack_${name}`))
  return {
    name: 'conntrack',
    collect(page) {
      const entries = read('count')
      page.single('node_nf_conntrack_entries', 'gauge', 'Connections tracked.', entries)
      page.single('node_nf_conntrack_entries_limit', 'gauge', 'Connections that can be tracked.', read('max'))
      const totals = sumColumns(ifPresent(() => files.proc('net/stat/nf_conntrack')) ?? '')
      for (const [name, help] of STATISTICS) {
        const value = totals.get(name)
        if (value !== undefined) page.single(`node_nf_conntrack_stat_${name}`, 'gauge', help, value)
      }
    },
  }
}

/** A header of names, then one line of hexadecimal numbers for each CPU. */
function sumColumns(text: string): Map<string, number> {
  const [header = '', ...lines] = text.trim().split('\n')
  const names = header.split(/\s+/)
  const totals = new Map<string, number>()
  for (const line of lines)
    for (const [i, word] of line.trim().split(/\s+/).entries()) {
      const name = names[i]
      if (name !== undefined) totals.set(name, (totals.get(name) ?? 0) + Number.parseInt(word, 16))
    }
  return totals
}
