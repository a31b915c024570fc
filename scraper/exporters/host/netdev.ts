import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

export function createNetdevCollector(files: HostFiles): Collector {
  return {
    name: 'netdev',
    collect(page) {
      const { columns, devices } = parseNetDev(files.proc('net/dev'))
      for (const [i, column] of columns.entries()) {
        page.family(`node_network_${column}_total`, 'counter', `Network device counter ${column}.`)
        for (const device of devices) page.sample(device.labels, device.values[i]!)
      }
      // Not in /proc/net/dev: packets that no protocol wanted.
      const unhandled = devices.flatMap(({ name, labels }) => {
        const text = ifPresent(() => files.sys(`class/net/${name}/statistics/rx_nohandler`))
        return text === undefined ? [] : [{ labels, value: Number(text) }]
      })
      if (unhandled.length === 0) return
      page.family('node_network_receive_nohandler_total', 'counter', 'Network device counter receive_nohandler.')
      for (const { labels, value } of unhandled) page.sample(labels, value)
    },
  }
}

interface Device {
  readonly name: string
  readonly labels: string
  readonly values: readonly number[]
}

/** The second line names the columns: `face |bytes packets …|bytes packets …`, receive before transmit. */
function parseNetDev(text: string): { columns: string[]; devices: Device[] } {
  const [, header, ...lines] = text.split('\n')
  const [, receive, transmit] = header?.split('|') ?? []
  const names = (direction: string, part = ''): string[] =>
    part
      .trim()
      .split(/\s+/)
      .map((column) => `${direction}_${column}`)
  const columns = [...names('receive', receive), ...names('transmit', transmit)]
  const devices = lines.flatMap((line): Device[] => {
    // Behind the last colon, because the name of an alias has one itself.
    const at = line.lastIndexOf(':')
    if (at < 0) return []
    const name = line.slice(0, at).trim()
    return [
      {
        name,
        labels: labelText({ device: name }),
        values: line
          .slice(at + 1)
          .trim()
          .split(/\s+/)
          .map(Number),
      },
    ]
  })
  return { columns, devices }
}
