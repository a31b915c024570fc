import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText, type PageType } from './page.ts'

const SECTOR_BYTES = 512
const IGNORED_DEVICES = /^(?:z?ram|loop|fd|(?:h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/

interface Column {
  readonly index: number
  readonly name: string
  readonly type: PageType
  readonly help: string
  readonly factor?: number
  readonly divisor?: number
}

// Columns of /proc/diskstats after major, minor and name. Older kernels have the first 11 or 15 only.
const COLUMNS: readonly Column[] = [
  { index: 0, name: 'reads_completed_total', type: 'counter', help: 'Reads completed.' },
  { index: 1, name: 'reads_merged_total', type: 'counter', help: 'Reads merged with an adjacent one.' },
  { index: 2, name: 'read_bytes_total', type: 'counter', help: 'Bytes read.', factor: SECTOR_BYTES },
  {
    index: 3,
    name: 'read_time_seconds_total',
    type: 'counter',
    help: 'Time spent by reads, in seconds.',
    divisor: 1000,
  },
  { index: 4, name: 'writes_completed_total', type: 'counter', help: 'Writes completed.' },
  { index: 5, name: 'writes_merged_total', type: 'counter', help: 'Writes merged with an adjacent one.' },
  { index: 6, name: 'written_bytes_total', type: 'counter', help: 'Bytes written.', factor: SECTOR_BYTES },
  {
    index: 7,
    name: 'write_time_seconds_total',
    type: 'counter',
    help: 'Time spent by writes, in seconds.',
    divisor: 1000,
  },
  { index: 8, name: 'io_now', type: 'gauge', help: 'Requests in flight.' },
  {
    index: 9,
    name: 'io_time_seconds_total',
    type: 'counter',
    help: 'Time in which the device was busy, in seconds.',
    divisor: 1000,
  },
  {
    index: 10,
    name: 'io_time_weighted_seconds_total',
    type: 'counter',
    help: 'Busy time multiplied by the requests in flight, in seconds.',
    divisor: 1000,
  },
  { index: 11, name: 'discards_completed_total', type: 'counter', help: 'Discards completed.' },
  { index: 12, name: 'discards_merged_total', type: 'counter', help: 'Discards merged with an adjacent one.' },
  { index: 13, name: 'discarded_sectors_total', type: 'counter', help: 'Sectors discarded.' },
  {
    index: 14,
    name: 'discard_time_seconds_total',
    type: 'counter',
    help: 'Time spent by discards, in seconds.',
    divisor: 1000,
  },
  { index: 15, name: 'flush_requests_total', type: 'counter', help: 'Flush requests completed.' },
  {
    index: 16,
    name: 'flush_requests_time_seconds_total',
    type: 'counter',
    help: 'Time spent by flush requests, in seconds.',
    divisor: 1000,
  },
]

interface Disk {
  readonly device: string
  readonly major: string
  readonly minor: string
  readonly labels: string
  readonly values: readonly number[]
}

export function createDiskstatsCollector(files: HostFiles): Collector {
  return {
    name: 'diskstats',
    collect(page) {
      const disks = parseDiskstats(files.proc('diskstats'))
      for (const column of COLUMNS) {
        const present = disks.filter((disk) => disk.values.length > column.index)
        if (present.length === 0) continue
        page.family(`node_disk_${column.name}`, column.type, column.help)
        for (const disk of present)
          page.sample(disk.labels, (disk.values[column.index]! * (column.factor ?? 1)) / (column.divisor ?? 1))
      }
      page.family('node_disk_info', 'gauge', 'What udev knows of the device; always 1.')
      for (const disk of disks) page.sample(labelText(infoLabels(files, disk)), 1)
    },
  }
}

function parseDiskstats(text: string): Disk[] {
  const disks: Disk[] = []
  for (const line of text.split('\n')) {
    const [major, minor, device, ...values] = line.trim().split(/ +/)
    if (device === undefined || IGNORED_DEVICES.test(device)) continue
    disks.push({ device, major: major!, minor: minor!, labels: labelText({ device }), values: values.map(Number) })
  }
  return disks
}

function infoLabels(files: HostFiles, disk: Disk): Record<string, string> {
  const udev = new Map<string, string>()
  const text = ifPresent(() => files.rootfs(`run/udev/data/b${disk.major}:${disk.minor}`)) ?? ''
  for (const [, key, value] of text.matchAll(/^E:([^=\n]+)=(.*)$/gm)) udev.set(key!, value!)
  return {
    device: disk.device,
    major: disk.major,
    minor: disk.minor,
    model: udev.get('ID_MODEL') ?? '',
    path: udev.get('ID_PATH') ?? '',
    revision: udev.get('ID_REVISION') ?? '',
    serial: udev.get('ID_SERIAL_SHORT') ?? '',
    wwn: udev.get('ID_WWN') ?? '',
  }
}
