/** Where time comes from. Modules take a `Clock` as an argument, so that a test owns it. */
export interface Clock {
  /** Unix milliseconds, integer. */
  nowMs(): number
  /** Calls `callback` once after `delayMs`; returns a function that cancels it. Timers never keep the process alive. */
  schedule(delayMs: number, callback: () => void): () => void
}

// setTimeout holds a signed 32-bit delay and fires at once beyond it.
const TIMER_DELAY_MAX_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  schedule(delayMs, callback) {
    let timer: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(leftMs, 0), TIMER_DELAY_MAX_MS)
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs)
      timer.unref()
    }
    arm(delayMs)
    return () => clearTimeout(timer)
  },
}

/** A clock that only moves when told to. Callbacks run in order of their time, inside `advance`. */
export class ManualClock implements Clock {
  #nowMs: number
  #nextId = 0
  readonly #timers = new Map<number, { atMs: number; callback: () => void }>()

  constructor(startMs = 0) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const id = this.#nextId++
    this.#timers.set(id, { atMs: this.#nowMs + Math.max(0, delayMs), callback })
    return () => this.#timers.delete(id)
  }

  /** Moves time forward, running what falls due; between callbacks it lets pending promises and files settle. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs
    for (;;) {
      await settle()
      let dueId: number | undefined
      let dueAtMs = Number.POSITIVE_INFINITY
      for (const [id, timer] of this.#timers) {
        if (timer.atMs <= endMs && timer.atMs < dueAtMs) {
          dueId = id
          dueAtMs = timer.atMs
        }
      }
      if (dueId === undefined) break
      const due = this.#timers.get(dueId)
      this.#timers.delete(dueId)
      this.#nowMs = Math.max(this.#nowMs, dueAtMs)
      due?.callback()
    }
    this.#nowMs = endMs
    await settle()
  }
}

/** So many turns of the event loop let promises settle that wait for nothing but each other. */
const SETTLE_TURNS = 3
/** More than a disk needs, in ms; a file that somebody else reads for ever must not stop the clock. */
const FILE_WAITS_MAX = 2000

/** Files take real time, of which this clock knows nothing: what waits for one would otherwise fall behind. */
async function settle(): Promise<void> {
  for (let waits = 0; waits < FILE_WAITS_MAX; waits++) {
    for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    if (!process.getActiveResourcesInfo().includes('FSReqPromise')) return
    await new Promise<void>((resolve) => setTimeout(resolve, 1))
  }
}
