import { type Clock, errorMessage, type Logger } from '../../lib/index.ts'
import { type Labels, labelsKey } from '../../model/index.ts'
import type { Target } from '../targets/target.ts'
import type { TargetRows } from './target-rows.ts'

// Many that go at once do not end at once.
const ENDS_PER_MS = 1

export interface HeldRows {
  readonly rows: TargetRows
  /** Unix milliseconds, 0 = never. */
  readonly lastScrapeMs: number
}

/**
 * Rows of targets that are no longer listed. A target that comes back soon, or stays under another configuration, goes on
 * where it was; one that does not gets its stale markers after two intervals and a bit.
 */
export class RetiredRows {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #waiting = new Map<string, HeldRows & { readonly cancel: () => void }>()

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  retire({ labels, intervalMs }: Target, rows: TargetRows, lastScrapeMs: number): void {
    const key = labelsKey(labels)
    const cancel = this.#clock.schedule(intervalMs * 2.1 + this.#waiting.size / ENDS_PER_MS, () => {
      this.#waiting.delete(key)
      const failed = (error: unknown): void => {
        this.#logger.warn({ err: error, why: errorMessage(error) }, 'no stale markers for a target that went away')
      }
      try {
        rows.end(this.#clock.nowMs())?.catch(failed)
      } catch (error) {
        failed(error)
        rows.close()
      }
    })
    this.#waiting.set(key, { rows, lastScrapeMs, cancel })
  }

  take(labels: Labels): HeldRows | undefined {
    const key = labelsKey(labels)
    const found = this.#waiting.get(key)
    found?.cancel()
    this.#waiting.delete(key)
    return found
  }

  /** On shutdown: no markers, the target is most likely still there. */
  close(): void {
    for (const { rows, cancel } of this.#waiting.values()) {
      cancel()
      rows.close()
    }
    this.#waiting.clear()
  }
}
