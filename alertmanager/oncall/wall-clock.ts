import { formatterOf } from '../route/time-interval.ts'

/**
 * A wall clock's reading is a number too: the Unix milliseconds that would show it if the zone were UTC. Days and weeks are
 * then plain sums, whatever the clocks do in between.
 */
export function wallOf(atMs: number, timeZone: string): number {
  const part = new Map<string, number>()
  for (const { type, value } of formatterOf(timeZone).formatToParts(atMs)) part.set(type, Number(value))
  const field = (name: string): number => part.get(name) ?? 0
  const minuteMs = Date.UTC(field('year'), field('month') - 1, field('day'), field('hour'), field('minute'))
  // No zone has been off by a part of a minute since 1972.
  return minuteMs + (((atMs % MINUTE_MS) + MINUTE_MS) % MINUTE_MS)
}

/** The instant of a reading: the first of two when the clocks go back, and when they jump over it the jump's other side. */
export function instantOf(wallMs: number, timeZone: string): number {
  const candidates = [wallMs - DAY_MS, wallMs + DAY_MS].map((near) => wallMs - (wallOf(near, timeZone) - near))
  const fitting = candidates.filter((atMs) => wallOf(atMs, timeZone) === wallMs)
  if (fitting.length > 0) return Math.min(...fitting)
  // The reading never was. With the offset from before the jump it is as long after the jump as it was into the gap.
  return candidates[0]!
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
