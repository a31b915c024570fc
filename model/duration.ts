import { AppError } from '../lib/errors.ts'

/** Text that is no duration, or one too long to hold. */
export class DurationError extends AppError {
  override readonly code = 'ERR_DURATION'
  override readonly httpStatus = 400
}

const UNITS: readonly (readonly [string, number])[] = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/
// Go holds durations as int64 nanoseconds.
const DURATION_MAX_MS = (2 ** 63 - 1) / 1e6

/**
 * Prometheus' durations (`1h30m`, `5m`, `15s`, `250ms`; each unit at most once, largest first; plain `0`), in milliseconds.
 *
 * @throws {DurationError}
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  if (text === '') throw new DurationError('empty duration string')
  const match = DURATION.exec(text)
  if (!match) throw new DurationError(`not a valid duration string: ${JSON.stringify(text)}`)
  let sumMs = 0
  for (let i = 0; i < UNITS.length; i++) sumMs += Number(match[i + 1] ?? 0) * UNITS[i]![1]
  if (sumMs > DURATION_MAX_MS) throw new DurationError('duration out of range')
  return sumMs
}

/** The shortest exact form, as Prometheus prints it: weeks and years only where nothing is left over; `0s` for zero. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  let left = Math.abs(durationMs)
  let text = durationMs < 0 ? '-' : ''
  for (const [unit, unitMs] of UNITS) {
    const wholeOnly = unit === 'y' || unit === 'w'
    if (wholeOnly && left % unitMs !== 0) continue
    const count = Math.floor(left / unitMs)
    if (count > 0) text += `${count}${unit}`
    left -= count * unitMs
  }
  return text
}
