import type { Clock } from '../../lib/index.ts'

/** Ends early when one of the signals aborts. */
export function sleepUntil(clock: Clock, atMs: number, ...signals: readonly AbortSignal[]): Promise<void> {
  if (atMs <= clock.nowMs() || signals.some(({ aborted }) => aborted)) return Promise.resolve()
  return new Promise((resolve) => {
    const sleepers = signals.map(sleepersOf)
    const wake = (): void => {
      cancel()
      for (const set of sleepers) set.delete(wake)
      resolve()
    }
    const cancel = clock.schedule(atMs - clock.nowMs(), wake)
    for (const set of sleepers) set.add(wake)
  })
}

/** A signal walks through all its listeners to add or remove one, which thousands of pauses at once would feel. */
const sleepersBySignal = new WeakMap<AbortSignal, Set<() => void>>()

function sleepersOf(signal: AbortSignal): Set<() => void> {
  const known = sleepersBySignal.get(signal)
  if (known) return known
  const sleepers = new Set<() => void>()
  const wakeAll = (): void => {
    for (const wake of sleepers) wake()
  }
  signal.addEventListener('abort', wakeAll, { once: true })
  sleepersBySignal.set(signal, sleepers)
  return sleepers
}
