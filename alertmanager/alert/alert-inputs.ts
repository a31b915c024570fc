import type { AlertInput } from './ingest.ts'

/** What an alert says but for its times. */
export type AlertTexts = Pick<AlertInput, 'labels' | 'annotations' | 'generatorUrl' | 'fingerprint'>

const GIVEN_NOT = Number.NaN

/** Alerts that have arrived, in columns: a hundred thousand objects that live for a moment would keep the collector busy. */
export class AlertInputs implements Iterable<AlertInput> {
  readonly #texts: AlertTexts[] = []
  /** Start and end of each. */
  #timesMs = new Float64Array(64)

  /** @param texts kept by reference; what is known of the alert where it says the same */
  add(texts: AlertTexts, startsAtMs: number | undefined, endsAtMs: number | undefined): void {
    const at = 2 * this.#texts.push(texts) - 2
    if (at === this.#timesMs.length) {
      const larger = new Float64Array(2 * at)
      larger.set(this.#timesMs)
      this.#timesMs = larger
    }
    this.#timesMs[at] = startsAtMs ?? GIVEN_NOT
    this.#timesMs[at + 1] = endsAtMs ?? GIVEN_NOT
  }

  *[Symbol.iterator](): Generator<AlertInput> {
    for (let i = 0; i < this.#texts.length; i++) {
      const { labels, annotations, generatorUrl, fingerprint } = this.#texts[i]!
      const startsAtMs = timeOf(this.#timesMs[2 * i]!)
      const endsAtMs = timeOf(this.#timesMs[2 * i + 1]!)
      yield { labels, annotations, startsAtMs, endsAtMs, generatorUrl, fingerprint }
    }
  }
}

const timeOf = (ms: number): number | undefined => (Number.isNaN(ms) ? undefined : ms)
