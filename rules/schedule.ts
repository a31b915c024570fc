import { groupKey } from './rule-config.ts'

/** A group's own place within its interval, so that groups do not all run at once, and each at the same times for ever. */
export function slotOffsetMs(group: { readonly file: string; readonly name: string }, intervalMs: number): number {
  return fnv1a(groupKey(group)) % intervalMs
}

/** The first slot after `timeMs`. */
export function slotAfter(timeMs: number, intervalMs: number, offsetMs: number): number {
  return latestSlot(timeMs, intervalMs, offsetMs) + intervalMs
}

/** The newest slot at or before `timeMs`. */
export function latestSlot(timeMs: number, intervalMs: number, offsetMs: number): number {
  return Math.floor((timeMs - offsetMs) / intervalMs) * intervalMs + offsetMs
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
