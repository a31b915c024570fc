import { machine } from 'node:os'
import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

export function createUnameCollector(files: HostFiles): Collector {
  const read = (name: string): string => ifPresent(() => files.proc(`sys/kernel/${name}`))?.trim() ?? ''
  return {
    name: 'uname',
    collect(page) {
      page.family('node_uname_info', 'gauge', 'Names and versions of host and kernel; always 1.')
      page.sample(
        labelText({
          domainname: read('domainname'),
          machine: machine(),
          nodename: read('hostname'),
          release: read('osrelease'),
          sysname: read('ostype'),
          version: read('version'),
        }),
        1,
      )
    },
  }
}
