import type { Clock } from '../../lib/index.ts'

const TICK_MS = 10

export interface Waiter {
  onTick(): void
}

/** Calls waiters at points in time, rounded up to whole ticks, with one timer for all. */
export class Ticker {
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiter[]>()
  /** Ticks somebody waits for or has waited for, as a heap: the smallest stands first. */
  readonly #ticks: number[] = []
  /** While waiters are being called it is the earliest of all, so that the timer is set once, behind the last of them. */
  #armedTick = Number.POSITIVE_INFINITY
  #cancelTimer: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  at(timeMs: number, waiter: Waiter): void {
    const tick = Math.ceil(timeMs / TICK_MS)
    const waiters = this.#waiting.get(tick)
    if (waiters !== undefined) {
      waiters.push(waiter)
      return
    }
    this.#waiting.set(tick, [waiter])
    pushHeap(this.#ticks, tick)
    if (tick < this.#armedTick) this.#arm()
  }

  /** Takes back what `at` was told with the same arguments, if it has not come yet. */
  remove(timeMs: number, waiter: Waiter): void {
    const tick = Math.ceil(timeMs / TICK_MS)
    const waiters = this.#waiting.get(tick)
    const index = waiters?.indexOf(waiter) ?? -1
    if (waiters === undefined || index < 0) return
    waiters.splice(index, 1)
    if (waiters.length > 0) return
    this.#waiting.delete(tick)
    if (this.#waiting.size > 0) return
    this.#cancelTimer?.()
    this.#ticks.length = 0
    this.#armedTick = Number.POSITIVE_INFINITY
  }

  #arm(): void {
    this.#cancelTimer?.()
    const tick = this.#ticks[0]!
    this.#armedTick = tick
    this.#cancelTimer = this.#clock.schedule(tick * TICK_MS - this.#clock.nowMs(), this.#run)
  }

  readonly #run = (): void => {
    const tick = popHeap(this.#ticks)
    this.#armedTick = Number.NEGATIVE_INFINITY
    this.#cancelTimer = undefined
    const waiters = this.#waiting.get(tick) ?? []
    this.#waiting.delete(tick)
    try {
      for (const waiter of waiters) waiter.onTick()
    } finally {
      this.#armedTick = Number.POSITIVE_INFINITY
      if (this.#ticks.length > 0) this.#arm()
    }
  }
}

function pushHeap(heap: number[], value: number): void {
  let at = heap.push(value) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]! <= value) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = value
}

/** The heap is not empty. */
function popHeap(heap: number[]): number {
  const first = heap[0]!
  const last = heap.pop()!
  if (heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = at * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
    if (heap[child]! >= last) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return first
}
