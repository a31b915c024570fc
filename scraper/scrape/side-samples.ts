import type { Appendable, Exemplar, Labels } from '../../model/index.ts'
import { CreatedZeros } from './created-zeros.ts'
import { ExternalSamples, type RefusedSamples } from './external-samples.ts'
import { ExtraSamples } from './extra-samples.ts'
import { limitHistogram } from './histogram-buckets.ts'
import { KnownLabels } from './known-labels.ts'
import type { SplitPage } from './split-page.ts'
import type { PageCounts, TargetRowsRules } from './target-rules.ts'

interface PageLabels {
  readonly labels: Labels
  readonly emptyLabels: readonly string[]
  readonly timestampMs: number | undefined
}

interface Takers {
  readonly externals: ExternalSamples
  readonly extras: ExtraSamples
  readonly zeros: CreatedZeros
}

/**
 * What goes into the store beside the rows of one target: samples with times of their own, native histograms, exemplars,
 * the zeros at which counters began. All of it is staged while a page is read, and appended once its row is written.
 */
export class SideSamples {
  readonly #appendable: Appendable | undefined
  readonly #targetLabels: Labels
  #rules: TargetRowsRules
  // Most targets have none of this: they hold nothing for it.
  #known: KnownLabels | undefined
  #takers: Takers | undefined

  /** @param appendable `undefined`: the store takes nothing but rows; all of this is left out */
  constructor(appendable: Appendable | undefined, targetLabels: Labels, rules: TargetRowsRules) {
    this.#appendable = appendable
    this.#targetLabels = targetLabels
    this.#rules = rules
  }

  changeRules(rules: TargetRowsRules): void {
    this.#rules = rules
    this.#known?.clear()
  }

  /** Whether a sample that says this of its time belongs here instead of in the row. */
  takes(timestampMs: number | undefined): boolean {
    return timestampMs !== undefined && this.#rules.honorTimestamps && this.#appendable !== undefined
  }

  /** The place of a series whose samples `takes` is true for; it keeps it for as long as the target lives. */
  slotOf(labels: Labels): number {
    return this.#needTakers()!.externals.slotOf(labels)
  }

  /** @param timestampMs `undefined` = the time of the scrape */
  stageExternal(slot: number, timestampMs: number | undefined, value: number): void {
    this.#needTakers()?.externals.stage(slot, timestampMs, value)
  }

  stageExemplar(sample: PageLabels, exemplar: Exemplar): void {
    const labels = this.#labelsOf(sample)
    if (labels) this.#needTakers()?.extras.stageExemplar(labels, this.#timeOf(sample), exemplar)
  }

  /** Everything of a page that was taken apart but its floats. @throws {ScrapeLimitError} */
  stageSplit(split: SplitPage): PageCounts {
    const counts = { samplesScraped: split.histograms.length, samplesKept: 0, seriesAdded: 0 }
    const { histogramBucketLimit, histogramSchemaMax } = this.#rules
    for (const sample of split.histograms) {
      const labels = this.#labelsOf(sample)
      if (labels === undefined) continue
      counts.samplesKept++
      const histogram = limitHistogram(sample.histogram, histogramBucketLimit, histogramSchemaMax)
      if (this.#needTakers()?.extras.stageHistogram(labels, this.#timeOf(sample), histogram)) counts.seriesAdded++
    }
    if (this.#appendable === undefined) return counts
    for (const { createdMs, histogram, ...sample } of split.created) {
      const labels = this.#labelsOf(sample)
      if (labels) this.#needTakers()?.zeros.stage({ labels, createdMs, histogram })
    }
    for (const sample of split.exemplars) this.stageExemplar(sample, sample.exemplar)
    return counts
  }

  discard(): void {
    this.#takers?.externals.discard()
    this.#takers?.extras.discard()
    this.#takers?.zeros.discard()
  }

  /** @returns when everything is stored; `undefined` = there is nothing */
  flush(scrapeMs: number, refused: RefusedSamples): Promise<void> | undefined {
    if (this.#takers === undefined) return undefined
    const { externals, extras, zeros } = this.#takers
    const { trackTimestampsStaleness } = this.#rules
    // Before the others: a series' samples come in the order of their times.
    const beginnings = zeros.flush(scrapeMs)
    const others = both(
      externals.flush(scrapeMs, trackTimestampsStaleness, refused),
      extras.flush(scrapeMs, trackTimestampsStaleness, refused),
    )
    return both(beginnings, others)
  }

  /** Stale markers for the histograms: the target is gone. */
  end(timestampMs: number, refused: RefusedSamples): Promise<void> | undefined {
    return this.#takers?.extras.flush(timestampMs, false, refused)
  }

  #labelsOf(sample: PageLabels): Labels | undefined {
    this.#known ??= new KnownLabels(this.#targetLabels)
    return this.#known.of(sample, this.#rules)
  }

  #needTakers(): Takers | undefined {
    const appendable = this.#appendable
    this.#takers ??= appendable && {
      externals: new ExternalSamples(appendable),
      extras: new ExtraSamples(appendable),
      zeros: new CreatedZeros(appendable),
    }
    return this.#takers
  }

  #timeOf({ timestampMs }: { readonly timestampMs: number | undefined }): number | undefined {
    return this.#rules.honorTimestamps ? timestampMs : undefined
  }
}

const both = (a: Promise<void> | undefined, b: Promise<void> | undefined): Promise<void> | undefined =>
  a && b ? Promise.all([a, b]).then(() => undefined) : (a ?? b)
