import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'

export function createEntropyCollector(files: HostFiles): Collector {
  const read = (name: string): number => Number(files.proc(`sys/kernel/random/${name}`))
  return {
    name: 'entropy',
    collect(page) {
      page.single('node_entropy_available_bits', 'gauge', 'Entropy available, in bits.', read('entropy_avail'))
      page.single('node_entropy_pool_size_bits', 'gauge', 'Size of the entropy pool, in bits.', read('poolsize'))
    },
  }
}
