/** What a zone says about one instant. */
export interface ZoneOffset {
  /** East of Greenwich. */
  readonly offsetSeconds: number
  /** `CET`, or the offset (`+03`) where the zone has no letters. */
  readonly abbreviation: string
}

/** A time zone as Go's time.Location: a name and the offset at any instant. */
export interface TimeZone {
  readonly name: string
  at(unixMs: number): ZoneOffset
}

export const UTC: TimeZone = { name: 'UTC', at: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) }

const zones = new Map<string, TimeZone>()

/** The zone of this process. */
export function localZone(): TimeZone {
  return loadZone(Intl.DateTimeFormat().resolvedOptions().timeZone) ?? UTC
}

/** A zone of the IANA data base; '' and `UTC` are UTC, `Local` is the process' own; `undefined` when there is none. */
export function loadZone(name: string): TimeZone | undefined {
  if (name === '' || name === 'UTC') return UTC
  if (name === 'Local') return localZone()
  const known = zones.get(name)
  if (known) return known
  const zone = intlZone(name)
  if (zone) zones.set(name, zone)
  return zone
}

/** An offset without a zone, as a parsed `+02:00` has it. */
export function fixedZone(offsetSeconds: number, abbreviation: string): TimeZone {
  return { name: abbreviation, at: () => ({ offsetSeconds, abbreviation }) }
}

// English editions of the locale data each know other zones' letters.
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ']

function intlZone(name: string): TimeZone | undefined {
  let clocks: Intl.DateTimeFormat
  let letters: Intl.DateTimeFormat[]
  try {
    clocks = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    letters = LOCALES.map((locale) => new Intl.DateTimeFormat(locale, { timeZone: name, timeZoneName: 'short' }))
  } catch {
    return undefined // Intl throws a RangeError exactly for names it does not know.
  }
  return {
    name,
    at(unixMs) {
      const offsetSeconds = offsetAt(clocks, unixMs)
      return { offsetSeconds, abbreviation: abbreviationAt(letters, unixMs, offsetSeconds) }
    },
  }
}

function offsetAt(clocks: Intl.DateTimeFormat, unixMs: number): number {
  const parts: Record<string, string> = {}
  for (const { type, value } of clocks.formatToParts(unixMs)) parts[type] = value
  const year = parts['era'] === 'BC' ? 1 - Number(parts['year']) : Number(parts['year'])
  const wall = new Date(0)
  wall.setUTCFullYear(year, Number(parts['month']) - 1, Number(parts['day']))
  wall.setUTCHours(Number(parts['hour']), Number(parts['minute']), Number(parts['second']))
  return wall.getTime() / 1000 - Math.floor(unixMs / 1000)
}

function abbreviationAt(letters: readonly Intl.DateTimeFormat[], unixMs: number, offsetSeconds: number): string {
  for (const format of letters) {
    const name = format.formatToParts(unixMs).find((part) => part.type === 'timeZoneName')?.value
    if (name !== undefined && /^[A-Z]+$/.test(name)) return name
  }
  const magnitude = Math.abs(offsetSeconds)
  const minutes = Math.floor(magnitude / 60) % 60
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(magnitude / 3600))}${minutes > 0 ? two(minutes) : ''}`
}
