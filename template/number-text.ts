import { formatFloat } from './go-float.ts'

const general4 = (value: number): string => formatFloat(value, 'g', 4)

/** `1.235k`, `12m`: four significant digits and an SI prefix. */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return general4(value)
  let scaled = value
  let prefix = ''
  if (Math.abs(value) >= 1) {
    for (const p of 'kMGTPEZY') {
      if (Math.abs(scaled) < 1000) break
      prefix = p
      scaled /= 1000
    }
    return general4(scaled) + prefix
  }
  for (const p of 'munpfazy') {
    if (Math.abs(scaled) >= 1) break
    prefix = p
    scaled *= 1000
  }
  return general4(scaled) + prefix
}

/** `1.5ki`: as `humanize`, by powers of 1024. */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return general4(value)
  let scaled = value
  let prefix = ''
  for (const p of ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']) {
    if (Math.abs(scaled) < 1024) break
    prefix = p
    scaled /= 1024
  }
  return general4(scaled) + prefix
}

/** `1d 2h 3m 4s`, `4.5s`, `12ms`, from seconds. */
export function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return general4(seconds)
  if (seconds === 0) return `${general4(seconds)}s`
  if (Math.abs(seconds) < 1) {
    let scaled = seconds
    let prefix = ''
    for (const p of 'munpfazy') {
      if (Math.abs(scaled) >= 1) break
      prefix = p
      scaled *= 1000
    }
    return `${general4(scaled)}${prefix}s`
  }
  const sign = seconds < 0 ? '-' : ''
  const magnitude = Math.abs(seconds)
  const whole = Math.trunc(magnitude)
  const s = whole % 60
  const m = Math.floor(whole / 60) % 60
  const h = Math.floor(whole / 3600) % 24
  const d = Math.floor(whole / 86_400)
  if (d > 0) return `${sign}${d}d ${h}h ${m}m ${s}s`
  if (h > 0) return `${sign}${h}h ${m}m ${s}s`
  if (m > 0) return `${sign}${m}m ${s}s`
  return `${sign}${general4(magnitude)}s`
}

/** `12.35%` from a ratio. */
export const humanizePercentage = (ratio: number): string => `${general4(ratio * 100)}%`
