import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../../../lib/index.ts'
import { silentLogger } from '../../../lib/log.ts'
import { labelText as labels } from './page.ts'
import { createHostExporter } from './index.ts'
import { parseChronyTracking } from './timex.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'host-exporter-'))
  folders.push(root)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return root
}

/** Sample lines of a scrape of a host that has only these files. */
async function scrape(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = await folder({ 'proc/x': '', 'sys/x': '', ...files })
  const exporter = createHostExporter({
    procPath: join(root, 'proc'),
    sysPath: join(root, 'sys'),
    rootfsPath: root,
    textfileDirectory: join(root, 'textfile'),
    clock: new ManualClock(1_700_000_000_250),
    logger: silentLogger,
  })
  const text = new TextDecoder().decode(await exporter.scrape())
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_duration_seconds'))
}

async function check(files: Readonly<Record<string, string>>, want: readonly string[]): Promise<void> {
  const lines = await scrape(files)
  for (const line of want) expect(lines).toContain(line)
}

test('cpu and stat: ticks become seconds, guests are apart', () =>
  check(
    {
      'proc/stat':
        'cpu  300 0 0 0 0 0 0 0 0 0\ncpu0 150 25 30 1000 7 1 2 3 40 5\ncpu2 150 0 0 0 0 0 0 0 0 0\nintr 77 1 2 3\nctxt 88\nbtime 1600000000\nprocesses 99\nprocs_running 2\nprocs_blocked 1\n',
    },
    [
      'node_cpu_seconds_total{cpu="0",mode="user"} 1.5',
      'node_cpu_seconds_total{cpu="0",mode="iowait"} 0.07',
      'node_cpu_seconds_total{cpu="2",mode="user"} 1.5',
      'node_cpu_guest_seconds_total{cpu="0",mode="user"} 0.4',
      'node_cpu_guest_seconds_total{cpu="0",mode="nice"} 0.05',
      'node_intr_total 77',
      'node_boot_time_seconds 1600000000',
      'node_procs_running 2',
    ],
  ))

test('meminfo, loadavg, vmstat, pressure', async () => {
  const files = {
    'proc/meminfo': 'MemTotal:       16 kB\nActive(anon):    2 kB\nHugePages_Total:   3\n',
    'proc/loadavg': '0.50 1.25 2.00 1/200 4242\n',
    'proc/vmstat': 'nr_free_pages 1\npgpgin 7\npgmajfault 8\noom_kill 9\n',
    'proc/pressure/cpu': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 total=3\n',
    'proc/pressure/irq': 'full avg10=0.00 avg60=0.00 avg300=0.00 total=250000\n',
  }
  await check(files, [
    'node_memory_MemTotal_bytes 16384',
    'node_memory_Active_anon_bytes 2048',
    'node_memory_HugePages_Total 3',
    'node_load1 0.5',
    'node_load15 2',
    'node_vmstat_pgmajfault 8',
    'node_pressure_cpu_waiting_seconds_total 1.5',
    'node_pressure_irq_stalled_seconds_total 0.25',
  ])
  expect((await scrape(files)).join('\n')).not.toMatch(/nr_free_pages|pressure_cpu_stalled/)
})

test('diskstats: sectors and milliseconds are converted, partitions and loops left out, udev names the disk', async () => {
  const files = {
    'proc/diskstats':
      '   7       0 loop0 1 1 1 1 1 1 1 1 0 1 1\n   8       0 sda 10 2 30 4500 20 3 50 6500 1 7500 11000 5 6 70 800 9 1000\n   8       1 sda1 1 1 1 1 1 1 1 1 0 1 1\n 259 0 nvme0n1 1 0 2 0 0 0 0 0 0 0 0\n',
    'run/udev/data/b8:0': 'S:disk\nE:ID_MODEL=Fast\nE:ID_SERIAL_SHORT=A "1"\nE:ID_WWN=0x5\n',
  }
  await check(files, [
    'node_disk_read_bytes_total{device="sda"} 15360',
    'node_disk_read_time_seconds_total{device="sda"} 4.5',
    'node_disk_io_time_weighted_seconds_total{device="sda"} 11',
    'node_disk_flush_requests_time_seconds_total{device="sda"} 1',
    'node_disk_read_bytes_total{device="nvme0n1"} 1024',
    'node_disk_info{device="sda",major="8",minor="0",model="Fast",path="",revision="",serial="A \\"1\\"",wwn="0x5"} 1',
  ])
  const text = (await scrape(files)).join('\n')
  expect(text).not.toMatch(/loop0|sda1/)
  expect(text).not.toMatch(/discards_completed_total\{device="nvme0n1"\}/)
})

test('network: device counters, classes, statistics, sockets, softnet, arp, conntrack', () =>
  check(
    {
      'proc/net/dev':
        'Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n  eth0: 100 2 3 4 5 6 7 8 900 10 11 12 13 14 15 16\n',
      'sys/class/net/eth0/statistics/rx_nohandler': '17\n',
      'sys/class/net/eth0/ifindex': '2\n',
      'sys/class/net/eth0/flags': '0x1003\n',
      'sys/class/net/eth0/operstate': 'up\n',
      'sys/class/net/eth0/speed': '1000\n',
      'sys/class/net/eth0/address': '02:00:00:00:00:01\n',
      'sys/class/net/lo/flags': '0x8\n',
      'sys/class/net/lo/ifindex': '1\n',
      'sys/class/net/lo/speed': '-1\n',
      'sys/class/net/bonding_masters': '',
      'proc/net/netstat': 'TcpExt: SyncookiesSent ListenDrops Other\nTcpExt: 1 2 3\n',
      'proc/net/snmp': 'Tcp: RtoMin CurrEstab\nTcp: 200 5\n',
      'proc/net/snmp6': 'Ip6InOctets                     \t77\nUdpLite6InErrors  \t1\n',
      'proc/net/sockstat': 'sockets: used 9\nTCP: inuse 4 mem 2\nFRAG: inuse 0 memory 0\n',
      'proc/net/softnet_stat': '0000000a 00000001 00000002 0 0 0 0 0 0 00000003 00000004 0 00000005\n',
      'proc/net/arp':
        'IP address HW type Flags HW address Mask Device\n10.0.0.2 0x1 0x2 a * eth1\n10.0.0.1 0x1 0x2 b * eth0\n10.0.0.3 0x1 0x2 c * eth1\n',
      'proc/sys/net/netfilter/nf_conntrack_count': '3\n',
      'proc/sys/net/netfilter/nf_conntrack_max': '100\n',
      'proc/net/stat/nf_conntrack': 'entries found drop\n00000003 0000000a 00000001\n00000003 00000001 00000001\n',
    },
    [
      'node_network_receive_bytes_total{device="eth0"} 100',
      'node_network_receive_multicast_total{device="eth0"} 8',
      'node_network_transmit_bytes_total{device="eth0"} 900',
      'node_network_transmit_carrier_total{device="eth0"} 15',
      'node_network_receive_nohandler_total{device="eth0"} 17',
      'node_network_speed_bytes{device="eth0"} 125000000',
      'node_network_flags{device="eth0"} 4099',
      'node_network_up{device="eth0"} 1',
      'node_network_up{device="lo"} 0',
      'node_network_info{address="02:00:00:00:00:01",adminstate="up",broadcast="",device="eth0",duplex="",ifalias="",operstate="up"} 1',
      'node_netstat_TcpExt_ListenDrops 2',
      'node_netstat_Tcp_CurrEstab 5',
      'node_netstat_Ip6_InOctets 77',
      'node_netstat_UdpLite6_InErrors 1',
      'node_sockstat_sockets_used 9',
      'node_sockstat_TCP_mem_bytes 8192',
      'node_sockstat_FRAG_memory 0',
      'node_softnet_processed_total{cpu="5"} 10',
      'node_softnet_flow_limit_count_total{cpu="5"} 4',
      'node_arp_entries{device="eth1"} 2',
      'node_nf_conntrack_entries_limit 100',
      'node_nf_conntrack_stat_found 11',
    ],
  ))

test('filesystem: real mounts once, prefix stripped, spaces unescaped, an unreachable one is an error', async () => {
  const root = await folder({ 'proc/x': '', 'sys/x': '', 'data set/x': '', 'remote/x': '' })
  await mkdir(join(root, 'proc/1'))
  await writeFile(
    join(root, 'proc/1/mountinfo'),
    [
      '1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
      `2 1 8:2 / ${root}/data\\040set ro,relatime - xfs /dev/sdb rw`,
      `3 1 8:2 / ${root}/data\\040set ro,relatime - xfs /dev/sdb rw`,
      '4 1 0:5 / /proc rw - proc proc rw',
      '5 1 8:9 / /gone rw - ext4 /dev/sdc rw',
      '6 1 0:9 / /remote rw - nfs4 server:/x rw',
      '',
    ].join('\n'),
  )
  const exporter = createHostExporter({
    procPath: join(root, 'proc'),
    sysPath: join(root, 'sys'),
    rootfsPath: root,
    clock: new ManualClock(0),
    logger: silentLogger,
  })
  const text = new TextDecoder().decode(await exporter.scrape())
  const data = labels({ device: '/dev/sdb', fstype: 'xfs', mountpoint: '/data set' })
  expect(text).toContain(`node_filesystem_readonly${data} 1\n`)
  expect(text.match(new RegExp(`node_filesystem_size_bytes\\{device="/dev/sdb"[^}]*\\} [1-9]`, 'g'))).toHaveLength(1)
  expect(text).toContain(
    'node_filesystem_device_error{device="/dev/sdc",device_error="ENOENT",fstype="ext4",mountpoint="/gone"} 1\n',
  )
  expect(text).not.toContain('node_filesystem_size_bytes{device="/dev/sdc"')
  // Asked through a child process, because it is remote.
  expect(text).toMatch(/node_filesystem_size_bytes\{device="server:\/x",fstype="nfs4",mountpoint="\/remote"\} [1-9]/)
  expect(text).toContain('node_filesystem_mount_info{device="/dev/sdb",major="8",minor="2",mountpoint="/data set"} 1\n')
  expect(text).not.toContain('mountpoint="/proc"')
})

test('names of host and distribution, files, entropy, time', () =>
  check(
    {
      'proc/sys/kernel/hostname': 'db1\n',
      'proc/sys/kernel/ostype': 'Linux\n',
      'proc/sys/fs/file-nr': '1024\t0\t9999\n',
      'proc/sys/kernel/random/entropy_avail': '256\n',
      'proc/sys/kernel/random/poolsize': '256\n',
      'etc/os-release': 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nPRETTY_NAME=\'A \\"b\\"\'\n',
      'sys/devices/system/clocksource/clocksource0/available_clocksource': 'tsc hpet\n',
      'sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc\n',
    },
    [
      'node_filefd_allocated 1024',
      'node_filefd_maximum 9999',
      'node_entropy_available_bits 256',
      'node_time_seconds 1700000000.25',
      'node_os_version{id="debian",id_like="",name="Debian GNU/Linux"} 12',
      'node_time_clocksource_available_info{clocksource="hpet",device="0"} 1',
      'node_time_clocksource_current_info{clocksource="tsc",device="0"} 1',
    ],
  ))

test('a collector that fails costs its own metrics only', async () => {
  const lines = await scrape({ 'proc/loadavg': '1 2 3 1/1 1\n' })
  expect(lines).toContain('node_load1 1')
  expect(lines).toContain('node_scrape_collector_success{collector="loadavg"} 1')
  expect(lines).toContain('node_scrape_collector_success{collector="meminfo"} 0')
  expect(lines.join('\n')).not.toContain('node_memory')
})

test('textfile: pages are merged by name; a bad file or one with timestamps is an error', async () => {
  await check(
    {
      'textfile/a.prom': '# TYPE jobs gauge\njobs{name="a"} 1\n',
      'textfile/b.prom': '# TYPE jobs gauge\njobs{name="b"} 2\nother 3\n',
      'textfile/note.txt': 'not read',
    },
    ['jobs{name="a"} 1', 'jobs{name="b"} 2', 'other 3', 'node_textfile_scrape_error 0'],
  )
  const lines = await scrape({ 'textfile/a.prom': 'x 1 1234\n', 'textfile/b.prom': 'y{\n', 'textfile/c.prom': 'z 1\n' })
  expect(lines).toContain('z 1')
  expect(lines).toContain('node_textfile_scrape_error 1')
  expect(lines.join('\n')).not.toMatch(/^[xy] /m)
})

test('textfile: a changed file is read again', async () => {
  const root = await folder({ 'a.prom': 'x 1\n' })
  const exporter = createHostExporter({
    textfileDirectory: root,
    procPath: root,
    clock: new ManualClock(0),
    logger: silentLogger,
  })
  const text = async (): Promise<string> => new TextDecoder().decode(await exporter.scrape())
  expect(await text()).toContain('\nx 1\n')
  await writeFile(join(root, 'a.prom'), 'x 2\n')
  await utimes(join(root, 'a.prom'), 1, 1)
  expect(await text()).toContain('\nx 2\n')
})

test('this host: scrapes without a failing collector of the basic ones, lines in the same order', async () => {
  const exporter = createHostExporter({ clock: new ManualClock(0), logger: silentLogger })
  const page = async (): Promise<string[]> => new TextDecoder().decode(await exporter.scrape()).split('\n')
  const first = await page()
  const second = await page()
  const names = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/ \S+$/, ''))
  expect(names(second)).toEqual(names(first))
  for (const collector of ['cpu', 'meminfo', 'uname', 'time'])
    expect(first).toContain(`node_scrape_collector_success{collector="${collector}"} 1`)
})

test('cpufreq and schedstat: kilohertz and nanoseconds become units', () =>
  check(
    {
      'sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': '1200000\n',
      'sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq': '3700000\n',
      'proc/schedstat': 'version 15\ntimestamp 1\ncpu0 0 0 0 0 0 0 2500000000 500000000 77\ndomain0 03 1 2\n',
    },
    [
      'node_cpu_scaling_frequency_hertz{cpu="0"} 1200000000',
      'node_cpu_scaling_frequency_max_hertz{cpu="0"} 3700000000',
      'node_schedstat_running_seconds_total{cpu="0"} 2.5',
      'node_schedstat_waiting_seconds_total{cpu="0"} 0.5',
      'node_schedstat_timeslices_total{cpu="0"} 77',
    ],
  ))

test('hwmon, thermal zones, cooling devices, power supplies', () =>
  check(
    {
      'sys/class/hwmon/hwmon0/name': 'coretemp\n',
      'sys/class/hwmon/hwmon0/temp1_input': '45500\n',
      'sys/class/hwmon/hwmon0/temp1_crit': '100000\n',
      'sys/class/hwmon/hwmon0/temp1_label': 'Core 0\n',
      'sys/class/hwmon/hwmon0/fan1_input': '1234\n',
      'sys/class/thermal/thermal_zone0/temp': '41000\n',
      'sys/class/thermal/thermal_zone0/type': 'acpitz\n',
      'sys/class/thermal/cooling_device3/type': 'Processor\n',
      'sys/class/thermal/cooling_device3/cur_state': '2\n',
      'sys/class/thermal/cooling_device3/max_state': '10\n',
      'sys/class/power_supply/AC/online': '1\n',
    },
    [
      'node_hwmon_chip_names{chip="coretemp",chip_name="coretemp"} 1',
      'node_hwmon_sensor_label{chip="coretemp",label="core_0",sensor="temp1"} 1',
      'node_hwmon_temp_celsius{chip="coretemp",sensor="temp1"} 45.5',
      'node_hwmon_temp_crit_celsius{chip="coretemp",sensor="temp1"} 100',
      'node_hwmon_fan_rpm{chip="coretemp",sensor="fan1"} 1234',
      'node_thermal_zone_temp{type="acpitz",zone="0"} 41',
      'node_cooling_device_cur_state{name="3",type="Processor"} 2',
      'node_cooling_device_max_state{name="3",type="Processor"} 10',
      'node_power_supply_online{power_supply="AC"} 1',
    ],
  ))

test('datagrams that wait, bonds, hanging tasks, SELinux, a clock that systemd keeps', () =>
  check(
    {
      'proc/net/udp':
        '  sl  local_address rem_address   st tx_queue rx_queue tr\n  7: 0100007F:0035 00000000:0000 07 00000010:00000100 00:00000000\n  8: 0100007F:0036 00000000:0000 07 00000001:00000000 00:00000000\n',
      'sys/class/net/bonding_masters': 'bond0\n',
      'sys/class/net/bond0/bonding/slaves': 'eth0 eth1\n',
      'sys/class/net/bond0/lower_eth0/bonding_slave/mii_status': 'up\n',
      'sys/class/net/bond0/lower_eth1/bonding_slave/mii_status': 'down\n',
      'proc/sys/kernel/hung_task_detect_count': '3\n',
      'sys/fs/selinux/enforce': '1',
      'run/systemd/timesync/synchronized': '',
    },
    [
      'node_udp_queues{ip="v4",queue="rx"} 256',
      'node_udp_queues{ip="v4",queue="tx"} 17',
      'node_bonding_slaves{master="bond0"} 2',
      'node_bonding_active{master="bond0"} 1',
      'node_kernel_hung_tasks_total 3',
      'node_selinux_enabled 1',
      'node_selinux_current_mode 1',
      'node_timex_sync_status 1',
    ],
  ))

test('what chrony says of the clock', () => {
  const line =
    'A29FC87B,162.159.200.123,4,1700000000.5,-0.000012,0.000004,0.000021,-3.250,0.001,0.02,0.010,0.002,64.2,Normal'
  expect(parseChronyTracking(line)).toEqual({
    isSynchronized: true,
    offset: -0.000012,
    estimatedError: 0.000021,
    maxError: 0.007,
    frequencyRatio: 1 - 3.25e-6,
  })
  expect(parseChronyTracking('506 Cannot talk to daemon')).toBeUndefined()
})
