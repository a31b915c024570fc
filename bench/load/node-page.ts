/** How a value moves from one scrape to the next. */
type Motion =
  /** Never. */
  | 'still'
  /** A counter that grows at every scrape, by integers or by hundredths of a second. */
  | 'busy'
  | 'busySeconds'
  /** A counter that grows now and then. */
  | 'rare'
  /** A gauge in bytes that wanders in steps of a page. */
  | 'bytes'
  /** A gauge like the load average. */
  | 'wander'

interface Series {
  readonly text: string
  readonly motion: Motion
  value: number
}

/** One histogram: cumulative buckets, sum and count. */
interface Latency {
  readonly buckets: readonly Series[]
  readonly sum: Series
  readonly count: Series
}

const RARE_CHANCE = 0.06
const LATENCY_BOUNDS = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf']
const NODE_SERIES = 507

/**
 * A page with the names, labels and habits of a node_exporter: 507 series of which between a quarter and a third change
 * from one version to the next. The same seed gives the same pages.
 */
export class NodePage {
  readonly #random: () => number
  readonly #lines: (string | Series)[] = []
  readonly #series: Series[] = []
  readonly #latencies: Latency[] = []

  /** @param withHistograms adds request durations of three routes, 39 series more */
  constructor(options: { readonly seed: number; readonly withHistograms: boolean }) {
    this.#random = mulberry32(options.seed)
    this.#addNode()
    if (options.withHistograms) this.#addHistograms()
  }

  get seriesCount(): number {
    return this.#series.length
  }

  /** Moves every value on and returns the page. */
  next(): string {
    for (const series of this.#series) this.#move(series)
    for (const latency of this.#latencies) this.#observe(latency)
    let text = ''
    for (const line of this.#lines) text += typeof line === 'string' ? line : `${line.text} ${round(line.value)}\n`
    return text
  }

  #move(series: Series): void {
    const chance = this.#random()
    if (series.motion === 'busy') series.value += 1 + Math.floor(chance * 900)
    else if (series.motion === 'busySeconds') series.value += Math.ceil(chance * 200) / 100
    else if (series.motion === 'rare') series.value += chance < RARE_CHANCE ? 1 + Math.floor(chance * 100) : 0
    else if (series.motion === 'bytes')
      series.value = Math.max(0, series.value + Math.floor((chance - 0.5) * 400) * 4096)
    else if (series.motion === 'wander')
      series.value = Math.max(0, series.value + Math.floor((chance - 0.5) * 20) / 100)
  }

  #observe({ buckets, sum, count }: Latency): void {
    const requests = Math.floor(this.#random() * 20)
    for (let i = 0; i < requests; i++) {
      const slot = Math.floor(this.#random() ** 2 * buckets.length)
      for (let k = slot; k < buckets.length; k++) buckets[k]!.value++
      sum.value += this.#random() * 0.2
      count.value++
    }
  }

  #family(name: string, type: string, labelSets: readonly string[], motion: Motion): Series[] {
    this.#lines.push(`# HELP ${name} Benchmark copy of ${name}.\n# TYPE ${name} ${type}\n`)
    return labelSets.map((labels) => this.#add(`${name}${labels === '' ? '' : `{${labels}}`}`, motion))
  }

  #add(text: string, motion: Motion): Series {
    const scale = motion === 'bytes' ? 1e9 : motion === 'wander' ? 2 : motion === 'rare' ? 100 : 1e6
    const start = this.#random() * scale
    const series = { text, motion, value: motion === 'wander' ? round(start) : Math.floor(start) }
    this.#series.push(series)
    this.#lines.push(series)
    return series
  }

  #addNode(): void {
    const cpus = ['0', '1', '2', '3']
    const modes = ['idle', 'iowait', 'irq', 'nice', 'softirq', 'steal', 'system', 'user']
    const busyModes = new Set(['idle', 'system', 'user', 'softirq'])
    const devices = ['eth0', 'lo', 'docker0'].map((name) => `device="${name}"`)
    const disks = ['nvme0n1', 'sda'].map((name) => `device="${name}"`)
    const mounts = ['/', '/boot', '/data'].map(
      (path, i) => `device="/dev/sd${'abc'[i]}",fstype="ext4",mountpoint="${path}"`,
    )

    this.#lines.push('# HELP node_cpu_seconds_total Benchmark copy.\n# TYPE node_cpu_seconds_total counter\n')
    for (const cpu of cpus)
      for (const mode of modes)
        this.#add(`node_cpu_seconds_total{cpu="${cpu}",mode="${mode}"}`, busyModes.has(mode) ? 'busySeconds' : 'rare')
    for (const name of ['context_switches', 'intr', 'forks'])
      this.#family(`node_${name}_total`, 'counter', [''], 'busy')
    for (const name of ['load1', 'load5', 'load15']) this.#family(`node_${name}`, 'gauge', [''], 'wander')
    this.#family('node_boot_time_seconds', 'gauge', [''], 'still')
    this.#family('node_time_seconds', 'gauge', [''], 'busySeconds')
    for (const [i, name] of DISK_FIELDS.entries())
      this.#family(`node_disk_${name}`, 'counter', disks, i % 2 ? 'rare' : 'busy')
    for (const name of ['avail_bytes', 'free_bytes']) this.#family(`node_filesystem_${name}`, 'gauge', mounts, 'bytes')
    for (const name of ['size_bytes', 'files', 'files_free', 'readonly', 'device_error'])
      this.#family(`node_filesystem_${name}`, 'gauge', mounts, 'still')
    for (const direction of ['receive', 'transmit'])
      for (const name of ['bytes', 'packets', 'drop', 'errs', 'fifo', 'compressed', 'multicast', 'frame'])
        this.#family(
          `node_network_${direction}_${name}_total`,
          'counter',
          devices,
          name === 'bytes' || name === 'packets' ? 'busy' : 'still',
        )
    for (const name of ['up', 'mtu_bytes', 'carrier', 'speed_bytes', 'flags', 'iface_id', 'transmit_queue_length'])
      this.#family(`node_network_${name}`, 'gauge', devices, 'still')
    for (const [i, name] of MEMORY_FIELDS.entries())
      this.#family(`node_memory_${name}_bytes`, 'gauge', [''], i % 3 ? 'bytes' : 'still')
    for (const name of NETSTAT_FIELDS) this.#family(`node_netstat_${name}`, 'untyped', [''], 'rare')
    for (const name of ['pgfault', 'pgmajfault', 'pgpgin', 'pgpgout'])
      this.#family(`node_vmstat_${name}`, 'untyped', [''], 'busy')
    const cpuLabels = cpus.map((cpu) => `cpu="${cpu}"`)
    for (const name of ['running_seconds', 'waiting_seconds', 'timeslices'])
      this.#family(`node_schedstat_${name}_total`, 'counter', cpuLabels, 'busySeconds')
    for (const name of ['processed', 'dropped', 'times_squeezed'])
      this.#family(`node_softnet_${name}_total`, 'counter', cpuLabels, name === 'processed' ? 'busy' : 'still')
    const collectors = [...Array(40).keys()].map((i) => `collector="c${i}"`)
    this.#family('node_scrape_collector_success', 'gauge', collectors, 'still')
    this.#family('node_scrape_collector_duration_seconds', 'gauge', collectors, 'wander')
    const rest = [...Array(NODE_SERIES - this.#series.length).keys()].map(
      (i) => `unit="unit${i}.service",state="active"`,
    )
    this.#family('node_systemd_unit_state', 'gauge', rest, 'still')
  }

  #addHistograms(): void {
    const name = 'http_request_duration_seconds'
    this.#lines.push(`# HELP ${name} Benchmark requests.\n# TYPE ${name} histogram\n`)
    for (const route of ['/', '/cart', '/pay']) {
      const labels = `method="GET",route="${route}",status_code="200"`
      const bucket = (bound: string): Series => this.#add(`${name}_bucket{${labels},le="${bound}"}`, 'still')
      const latency = {
        buckets: LATENCY_BOUNDS.map(bucket),
        sum: this.#add(`${name}_sum{${labels}}`, 'still'),
        count: this.#add(`${name}_count{${labels}}`, 'still'),
      }
      for (const series of [...latency.buckets, latency.sum, latency.count]) series.value = 0
      this.#latencies.push(latency)
    }
  }
}

const DISK_FIELDS = [
  'reads_completed_total',
  'reads_merged_total',
  'read_bytes_total',
  'read_time_seconds_total',
  'writes_completed_total',
  'writes_merged_total',
  'written_bytes_total',
  'write_time_seconds_total',
  'io_time_seconds_total',
  'io_time_weighted_seconds_total',
  'discards_completed_total',
  'flush_requests_total',
]
const MEMORY_FIELDS =
  'MemTotal MemFree MemAvailable Buffers Cached SwapCached Active Inactive Active_anon Inactive_anon Active_file Inactive_file Unevictable SwapTotal SwapFree Dirty AnonPages Mapped Shmem KReclaimable Slab SReclaimable SUnreclaim KernelStack PageTables Committed_AS VmallocUsed Percpu DirectMap4k DirectMap2M'.split(
    ' ',
  )
const NETSTAT_FIELDS =
  'IpExt_InOctets IpExt_OutOctets Ip_Forwarding TcpExt_ListenDrops TcpExt_ListenOverflows TcpExt_TCPTimeouts Tcp_ActiveOpens Tcp_CurrEstab Tcp_InErrs Tcp_InSegs Tcp_OutRsts Tcp_OutSegs Tcp_PassiveOpens Tcp_RetransSegs Udp_InDatagrams Udp_InErrors Udp_NoPorts Udp_OutDatagrams'.split(
    ' ',
  )

/** Sums of hundredths carry rounding dust that no exporter prints. */
const round = (value: number): number => Math.round(value * 1000) / 1000

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
