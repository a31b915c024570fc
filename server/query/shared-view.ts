import type { Clock } from '../../lib/index.ts'
import type { Querier, Queryable, TimeRange } from '../../model/index.ts'
import type { RepeatedSelects } from './repeated-selects.ts'

/** A view that is held for longer keeps memory from being freed, and the newest values are no longer at hand in it. */
const AGE_MAX_MS = 100

/** One view of the store for queries that run one after the other: opening it costs more than many of them. */
export class SharedView implements Queryable {
  readonly #store: Queryable
  readonly #clock: Clock
  readonly #repeated: RepeatedSelects
  #current: Querier | undefined
  #openedAtMs = 0

  /** @param repeated shared by one view after the other */
  constructor(store: Queryable, clock: Clock, repeated: RepeatedSelects) {
    this.#store = store
    this.#clock = clock
    this.#repeated = repeated
    repeated.startBatch()
  }

  /** Good until the next call; closing it does nothing. */
  querier(range: TimeRange): Querier {
    const nowMs = this.#clock.nowMs()
    if (this.#current === undefined || nowMs - this.#openedAtMs > AGE_MAX_MS) {
      this.close()
      this.#openedAtMs = nowMs
      this.#current = this.#store.querier(range)
    }
    const view = this.#current
    return {
      select: (matchers, hints) => this.#repeated.select(view, matchers, hints),
      newestByGroup: (matchers, hints) => this.#repeated.newestByGroup(view, matchers, hints),
      series: (matcherSets, own) => view.series(matcherSets, own),
      labelNames: (matcherSets, own) => view.labelNames(matcherSets, own),
      labelValues: (name, matcherSets, own) => view.labelValues(name, matcherSets, own),
      close: () => undefined,
    }
  }

  close(): void {
    this.#current?.close()
    this.#current = undefined
  }
}
