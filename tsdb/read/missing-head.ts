import type { Matcher } from '../../model/index.ts'
import type { GroupSource } from './piece.ts'
import type { SourceFinder } from './querier.ts'
import type { Wanted } from './summary-view.ts'

/** Stands in for the head until it has been read back: finds nothing, and tells when there may have been something. */
export class MissingHead implements SourceFinder {
  readonly #fromMs: number
  readonly #onMissed: () => void

  /** @param fromMs no sample before it is missing */
  constructor(fromMs: number, onMissed: () => void) {
    this.#fromMs = fromMs
    this.#onMissed = onMissed
  }

  find(_matchers: readonly Matcher[], { maxTimeMs }: Wanted): GroupSource[] {
    if (maxTimeMs >= this.#fromMs) this.#onMissed()
    return []
  }
}
