import type { ColumnWindows } from './windows.ts'

/** What a sample's start time tells about the counter between it and the sample before. */
type Timed = Pick<ColumnWindows, 'timestampsMs' | 'startTimesMs'>

/** Whether the counter began anew after sample `i - 1`. */
export function startedAnew({ timestampsMs, startTimesMs }: Timed, i: number): boolean {
  if (startTimesMs === undefined) return false
  const startMs = startTimesMs[i]!
  const beforeMs = timestampsMs[i - 1]!
  if (startMs === 0 || startMs < beforeMs || startMs >= timestampsMs[i]!) return false
  if (startMs > beforeMs) return true
  // It began just when the sample before was taken: a delta, unless it only says that the true start is not known.
  const startBeforeMs = startTimesMs[i - 1]!
  return startBeforeMs !== 0 && startBeforeMs < beforeMs
}

/** When the counter of the window's first sample was zero, if that lies inside of the window. */
export function zeroTimeOf(
  { timestampsMs, startTimesMs }: Timed,
  from: number,
  windowStartMs: number,
): number | undefined {
  const startMs = startTimesMs?.[from] ?? 0
  return startMs !== 0 && startMs > windowStartMs && startMs < timestampsMs[from]! ? startMs : undefined
}

/** Whether a sample claims to have begun before the sample in front of it was taken, and not with that one. */
export function startsOverlap({ timestampsMs, startTimesMs }: Timed, from: number, to: number): boolean {
  if (startTimesMs === undefined) return false
  for (let i = from + 1; i < to; i++) {
    const startMs = startTimesMs[i]!
    if (startMs !== 0 && startMs < timestampsMs[i - 1]! && startMs !== startTimesMs[i - 1]!) return true
  }
  return false
}
