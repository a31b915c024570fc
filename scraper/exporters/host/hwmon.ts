import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText, type Page } from './page.ts'

const ROOT = 'class/hwmon'

interface Kind {
  /** Of the metric, behind the value's own part: `temp1_max` is `node_hwmon_temp_max_celsius`. */
  readonly unit: string
  readonly scale: number
}

/** What each kind of sensor counts in, and what makes it the unit. */
const KINDS: Readonly<Record<string, Kind>> = {
  temp: { unit: 'celsius', scale: 1e-3 },
  in: { unit: 'volts', scale: 1e-3 },
  curr: { unit: 'amps', scale: 1e-3 },
  power: { unit: 'watt', scale: 1e-6 },
  energy: { unit: 'joule_total', scale: 1e-6 },
  humidity: { unit: '', scale: 1e-3 },
  fan: { unit: 'rpm', scale: 1 },
}
const SWITCHES = /_(alarm|beep|fault|enable)$/

interface Reading {
  readonly name: string
  readonly labels: string
  readonly value: number
}

export function createHwmonCollector(files: HostFiles): Collector {
  return {
    name: 'hwmon',
    collect(page) {
      const chips = (ifPresent(() => files.sysEntries(ROOT)) ?? []).map((entry) => `${ROOT}/${entry}`)
      if (chips.length === 0) return
      const readings = chips.flatMap((folder) => {
        const chip = chipName(files, folder)
        const given = ifPresent(() => files.sys(`${folder}/name`))?.trim()
        const names: Reading[] =
          given === undefined
            ? []
            : [{ name: 'node_hwmon_chip_names', labels: labelText({ chip, chip_name: clean(given) }), value: 1 }]
        return [...names, ...sensors(files, folder, chip)]
      })
      writeByName(page, readings)
    },
  }
}

/** By the device behind it, since numbers change with the next boot. */
function chipName(files: HostFiles, folder: string): string {
  const device = ifPresent(() => files.sysTarget(`${folder}/device`))
  const subsystem = ifPresent(() => files.sysTarget(`${folder}/device/subsystem`))
  const last = (path: string): string => clean(path.slice(path.lastIndexOf('/') + 1))
  if (device !== undefined) return subsystem === undefined ? last(device) : `${last(subsystem)}_${last(device)}`
  return clean(ifPresent(() => files.sys(`${folder}/name`))?.trim() ?? last(folder))
}

function sensors(files: HostFiles, folder: string, chip: string): Reading[] {
  return files.sysEntries(folder).flatMap((file): Reading[] => {
    const match = /^([a-z]+)(\d+)(?:_(.+))?$/.exec(file)
    const kind = match && KINDS[match[1]!]
    if (!match || !kind) return []
    const text = ifPresent(() => files.sys(`${folder}/${file}`))?.trim()
    if (text === undefined) return []
    const [, type, index, part = 'input'] = match
    const sensor = `${type}${index}`
    if (part === 'label') {
      return [{ name: 'node_hwmon_sensor_label', labels: labelText({ chip, label: clean(text), sensor }), value: 1 }]
    }
    const number = Number(text)
    if (text === '' || Number.isNaN(number)) return []
    const isSwitch = SWITCHES.test(`_${part}`)
    const middle = part === 'input' ? '' : `_${part}`
    const unit = kind.unit === '' || (isSwitch && type !== 'temp') ? '' : `_${kind.unit}`
    // node_exporter gives alarms of temperatures the unit as well.
    const value = isSwitch && type !== 'temp' ? number : number * kind.scale
    return [{ name: `node_hwmon_${type}${middle}${unit}`, labels: labelText({ chip, sensor }), value: round(value) }]
  })
}

function writeByName(page: Page, readings: readonly Reading[]): void {
  for (const name of [...new Set(readings.map((one) => one.name))].sort()) {
    page.family(name, 'gauge', `Hardware monitor: ${name.slice('node_hwmon_'.length).replaceAll('_', ' ')}.`)
    for (const { labels, value } of readings.filter((one) => one.name === name)) page.sample(labels, value)
  }
}

const clean = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9:_]/g, '_')
    .replace(/_+$/, '')
const round = (value: number): number => Math.round(value * 1e6) / 1e6
