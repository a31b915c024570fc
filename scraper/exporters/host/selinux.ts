import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'

export function createSelinuxCollector(files: HostFiles): Collector {
  return {
    name: 'selinux',
    collect(page) {
      const enforcing = ifPresent(() => files.sys('fs/selinux/enforce'))
      page.single('node_selinux_enabled', 'gauge', 'Whether SELinux is on.', enforcing === undefined ? 0 : 1)
      if (enforcing === undefined) return
      page.single(
        'node_selinux_current_mode',
        'gauge',
        '1 where SELinux enforces, 0 where it only notes.',
        Number(enforcing),
      )
    },
  }
}
