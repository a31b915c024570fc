import type { Clock } from '../../../lib/index.ts'
import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import { labelText, type Page } from './page.ts'

/** @param files where clock sources are found; `undefined` on systems other than Linux */
export function createTimeCollector(clock: Clock, files?: HostFiles): Collector {
  // The first of its kind brings 8 MB of a library into memory: not before it is asked for.
  let zoneName: Intl.DateTimeFormat | undefined
  return {
    name: 'time',
    collect(page) {
      const now = new Date(clock.nowMs())
      page.single('node_time_seconds', 'gauge', 'Time of the host in Unix seconds.', now.getTime() / 1000)
      zoneName ??= new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' })
      const zone = zoneName.formatToParts(now).find((part) => part.type === 'timeZoneName')?.value ?? ''
      page.family('node_time_zone_offset_seconds', 'gauge', 'Offset of the local time zone from UTC, in seconds.')
      page.sample(labelText({ time_zone: zone }), now.getTimezoneOffset() * -60 + 0)
      if (files !== undefined) writeClockSources(page, files)
    },
  }
}

function writeClockSources(page: Page, files: HostFiles): void {
  const root = 'devices/system/clocksource'
  const devices = (ifPresent(() => files.sysEntries(root)) ?? []).filter((name) => /^clocksource\d+$/.test(name))
  const rows = devices.map((name) => ({
    device: name.slice('clocksource'.length),
    available: (ifPresent(() => files.sys(`${root}/${name}/available_clocksource`)) ?? '').trim().split(' '),
    current: (ifPresent(() => files.sys(`${root}/${name}/current_clocksource`)) ?? '').trim(),
  }))
  if (rows.length === 0) return
  page.family('node_time_clocksource_available_info', 'gauge', 'Clock sources the kernel could use; always 1.')
  for (const { device, available } of rows)
    for (const clocksource of available.filter((name) => name !== ''))
      page.sample(labelText({ clocksource, device }), 1)
  page.family('node_time_clocksource_current_info', 'gauge', 'The clock source the kernel uses; always 1.')
  for (const { device, current } of rows) page.sample(labelText({ clocksource: current, device }), 1)
}
