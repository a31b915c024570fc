import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { systemClock } from '../../../lib/index.ts'
import { silentLogger } from '../../../lib/log.ts'
import { type Labels, labelsText, METRIC_NAME, readExposition, withLabels } from '../../../model/index.ts'
import { freePort, hasProgram } from '../../../tests/support/programs.ts'
import { createHostExporter } from './index.ts'

// Compares a scrape of this host with one by the real node_exporter at the same moment.

const peer = ['prometheus-node-exporter', 'node_exporter'].find(hasProgram)
if (peer === undefined) console.log('skipped: no node_exporter on PATH (Debian: apt install prometheus-node-exporter)')

const COLLECTORS =
  'arp bonding conntrack cpu cpufreq diskstats entropy filefd filesystem hwmon loadavg meminfo netclass netdev netstat os powersupplyclass pressure schedstat selinux sockstat softnet stat textfile thermal_zone time timex udp_queues uname vmstat'
const EXCLUDED_MOUNTS = '^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)'
const EXCLUDED_TYPES =
  '^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|erofs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$'
const EXCLUDED_DISKS = '^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$'

/** Series only one of the two has, with the reason. */
const DIFFERENCES: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^(?:go_|process_|promhttp_)/, 'metrics of the exporter process itself, which is not a process of its own here'],
  [/^node_exporter_build_info/, 'names its own version'],
  [/^node_filesystem_mount_info/, 'newer than 1.5'],
  [/^node_softnet_(?:received_rps|flow_limit_count)_total/, 'newer than 1.5'],
  [/^node_netstat_TcpExt_(?:TCPOFOQueue|TCPRcvQDrop)/, 'newer than 1.5'],
  [/^node_network_speed_bytes/, '1.5 shows an unknown speed as a negative one, newer ones leave it out'],
  [/^node_kernel_hung_tasks|collector="kernel_hung"/, 'newer than 1.5'],
  [/^node_timex_/, 'the kernel cannot be asked from Node: shown where chrony or systemd-timesyncd says it'],
  [/^node_(?:cpu_frequency_(?:min|max)_hertz|cpu_scaling_governor|power_supply_|hwmon_)/, 'differ by version'],
  [/^node_disk_(?:ata|device_mapper|filesystem)_/, 'only with disks that udev describes'],
]

test.skipIf(peer === undefined)('same names and labels as node_exporter, and values close to its', async () => {
  const exporter = createHostExporter({ clock: systemClock, logger: silentLogger })
  const { before, theirs, ours } = await withPeer(async (url) => {
    const before = series(await exporter.scrape())
    const theirs = series(new Uint8Array(await (await fetch(url)).arrayBuffer()))
    return { before, theirs, ours: series(await exporter.scrape()) }
  })
  expect(theirs.size).toBeGreaterThan(100)
  const tolerated = (key: string): boolean => DIFFERENCES.some(([pattern]) => pattern.test(key))
  const missing = [...theirs.keys()].filter((key) => !ours.has(key) && !tolerated(key))
  const extra = [...ours.keys()].filter((key) => !theirs.has(key) && !tolerated(key))
  expect({ missing, extra }).toEqual({ missing: [], extra: [] })

  // What other programs moved between two scrapes lies between ours of before and after.
  const far = [...theirs].filter(
    ([key, value]) => !tolerated(key) && !isClose(key, value, nearest(value, before.get(key), ours.get(key)!)),
  )
  expect(far.map(([key, value]) => `${key}: ${value} against ${ours.get(key)}`)).toEqual([])
})

const nearest = (value: number, before: number | undefined, after: number): number =>
  Math.min(Math.max(value, Math.min(before ?? after, after)), Math.max(before ?? after, after))

/** The host goes on working between the two scrapes; what moves freely is only compared in kind. */
function isClose(key: string, theirs: number, ours: number): boolean {
  if (
    /^node_(?:scrape_collector_duration|scrape_collector_success|udp_queues|hwmon_|thermal_|schedstat_|cpu_(?:scaling_)?frequency|procs_|sockstat_|filefd_allocated|entropy_|load|disk_io_now|arp_)/.test(
      key,
    )
  )
    return true
  if (/^node_memory_(?:Dirty|Writeback|Active|Inactive|AnonPages|Mapped|Percpu|KernelStack|PageTables)/.test(key))
    return true
  return Math.abs(theirs - ours) <= Math.max(Math.abs(theirs) * 0.2, 5000)
}

function series(page: Uint8Array): Map<string, number> {
  const found = new Map<string, number>()
  for (const { samples } of readExposition(page, 'text'))
    for (const { labels, value } of samples) found.set(labelsText(comparable(labels)), value)
  return found
}

/** `adminstate` came after 1.5. */
function comparable(labels: Labels): Labels {
  return labels[labels.indexOf(METRIC_NAME) + 1] === 'node_network_info'
    ? withLabels(labels, [['adminstate', '']])
    : labels
}

async function withPeer<T>(use: (url: string) => Promise<T>): Promise<T> {
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    peer!,
    [
      `--web.listen-address=${address}`,
      '--collector.disable-defaults',
      ...COLLECTORS.split(' ').map((name) => `--collector.${name}`),
      `--collector.filesystem.mount-points-exclude=${EXCLUDED_MOUNTS}`,
      `--collector.filesystem.fs-types-exclude=${EXCLUDED_TYPES}`,
      `--collector.diskstats.device-exclude=${EXCLUDED_DISKS}`,
      '--collector.netdev.device-exclude=^$',
      '--collector.netclass.ignored-devices=^$',
    ],
    { stdio: 'ignore' },
  )
  const ended = once(child, 'exit')
  try {
    const url = `http://${address}/metrics`
    await untilAnswers(url)
    return await use(url)
  } finally {
    child.kill()
    await ended
  }
}

async function untilAnswers(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await (await fetch(url)).arrayBuffer()
      return
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
