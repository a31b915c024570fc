// Instants as the pages write them.
import { formatAge } from '../../model/units.ts'
import { type TimeZone, zoneOffsetMs, zoneOptions } from '../../model/zone.ts'

const FORMATS = new Map<TimeZone, Intl.DateTimeFormat>()

/** `Wed 13 Mar 14:35:42` in the zone of the page. */
export function formatInstant(atMs: number, zone: TimeZone): string {
  let format = FORMATS.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      ...zoneOptions(zone),
    })
    FORMATS.set(zone, format)
  }
  return format.format(atMs).replaceAll(',', '')
}

/** `2024-03-13 14:35:42` in a zone, as inputs take it. */
export function writeInstant(atMs: number, zone: TimeZone): string {
  return new Date(atMs + zoneOffsetMs(atMs, zone)).toISOString().slice(0, 19).replace('T', ' ')
}

/** `3 m 20 s ago`; servers write year 1 for "never". */
export function formatAgo(instant: string | number | undefined): string {
  const atMs = typeof instant === 'number' ? instant : instant === undefined ? Number.NaN : Date.parse(instant)
  if (Number.isNaN(atMs) || atMs <= 0) return 'never'
  return `${formatAge((Date.now() - atMs) / 1000)} ago`
}

/** `in 3 m`, or `now` for what is due. */
export function formatIn(instant: string): string {
  const seconds = (Date.parse(instant) - Date.now()) / 1000
  return seconds < 1 ? 'now' : `in ${formatAge(seconds)}`
}
