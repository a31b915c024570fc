import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'

const MICROSECONDS_PER_SECOND = 1e6

// Which resource has which line of interest: a whole system is never stalled for CPU, and for interrupts only that counts.
const FAMILIES = [
  ['cpu', 'some', 'waiting', 'Time in which at least one task waited for a CPU, in seconds.'],
  ['io', 'some', 'waiting', 'Time in which at least one task waited for input or output, in seconds.'],
  ['io', 'full', 'stalled', 'Time in which all tasks waited for input or output, in seconds.'],
  ['memory', 'some', 'waiting', 'Time in which at least one task waited for memory, in seconds.'],
  ['memory', 'full', 'stalled', 'Time in which all tasks waited for memory, in seconds.'],
  ['irq', 'full', 'stalled', 'Time in which all tasks waited for interrupts to be handled, in seconds.'],
] as const

export function createPressureCollector(files: HostFiles): Collector {
  return {
    name: 'pressure',
    collect(page) {
      for (const [resource, line, state, help] of FAMILIES) {
        // All absent on kernels before 4.20 and unreadable when started with psi=0; only some, on kernels before 6.1.
        const read = (): string => files.proc(`pressure/${resource}`)
        const text = resource === 'cpu' ? read() : ifPresent(read)
        const total = text && new RegExp(`^${line} .*total=(\\d+)`, 'm').exec(text)?.[1]
        if (!total) continue
        page.single(
          `node_pressure_${resource}_${state}_seconds_total`,
          'counter',
          help,
          Number(total) / MICROSECONDS_PER_SECOND,
        )
      }
    },
  }
}
