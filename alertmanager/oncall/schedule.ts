import { intervalsContain } from '../route/time-interval.ts'
import { instantOf, wallOf } from '../route/wall-clock.ts'
import type { Layer, OverrideFacts, Schedule } from './types.ts'

/** Who has the duty from one instant to another. */
export interface Shift {
  readonly people: readonly string[]
  /** The layer, or `override`; '' = nobody is on call. */
  readonly source: string
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
export const OVERRIDE = 'override'
const NOBODY = { people: [], source: '' } as const

/** Who is on call at an instant. Of two overrides the later in the list goes first. */
export function onCallAt(
  schedule: Schedule,
  overrides: readonly OverrideFacts[],
  atMs: number,
): Pick<Shift, 'people' | 'source'> {
  for (let i = overrides.length - 1; i >= 0; i--) {
    const { fromMs, toMs, people } = overrides[i]!
    if (atMs >= fromMs && atMs < toMs) return { people, source: OVERRIDE }
  }
  const wallMs = wallOf(atMs, schedule.timeZone)
  for (let i = schedule.layers.length - 1; i >= 0; i--) {
    const layer = schedule.layers[i]!
    if (layer.active.length > 0 && !intervalsContain(layer.active, atMs)) continue
    const turn = turnAt(layer, atMs, wallMs, schedule.timeZone)
    if (turn) return { people: turn, source: layer.name }
  }
  return NOBODY
}

function turnAt(layer: Layer, atMs: number, wallMs: number, timeZone: string): readonly string[] | undefined {
  const { startWallMs, endWallMs, turnMs, turns } = layer
  if (atMs < instantOf(startWallMs, timeZone)) return undefined
  if (endWallMs !== undefined && atMs >= instantOf(endWallMs, timeZone)) return undefined
  let index = Math.floor((wallMs - startWallMs) / turnMs)
  // Around a change of the clocks the reading may be ahead of, or behind, the hand-overs.
  while (index > 0 && atMs < instantOf(startWallMs + index * turnMs, timeZone)) index--
  while (atMs >= instantOf(startWallMs + (index + 1) * turnMs, timeZone)) index++
  return turns[Math.max(0, index) % turns.length]
}

/** Shifts that cover `[fromMs, toMs)` without a gap; time without anybody is a shift of nobody. */
export function shiftsOf(
  schedule: Schedule,
  overrides: readonly OverrideFacts[],
  fromMs: number,
  toMs: number,
): Shift[] {
  const shifts: Shift[] = []
  const edges = edgesOf(schedule, overrides, fromMs, toMs)
  edges.forEach((edgeMs, i) => {
    const endMs = edges[i + 1] ?? toMs
    const duty = onCallAt(schedule, overrides, edgeMs)
    const last = shifts.at(-1)
    if (last && last.source === duty.source && last.people.join('\n') === duty.people.join('\n'))
      shifts[shifts.length - 1] = { ...last, toMs: endMs }
    else shifts.push({ ...duty, fromMs: edgeMs, toMs: endMs })
  })
  return shifts
}

/** Every instant at which the duty may change, in order, `fromMs` first. */
function edgesOf(schedule: Schedule, overrides: readonly OverrideFacts[], fromMs: number, toMs: number): number[] {
  const { timeZone } = schedule
  const edges = new Set<number>([fromMs])
  const add = (atMs: number): void => {
    if (atMs > fromMs && atMs < toMs) edges.add(atMs)
  }
  for (const override of overrides) {
    add(override.fromMs)
    add(override.toMs)
  }
  for (const layer of schedule.layers) {
    const { startWallMs, endWallMs, turnMs } = layer
    add(instantOf(startWallMs, timeZone))
    if (endWallMs !== undefined) add(instantOf(endWallMs, timeZone))
    const first = Math.max(0, Math.floor((wallOf(fromMs, timeZone) - startWallMs) / turnMs) - 1)
    for (let i = first; ; i++) {
      const atMs = instantOf(startWallMs + i * turnMs, timeZone)
      if (atMs >= toMs) break
      add(atMs)
    }
    for (const { times = [], timeZone: zone = 'UTC' } of layer.active) {
      const lastDay = Math.ceil((wallOf(toMs, zone) + DAY_MS) / DAY_MS)
      for (let day = Math.floor(wallOf(fromMs, zone) / DAY_MS); day <= lastDay; day++) {
        add(instantOf(day * DAY_MS, zone))
        for (const { begin, end } of times)
          for (const minute of [begin, end]) add(instantOf(day * DAY_MS + minute * MINUTE_MS, zone))
      }
    }
  }
  return [...edges].sort((a, b) => a - b)
}
