import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText, type Page, type PageType } from './page.ts'

const BYTES_PER_MEGABIT = 1e6 / 8
const IFF_UP = 1

const ATTRIBUTES: readonly (readonly [file: string, name: string, type: PageType, factor?: number])[] = [
  ['addr_assign_type', 'address_assign_type', 'gauge'],
  ['carrier', 'carrier', 'gauge'],
  ['carrier_changes', 'carrier_changes_total', 'counter'],
  ['carrier_down_count', 'carrier_down_changes_total', 'counter'],
  ['carrier_up_count', 'carrier_up_changes_total', 'counter'],
  ['dev_id', 'device_id', 'gauge'],
  ['dormant', 'dormant', 'gauge'],
  ['flags', 'flags', 'gauge'],
  ['ifindex', 'iface_id', 'gauge'],
  ['iflink', 'iface_link', 'gauge'],
  ['link_mode', 'iface_link_mode', 'gauge'],
  ['mtu', 'mtu_bytes', 'gauge'],
  ['name_assign_type', 'name_assign_type', 'gauge'],
  ['netdev_group', 'net_dev_group', 'gauge'],
  ['speed', 'speed_bytes', 'gauge', BYTES_PER_MEGABIT],
  ['tx_queue_len', 'transmit_queue_length', 'gauge'],
  ['type', 'protocol_type', 'gauge'],
]
const TEXT_ATTRIBUTES = ['address', 'broadcast', 'duplex', 'ifalias', 'operstate'] as const

/** Set when the device is made; a change of the ones that can change goes through taking it down. */
const FIXED_ATTRIBUTES: ReadonlySet<string> = new Set([
  'addr_assign_type',
  'address',
  'broadcast',
  'dev_id',
  'ifindex',
  'iflink',
  'link_mode',
  'name_assign_type',
  'netdev_group',
  'type',
])

/** One device through the scrapes. */
class NetworkDevice {
  readonly labels: string
  readonly #files: HostFiles
  readonly #path: string
  /**
   * What stays as it is until the device changes state: fixed attributes, and as `undefined` those it refused, because
   * asking again would cost an exception each.
   */
  readonly #kept = new Map<string, string | undefined>()
  #state = ''

  constructor(files: HostFiles, device: string) {
    this.#files = files
    this.#path = `class/net/${device}`
    this.labels = labelText({ device })
  }

  /** False if it is gone, or was never a device: bonding puts a plain file among them. */
  refresh(): boolean {
    const flags = ifPresent(() => this.#files.sys(`${this.#path}/flags`))
    if (flags === undefined) return false
    const state = `${flags} ${this.read('operstate')}`
    if (state !== this.#state) this.#kept.clear()
    this.#state = state
    return true
  }

  read(file: string): string | undefined {
    if (this.#kept.has(file)) return this.#kept.get(file)
    const text = ifPresent(() => this.#files.sys(`${this.#path}/${file}`))?.trim()
    if (text === undefined || FIXED_ATTRIBUTES.has(file)) this.#kept.set(file, text)
    return text
  }

  number(file: string): number | undefined {
    const text = this.read(file)
    return text === undefined || text === '' ? undefined : Number(text)
  }
}

export function createNetclassCollector(files: HostFiles): Collector {
  const known = new Map<string, NetworkDevice>()
  return {
    name: 'netclass',
    collect(page) {
      const names = files.sysEntries('class/net')
      for (const name of known.keys()) if (!names.includes(name)) known.delete(name)
      const devices: { name: string; device: NetworkDevice }[] = []
      for (const name of names) {
        const device = known.get(name) ?? new NetworkDevice(files, name)
        known.set(name, device)
        if (device.refresh()) devices.push({ name, device })
      }
      for (const attribute of ATTRIBUTES) writeAttribute(page, attribute, devices)
      page.family('node_network_info', 'gauge', 'Network device attributes that are text; always 1.')
      for (const { name, device } of devices) page.sample(infoLabels(name, device), 1)
      page.family('node_network_up', 'gauge', 'Whether the device is operational.')
      for (const { device } of devices) page.sample(device.labels, device.read('operstate') === 'up' ? 1 : 0)
    },
  }
}

function writeAttribute(
  page: Page,
  [file, name, type, factor = 1]: (typeof ATTRIBUTES)[number],
  devices: readonly { readonly device: NetworkDevice }[],
): void {
  const rows = devices
    .map(({ device }) => ({ labels: device.labels, value: device.number(file) ?? Number.NaN }))
    // Unknown speed is -1.
    .filter(({ value }) => !Number.isNaN(value) && (file !== 'speed' || value >= 0))
  if (rows.length === 0) return
  page.family(`node_network_${name}`, type, `Network device attribute ${file}.`)
  for (const { labels, value } of rows) page.sample(labels, value * factor)
}

function infoLabels(name: string, device: NetworkDevice): string {
  const adminstate = (device.number('flags') ?? 0) & IFF_UP ? 'up' : 'down'
  const info: Record<string, string> = { device: name, adminstate }
  for (const file of TEXT_ATTRIBUTES) info[file] = device.read(file) ?? ''
  return labelText(info)
}
