// All hosts of a job beside each other: how used, how saturated, what fails. `$job` = matchers of the job.
import type { Board } from '../model/board.ts'
import { lines, stat } from './panel-kit.ts'

const DISKS = '$job,device!~"loop.*|ram.*|sr.*"'
const FILES = '$job,fstype!~"tmpfs|ramfs|squashfs|overlay|autofs|devtmpfs"'
const NICS = '$job,device!~"lo|veth.*|docker.*|br-.*"'
const CPU_BUSY =
  '1 - avg by (instance) (sum without (mode) (rate(node_cpu_seconds_total{$job,mode=~"idle|iowait|steal"}[$__rate_interval])))'
const MEMORY_USED = '1 - node_memory_MemAvailable_bytes{$job} / node_memory_MemTotal_bytes{$job}'
const LOAD_PER_CORE =
  'max by (instance) (node_load1{$job}) / count by (instance) (node_cpu_seconds_total{$job,mode="idle"})'
const DISK_FULL = `max by (instance) (1 - node_filesystem_avail_bytes{${FILES}} / node_filesystem_size_bytes{${FILES}})`
const LEGEND = '{{instance}}'

export const fleetBoard: Board = {
  uid: 'fleet',
  title: 'Hosts of a job',
  rows: [
    {
      id: 'fleet-now',
      title: 'Now',
      panels: [
        stat('fleet-hosts', 'Hosts', 'none', 'count(up{$job} == 1)'),
        stat('fleet-down', 'Down', 'none', 'count(up{$job} == 0) or vector(0)', { thresholds: { crit: 1 } }),
        stat('fleet-cpu', 'CPU', 'percentunit', `avg(${CPU_BUSY})`, { thresholds: { warn: 0.8, crit: 0.95 } }),
        stat('fleet-memory', 'Memory', 'percentunit', `avg(${MEMORY_USED})`, { thresholds: { warn: 0.9 } }),
        stat('fleet-fullest', 'Fullest disk', 'percentunit', `max(${DISK_FULL})`, {
          needs: ['node_filesystem_avail_bytes'],
          thresholds: { warn: 0.85, crit: 0.95 },
        }),
        stat(
          'fleet-traffic',
          'Network',
          'Bps',
          `sum(rate(node_network_receive_bytes_total{${NICS}}[$__rate_interval])) + sum(rate(node_network_transmit_bytes_total{${NICS}}[$__rate_interval]))`,
          { needs: ['node_network_receive_bytes_total'] },
        ),
      ],
    },
    {
      id: 'fleet-table',
      title: 'Hosts',
      panels: [
        {
          id: 'fleet-hosts-table',
          kind: 'table',
          title: 'Every host, busiest first',
          unit: 'short',
          span: 12,
          by: ['instance'],
          queries: [
            { expr: CPU_BUSY },
            { expr: LOAD_PER_CORE },
            { expr: MEMORY_USED },
            { expr: DISK_FULL },
            {
              expr: 'time() - max by (instance) (node_boot_time_seconds{$job})',
            },
          ],
          columns: [
            { title: 'CPU', unit: 'percentunit', thresholds: { warn: 0.8, crit: 0.95 } },
            { title: 'Load per core', unit: 'short', thresholds: { warn: 2 } },
            { title: 'Memory', unit: 'percentunit', thresholds: { warn: 0.9 } },
            { title: 'Fullest disk', unit: 'percentunit', thresholds: { warn: 0.85, crit: 0.95 } },
            { title: 'Up for', unit: 'dtdurations' },
          ],
        },
      ],
    },
    {
      id: 'fleet-cpu-row',
      title: 'CPU and memory',
      panels: [
        lines('fleet-cpu-use', 'CPU utilisation', 'percentunit', [{ expr: CPU_BUSY, legend: LEGEND }], {
          needs: ['node_cpu_seconds_total'],
          span: 6,
          max: 1,
        }),
        lines('fleet-cpu-wait', 'CPU saturation: load per core', 'short', [{ expr: LOAD_PER_CORE, legend: LEGEND }], {
          needs: ['node_load1'],
          span: 6,
          thresholds: { warn: 2 },
        }),
        lines('fleet-memory-use', 'Memory utilisation', 'percentunit', [{ expr: MEMORY_USED, legend: LEGEND }], {
          needs: ['node_memory_MemAvailable_bytes'],
          span: 6,
          max: 1,
        }),
        lines(
          'fleet-memory-wait',
          'Memory saturation: pages read back',
          'cps',
          [{ expr: 'rate(node_vmstat_pgmajfault{$job}[$__rate_interval])', legend: LEGEND }],
          { needs: ['node_vmstat_pgmajfault'], span: 6, thresholds: { warn: 500 } },
        ),
      ],
    },
    {
      id: 'fleet-io-row',
      title: 'Disk and network',
      panels: [
        lines(
          'fleet-disk-use',
          'Disk utilisation',
          'percentunit',
          [
            {
              expr: `max by (instance) (rate(node_disk_io_time_seconds_total{${DISKS}}[$__rate_interval]))`,
              legend: LEGEND,
            },
          ],
          { needs: ['node_disk_io_time_seconds_total'], span: 6, hint: 'The busiest disk of each host.' },
        ),
        lines(
          'fleet-disk-wait',
          'Disk saturation: requests waiting',
          'short',
          [
            {
              expr: `max by (instance) (rate(node_disk_io_time_weighted_seconds_total{${DISKS}}[$__rate_interval]))`,
              legend: LEGEND,
            },
          ],
          { needs: ['node_disk_io_time_weighted_seconds_total'], span: 6, thresholds: { warn: 10 } },
        ),
        lines(
          'fleet-network-use',
          'Network',
          'Bps',
          [
            {
              expr: `sum by (instance) (rate(node_network_receive_bytes_total{${NICS}}[$__rate_interval]))`,
              legend: '{{instance}} received',
            },
            {
              expr: `sum by (instance) (rate(node_network_transmit_bytes_total{${NICS}}[$__rate_interval]))`,
              legend: '{{instance}} sent',
              mirrored: true,
            },
          ],
          { needs: ['node_network_receive_bytes_total'], span: 6 },
        ),
        lines(
          'fleet-network-faults',
          'Packets dropped or damaged',
          'pps',
          [
            {
              expr: `sum by (instance) (rate(node_network_receive_drop_total{${NICS}}[$__rate_interval]) + rate(node_network_receive_errs_total{${NICS}}[$__rate_interval]))`,
              legend: LEGEND,
            },
          ],
          { needs: ['node_network_receive_drop_total'], span: 6 },
        ),
      ],
    },
  ],
}
