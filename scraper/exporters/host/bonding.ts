import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

export function createBondingCollector(files: HostFiles): Collector {
  return {
    name: 'bonding',
    collect(page) {
      const masters = (ifPresent(() => files.sys('class/net/bonding_masters')) ?? '')
        .trim()
        .split(/\s+/)
        .filter(Boolean)
      if (masters.length === 0) return
      const bonds = masters.map((master) => {
        const slaves = files.sys(`class/net/${master}/bonding/slaves`).trim().split(/\s+/).filter(Boolean)
        const isUp = (slave: string): boolean =>
          [
            `class/net/${master}/lower_${slave}/bonding_slave/mii_status`,
            `class/net/${slave}/bonding_slave/mii_status`,
          ].some((path) => ifPresent(() => files.sys(path))?.trim() === 'up')
        return { labels: labelText({ master }), slaves: slaves.length, active: slaves.filter(isUp).length }
      })
      page.family('node_bonding_slaves', 'gauge', 'Network cards that belong to the bond.')
      for (const { labels, slaves } of bonds) page.sample(labels, slaves)
      page.family('node_bonding_active', 'gauge', 'Network cards of the bond that work.')
      for (const { labels, active } of bonds) page.sample(labels, active)
    },
  }
}

export function createKernelHungCollector(files: HostFiles): Collector {
  return {
    name: 'kernel_hung',
    collect(page) {
      const text = ifPresent(() => files.proc('sys/kernel/hung_task_detect_count'))
      if (text === undefined) return
      page.single('node_kernel_hung_tasks_total', 'counter', 'Tasks that were found to hang.', Number(text))
      // The name that the best-known dashboard asks for.
      page.single('node_kernel_hung_tasks', 'gauge', 'Tasks that were found to hang.', Number(text))
    },
  }
}
