// The window of steps a live panel shows: when it moves on, only the steps that are new are asked for.
import type { LabelSet } from './frame.ts'

export interface StepGrid {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

export interface StepSeries {
  readonly metric: LabelSet
  /** One value per step of the grid, NaN where there is none. */
  readonly values: Float64Array
}

/** What a query answered, with the steps it was asked at. */
export interface StepWindow {
  readonly grid: StepGrid
  readonly series: readonly StepSeries[]
}

/** Only a part that spares at least half of the steps is worth keeping the rest. */
const WORTH_SHARE = 0.5

/**
 * The steps that must be asked for to move a window, the newest of the known ones among them: samples come late.
 *
 * @param lateMs how far back from the known end values may still have changed
 * @returns `undefined` where all must be asked: other steps, a window that does not overlap enough, one that moves back
 */
export function missingSteps(known: StepGrid, wanted: StepGrid, lateMs: number): StepGrid | undefined {
  const { stepMs } = wanted
  if (known.stepMs !== stepMs || wanted.startMs < known.startMs || wanted.endMs < known.endMs) return undefined
  if ((wanted.startMs - known.startMs) % stepMs !== 0) return undefined
  const againFrom = known.endMs - Math.ceil(lateMs / stepMs) * stepMs
  if (againFrom - wanted.startMs < (wanted.endMs - wanted.startMs) * WORTH_SHARE) return undefined
  return { startMs: againFrom, endMs: wanted.endMs, stepMs }
}

/**
 * Puts the answer for {@link missingSteps} behind what is known and drops what lies before the window. Series keep their order,
 * new ones come last, those without a value in the window are left out.
 */
export function moveWindow(known: StepWindow, fresh: StepWindow, wanted: StepGrid): StepWindow {
  const count = stepCount(wanted)
  const keptCount = (fresh.grid.startMs - wanted.startMs) / wanted.stepMs
  const skipped = (wanted.startMs - known.grid.startMs) / wanted.stepMs
  const byKey = new Map(fresh.series.map((one) => [keyOf(one.metric), one]))
  const series: StepSeries[] = []
  for (const { metric, values } of known.series) {
    const key = keyOf(metric)
    const out = new Float64Array(count).fill(Number.NaN)
    out.set(values.subarray(skipped, skipped + keptCount))
    const newest = byKey.get(key)
    byKey.delete(key)
    if (newest !== undefined) out.set(newest.values.subarray(0, count - keptCount), keptCount)
    if (newest !== undefined || out.some((value) => !Number.isNaN(value))) series.push({ metric, values: out })
  }
  for (const { metric, values } of byKey.values()) {
    const out = new Float64Array(count).fill(Number.NaN)
    out.set(values.subarray(0, count - keptCount), keptCount)
    series.push({ metric, values: out })
  }
  return { grid: wanted, series }
}

export function stepCount({ startMs, endMs, stepMs }: StepGrid): number {
  return Math.max(0, Math.floor((endMs - startMs) / stepMs) + 1)
}

/** Expressions whose value at a step depends on the whole range, or on what comes later, cannot be asked in parts. */
export function dependsOnRange(expr: string): boolean {
  return /@\s*(?:start|end)\s*\(|\boffset\s*-/i.test(expr)
}

function keyOf(metric: LabelSet): string {
  return JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)))
}
