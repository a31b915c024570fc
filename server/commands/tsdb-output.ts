/** How the commands on data folders print: tables, sizes, times, and how far long work has come. */
import type { OnProgress } from '../../tsdb/index.ts'

/** Columns as wide as what is in them; the first flush left, the others flush right. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [head, ...rows].map(line)
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`
}

/** A time as people read it, to the second. */
export const timeText = (timeMs: number): string =>
  Number.isFinite(timeMs) ? new Date(timeMs).toISOString().replace(/\.\d+/, '') : '-'

/** A length of time in hours and minutes. */
export function spanText(spanMs: number): string {
  const minutes = Math.round(spanMs / 60_000)
  const hours = Math.floor(minutes / 60)
  return hours > 0 ? `${hours}h${minutes % 60 > 0 ? `${minutes % 60}m` : ''}` : `${minutes}m`
}

const BAR = 30

/** A bar on the terminal; nothing where there is none. */
export function progressBar(what: string): OnProgress {
  if (!process.stderr.isTTY) return () => undefined
  return (done, total) => {
    const filled = total === 0 ? BAR : Math.floor((done / total) * BAR)
    const bar = '#'.repeat(filled).padEnd(BAR, '.')
    process.stderr.write(`\r${what} [${bar}] ${done}/${total}${done === total ? '\n' : ''}`)
  }
}
