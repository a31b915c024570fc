import { execFile } from 'node:child_process'
import type { Clock } from '../../../lib/index.ts'
import type { Collector } from './collector.ts'
import { type HostFiles, ifPresent } from './host-files.ts'
import type { Page } from './page.ts'

const REFRESH_MS = 30_000
const TIMEOUT_MS = 2000
const SYNCHRONIZED_FILE = 'run/systemd/timesync/synchronized'

/** How well the clock keeps time, in seconds. */
export interface ClockState {
  readonly isSynchronized: boolean
  readonly offset?: number
  readonly maxError?: number
  readonly estimatedError?: number
  readonly frequencyRatio?: number
}

/**
 * Node cannot ask the kernel (adjtimex), so the daemon that keeps the clock is asked: chrony, now and then and not while a
 * scrape waits, or the mark that systemd-timesyncd leaves. Where neither runs there is nothing to say.
 */
export function createTimexCollector(files: HostFiles, clock: Clock): Collector {
  let state: ClockState | undefined
  let askedMs = Number.NEGATIVE_INFINITY
  return {
    name: 'timex',
    collect(page) {
      const nowMs = clock.nowMs()
      if (nowMs - askedMs >= REFRESH_MS) {
        askedMs = nowMs
        void askChrony().then((answer) => {
          state = answer
        })
      }
      const marked = ifPresent(() => files.rootfs(SYNCHRONIZED_FILE)) !== undefined
      const shown = state ?? (marked ? { isSynchronized: true } : undefined)
      if (shown) write(page, shown)
    },
  }
}

function write(page: Page, state: ClockState): void {
  const give = (name: string, help: string, value: number | undefined): void => {
    if (value !== undefined) page.single(`node_timex_${name}`, 'gauge', help, value)
  }
  give('estimated_error_seconds', 'Estimated error.', state.estimatedError)
  give('frequency_adjustment_ratio', 'Speed of the clock against its own.', state.frequencyRatio)
  give('maxerror_seconds', 'Largest error there can be.', state.maxError)
  give('offset_seconds', 'Distance from the reference clock.', state.offset)
  give('sync_status', 'Whether the clock follows a reference.', state.isSynchronized ? 1 : 0)
}

function askChrony(): Promise<ClockState | undefined> {
  return new Promise((resolve) => {
    execFile('chronyc', ['-n', '-c', 'tracking'], { timeout: TIMEOUT_MS }, (error, output) =>
      resolve(error ? undefined : parseChronyTracking(output)),
    )
  })
}

/** `chronyc -c tracking`: reference, name, stratum, time, offset, last, RMS, frequency (ppm), residual, skew, delay, dispersion, interval, leap. */
export function parseChronyTracking(output: string): ClockState | undefined {
  const fields = output.trim().split(',')
  if (fields.length < 14) return undefined
  const number = (index: number): number => Number(fields[index])
  return {
    isSynchronized: fields[13] !== 'Not synchronised',
    offset: number(4),
    maxError: number(10) / 2 + number(11),
    estimatedError: number(6),
    frequencyRatio: 1 + number(7) / 1e6,
  }
}
