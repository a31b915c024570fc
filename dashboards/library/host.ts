// One host by utilisation and saturation of each resource, from node_exporter's metrics. `$host` = matchers of the instance.
import type { Board } from '../model/board.ts'

const DISKS = '$host,device!~"(loop|ram|zram|fd|sr).*"'
const NICS = '$host,device!~"lo|veth.+|docker.+|br-.+|cali.+|flannel.+|cni.+"'
const REAL_FILESYSTEMS = '$host,fstype!~"tmpfs|ramfs|squashfs|devtmpfs|fuse.+|nsfs"'
const CORES = 'scalar(count(count by (cpu) (node_cpu_seconds_total{$host})))'

export const hostBoard: Board = {
  uid: 'host',
  title: 'Host',
  rows: [
    {
      id: 'cpu-memory',
      title: 'CPU and memory',
      panels: [
        {
          id: 'cpu-utilisation',
          kind: 'lines',
          title: 'CPU utilisation',
          hint: 'Share of all cores by what they do. Worry above 90 % for minutes.',
          unit: 'percentunit',
          span: 3,
          needs: ['node_cpu_seconds_total'],
          stack: true,
          fill: true,
          min: 0,
          max: 1,
          queries: [
            {
              expr: 'avg by (mode) (rate(node_cpu_seconds_total{$host,mode="user"}[$__rate_interval]))',
              legend: 'user',
              color: 0,
            },
            {
              expr: 'avg by (mode) (rate(node_cpu_seconds_total{$host,mode="system"}[$__rate_interval]))',
              legend: 'system',
              color: 1,
            },
            {
              expr: 'avg by (mode) (rate(node_cpu_seconds_total{$host,mode="iowait"}[$__rate_interval]))',
              legend: 'waiting for disk',
              color: 3,
            },
            {
              expr: 'avg by (mode) (rate(node_cpu_seconds_total{$host,mode="steal"}[$__rate_interval]))',
              legend: 'stolen',
              color: 5,
            },
            {
              expr: 'sum(avg by (mode) (rate(node_cpu_seconds_total{$host,mode=~"nice|irq|softirq"}[$__rate_interval])))',
              legend: 'other',
              color: 11,
            },
          ],
        },
        {
          id: 'cpu-saturation',
          kind: 'lines',
          title: 'CPU saturation',
          hint: 'Work that waits for a core: load per core (1 = all busy) and the share of time some task waited.',
          unit: 'percentunit',
          span: 3,
          needs: ['node_load1', 'node_pressure_cpu_waiting_seconds_total'],
          min: 0,
          thresholds: { warn: 2 },
          queries: [
            { expr: `node_load1{$host} / ${CORES}`, legend: 'load per core', color: 0 },
            {
              expr: 'rate(node_pressure_cpu_waiting_seconds_total{$host}[$__rate_interval])',
              legend: 'tasks waiting',
              color: 1,
            },
          ],
        },
        {
          id: 'memory-utilisation',
          kind: 'lines',
          title: 'Memory utilisation',
          hint: 'What programs hold, what the kernel can give back, what is free.',
          unit: 'bytes',
          span: 3,
          needs: ['node_memory_MemTotal_bytes'],
          stack: true,
          fill: true,
          min: 0,
          queries: [
            {
              expr: 'node_memory_MemTotal_bytes{$host} - node_memory_MemAvailable_bytes{$host}',
              legend: 'used',
              color: 0,
            },
            {
              expr: 'node_memory_MemAvailable_bytes{$host} - node_memory_MemFree_bytes{$host}',
              legend: 'reclaimable',
              color: 2,
            },
            { expr: 'node_memory_MemFree_bytes{$host}', legend: 'free', color: 11, unfilled: true },
          ],
        },
        {
          id: 'memory-saturation',
          kind: 'lines',
          title: 'Memory saturation',
          hint: 'Pages fetched from disk because memory is short. Worry above 500 major faults per second.',
          unit: 'ops',
          span: 3,
          needs: ['node_vmstat_pgmajfault'],
          min: 0,
          thresholds: { warn: 500 },
          queries: [
            { expr: 'rate(node_vmstat_pgmajfault{$host}[$__rate_interval])', legend: 'major faults', color: 0 },
            { expr: 'rate(node_vmstat_pswpin{$host}[$__rate_interval])', legend: 'swap in', color: 1 },
            { expr: 'rate(node_vmstat_pswpout{$host}[$__rate_interval])', legend: 'swap out', color: 3 },
          ],
        },
      ],
    },
    {
      id: 'disk',
      title: 'Disks',
      panels: [
        {
          id: 'disk-utilisation',
          kind: 'lines',
          title: 'Disk utilisation',
          hint: 'Share of time the device had work.',
          unit: 'percentunit',
          span: 3,
          needs: ['node_disk_io_time_seconds_total'],
          min: 0,
          fill: true,
          queries: [
            { expr: `rate(node_disk_io_time_seconds_total{${DISKS}}[$__rate_interval])`, legend: '{{device}}' },
          ],
        },
        {
          id: 'disk-saturation',
          kind: 'lines',
          title: 'Disk saturation',
          hint: 'Mean length of the queue. Worry above 10.',
          unit: 'short',
          span: 3,
          needs: ['node_disk_io_time_weighted_seconds_total'],
          min: 0,
          thresholds: { warn: 10 },
          queries: [
            {
              expr: `rate(node_disk_io_time_weighted_seconds_total{${DISKS}}[$__rate_interval])`,
              legend: '{{device}}',
            },
          ],
        },
        {
          id: 'disk-throughput',
          kind: 'lines',
          title: 'Disk throughput',
          hint: 'Bytes read (above zero) and written (below zero).',
          unit: 'Bps',
          span: 3,
          needs: ['node_disk_read_bytes_total'],
          fill: true,
          queries: [
            {
              expr: `sum(rate(node_disk_read_bytes_total{${DISKS}}[$__rate_interval]))`,
              legend: 'read',
              color: 0,
            },
            {
              expr: `sum(rate(node_disk_written_bytes_total{${DISKS}}[$__rate_interval]))`,
              legend: 'written',
              color: 1,
              mirrored: true,
            },
          ],
        },
        {
          id: 'disk-space',
          kind: 'bars',
          title: 'Disk space',
          hint: 'Used share of each file system and what is left for ordinary users.',
          unit: 'percentunit',
          span: 3,
          needs: ['node_filesystem_size_bytes'],
          thresholds: { warn: 0.8, crit: 0.95 },
          detailUnit: 'bytes',
          queries: [
            {
              expr: `1 - max by (mountpoint) (node_filesystem_avail_bytes{${REAL_FILESYSTEMS}}) / max by (mountpoint) (node_filesystem_size_bytes{${REAL_FILESYSTEMS}} > 0)`,
              legend: '{{mountpoint}}',
            },
            {
              expr: `max by (mountpoint) (node_filesystem_avail_bytes{${REAL_FILESYSTEMS}})`,
              legend: '{{mountpoint}}',
            },
          ],
        },
      ],
    },
    {
      id: 'network',
      title: 'Network and processes',
      panels: [
        {
          id: 'network-traffic',
          kind: 'lines',
          title: 'Network traffic',
          hint: 'Bytes received (above zero) and sent (below zero) by interface.',
          unit: 'Bps',
          span: 3,
          needs: ['node_network_receive_bytes_total'],
          fill: true,
          queries: [
            {
              expr: `rate(node_network_receive_bytes_total{${NICS}}[$__rate_interval])`,
              legend: '{{device}} received',
            },
            {
              expr: `rate(node_network_transmit_bytes_total{${NICS}}[$__rate_interval])`,
              legend: '{{device}} sent',
              mirrored: true,
            },
          ],
        },
        {
          id: 'network-faults',
          kind: 'lines',
          title: 'Network faults',
          hint: 'Packets dropped or damaged, and segments sent again. All should be near zero.',
          unit: 'pps',
          span: 3,
          needs: ['node_network_receive_drop_total', 'node_netstat_Tcp_RetransSegs'],
          min: 0,
          queries: [
            {
              expr: `sum(rate(node_network_receive_drop_total{${NICS}}[$__rate_interval])) + sum(rate(node_network_transmit_drop_total{${NICS}}[$__rate_interval]))`,
              legend: 'dropped',
              color: 'warn',
            },
            {
              expr: `sum(rate(node_network_receive_errs_total{${NICS}}[$__rate_interval])) + sum(rate(node_network_transmit_errs_total{${NICS}}[$__rate_interval]))`,
              legend: 'errors',
              color: 'crit',
            },
            {
              expr: 'rate(node_netstat_Tcp_RetransSegs{$host}[$__rate_interval])',
              legend: 'TCP sent again',
              color: 7,
            },
          ],
        },
        {
          id: 'tcp-connections',
          kind: 'lines',
          title: 'TCP connections',
          unit: 'short',
          span: 3,
          needs: ['node_netstat_Tcp_CurrEstab', 'node_sockstat_TCP_tw'],
          min: 0,
          queries: [
            { expr: 'node_netstat_Tcp_CurrEstab{$host}', legend: 'established', color: 0 },
            { expr: 'node_sockstat_TCP_tw{$host}', legend: 'time wait', color: 11 },
          ],
        },
        {
          id: 'processes',
          kind: 'lines',
          title: 'Processes',
          hint: 'Ready to run, and stuck in uninterruptible waits.',
          unit: 'short',
          span: 3,
          needs: ['node_procs_running'],
          min: 0,
          queries: [
            { expr: 'node_procs_running{$host}', legend: 'running', color: 'ok' },
            { expr: 'node_procs_blocked{$host}', legend: 'blocked', color: 'crit' },
          ],
        },
      ],
    },
  ],
}
