import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'

export function createFilefdCollector(files: HostFiles): Collector {
  return {
    name: 'filefd',
    collect(page) {
      const [allocated, , maximum] = files.proc('sys/fs/file-nr').trim().split('\t')
      page.single('node_filefd_allocated', 'gauge', 'File descriptors in use on the host.', Number(allocated))
      page.single('node_filefd_maximum', 'gauge', 'File descriptors the host allows.', Number(maximum))
    },
  }
}
