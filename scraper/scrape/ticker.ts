import type { Clock } from '../../lib/index.ts'

/** Scrapes due within one tick start together: fewer wake-ups, and their pages are processed back to back. */
export const TICK_MS = 10

/** Runs callbacks at points in time, rounded up to whole ticks, with one timer a tick however many wait for it. */
export class Ticker {
  readonly #clock: Clock
  readonly #ticks = new Map<number, { readonly callbacks: Set<() => void>; readonly cancel: () => void }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns a function that takes the callback back. */
  at(timeMs: number, callback: () => void): () => void {
    const tick = Math.ceil(timeMs / TICK_MS)
    let waiting = this.#ticks.get(tick)
    if (!waiting) {
      const cancel = this.#clock.schedule(tick * TICK_MS - this.#clock.nowMs(), () => this.#run(tick))
      waiting = { callbacks: new Set(), cancel }
      this.#ticks.set(tick, waiting)
    }
    const { callbacks } = waiting
    callbacks.add(callback)
    return () => {
      callbacks.delete(callback)
      if (callbacks.size > 0 || !this.#ticks.has(tick)) return
      this.#ticks.get(tick)?.cancel()
      this.#ticks.delete(tick)
    }
  }

  #run(tick: number): void {
    const waiting = this.#ticks.get(tick)
    this.#ticks.delete(tick)
    for (const callback of waiting?.callbacks ?? []) callback()
  }
}
