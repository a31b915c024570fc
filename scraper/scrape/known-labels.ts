import { type Labels, labelsKey } from '../../model/index.ts'
import { type SeriesLabelRules, seriesLabels } from './series-labels.ts'

// Lines with exemplars are few; a page that is all of them is not worth more memory than this.
const KNOWN_MAX = 20_000

/** Stored labels by those of the page, for samples that are looked at in every scrape. */
export class KnownLabels {
  readonly #targetLabels: Labels
  readonly #known = new Map<string, Labels | undefined>()

  constructor(targetLabels: Labels) {
    this.#targetLabels = targetLabels
  }

  /** As `seriesLabels`. */
  of(
    { labels, emptyLabels }: { readonly labels: Labels; readonly emptyLabels: readonly string[] },
    rules: SeriesLabelRules,
  ): Labels | undefined {
    const key = emptyLabels.length === 0 ? labelsKey(labels) : labelsKey([...labels, ...emptyLabels])
    if (this.#known.has(key)) return this.#known.get(key)
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    const stored = seriesLabels(labels, emptyLabels, this.#targetLabels, rules)
    this.#known.set(key, stored)
    return stored
  }

  /** The rules have changed. */
  clear(): void {
    this.#known.clear()
  }
}
