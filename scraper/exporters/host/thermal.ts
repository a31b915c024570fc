import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText } from './page.ts'

const THERMAL = 'class/thermal'
const POWER = 'class/power_supply'

export function createThermalCollector(files: HostFiles): Collector {
  return {
    name: 'thermal_zone',
    collect(page) {
      const entries = ifPresent(() => files.sysEntries(THERMAL)) ?? []
      const read = (entry: string, file: string): string | undefined =>
        ifPresent(() => files.sys(`${THERMAL}/${entry}/${file}`))?.trim()
      const zones = entries.filter((name) => name.startsWith('thermal_zone') && read(name, 'temp') !== undefined)
      if (zones.length > 0)
        page.family('node_thermal_zone_temp', 'gauge', 'Temperature of the zone, in degrees Celsius.')
      for (const name of zones) {
        const labels = { type: read(name, 'type') ?? '', zone: name.slice('thermal_zone'.length) }
        page.sample(labelText(labels), Number(read(name, 'temp')) / 1000)
      }
      const devices = entries.filter((name) => name.startsWith('cooling_device'))
      for (const which of ['cur', 'max'] as const) {
        if (devices.length === 0) break
        page.family(`node_cooling_device_${which}_state`, 'gauge', `Throttling of the device, ${which}.`)
        for (const name of devices) {
          const labels = { name: name.slice('cooling_device'.length), type: read(name, 'type') ?? '' }
          page.sample(labelText(labels), Number(read(name, `${which}_state`) ?? 0))
        }
      }
    },
  }
}

const SUPPLY_FIELDS = ['online', 'present', 'capacity'] as const

export function createPowerSupplyCollector(files: HostFiles): Collector {
  return {
    name: 'powersupplyclass',
    collect(page) {
      const supplies = ifPresent(() => files.sysEntries(POWER)) ?? []
      for (const field of SUPPLY_FIELDS) {
        const values = supplies.flatMap((name) => {
          const text = ifPresent(() => files.sys(`${POWER}/${name}/${field}`))
          return text === undefined ? [] : [{ labels: labelText({ power_supply: name }), value: Number(text) }]
        })
        if (values.length === 0) continue
        page.family(`node_power_supply_${field}`, 'gauge', `Power supply: ${field}.`)
        for (const { labels, value } of values) page.sample(labels, value)
      }
    },
  }
}
