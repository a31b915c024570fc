import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText, type PageType } from './page.ts'

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

export function createNetclassCollector(files: HostFiles): Collector {
  return {
    name: 'netclass',
    collect(page) {
      const read = (device: string, file: string): string | undefined =>
        ifPresent(() => files.sys(`class/net/${device}/${file}`))?.trim()
      // Some names are not devices: bonding puts a plain file there.
      const devices = files
        .sysEntries('class/net')
        .filter((device) => read(device, 'ifindex') !== undefined)
        .map((device) => ({ device, labels: labelText({ device }) }))
      for (const [file, name, type, factor = 1] of ATTRIBUTES) {
        const rows = devices.flatMap(({ device, labels }) => {
          const text = read(device, file)
          const value = text === undefined || text === '' ? Number.NaN : Number(text)
          // Unknown speed is -1.
          return Number.isNaN(value) || (file === 'speed' && value < 0) ? [] : [{ labels, value: value * factor }]
        })
        if (rows.length === 0) continue
        page.family(`node_network_${name}`, type, `Network device attribute ${file}.`)
        for (const { labels, value } of rows) page.sample(labels, value)
      }
      const infos = devices.map(({ device, labels }) => {
        const info: Record<string, string> = { device }
        for (const file of TEXT_ATTRIBUTES) info[file] = read(device, file) ?? ''
        info.adminstate = Number(read(device, 'flags') ?? 0) & IFF_UP ? 'up' : 'down'
        return { labels, info }
      })
      page.family('node_network_info', 'gauge', 'Network device attributes that are text; always 1.')
      for (const { info } of infos) page.sample(labelText(info), 1)
      page.family('node_network_up', 'gauge', 'Whether the device is operational.')
      for (const { labels, info } of infos) page.sample(labels, info.operstate === 'up' ? 1 : 0)
    },
  }
}
