import { errorMessage } from '../../../lib/index.ts'
import type { DiscoveryParts } from '../poll.ts'

// After a failure, so that a Consul that is down is not asked in a loop.
const RETRY_PAUSE_MS = 15_000

interface WatchOptions {
  readonly name: string
  /** Shortest time from one question to the next. */
  readonly pauseMs: number
  /** Asks for what is newer than `index` ('' = anything); resolves with the index of the answer. */
  readonly ask: (index: string) => Promise<string>
  readonly parts: DiscoveryParts
}

/** One blocking query, asked again and again with the index of the last answer. */
export class ConsulWatch {
  readonly #options: WatchOptions
  #index = ''
  #stopped = false
  #cancelTimer: (() => void) | undefined

  constructor(options: WatchOptions) {
    this.#options = options
    void this.#round()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer?.()
  }

  async #round(): Promise<void> {
    const { name, ask, pauseMs, parts } = this.#options
    const startMs = parts.clock.nowMs()
    let waitMs = 0
    try {
      const next = await ask(this.#index)
      // An index that goes back means that Consul has started anew.
      this.#index = Number(next) < Number(this.#index) ? '' : next
    } catch (error) {
      if (this.#stopped) return
      this.#index = ''
      waitMs = Math.min(RETRY_PAUSE_MS, pauseMs)
      parts.onFailure?.()
      parts.logger.error({ name, reason: errorMessage(error) }, 'Consul gave no answer, the last targets stay in use')
    }
    if (this.#stopped) return
    const spentMs = parts.clock.nowMs() - startMs
    this.#cancelTimer = parts.clock.schedule(Math.max(waitMs, pauseMs - spentMs, 0), () => void this.#round())
  }
}
