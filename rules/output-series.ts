import { errorMessage, type Logger } from '../lib/index.ts'
import {
  type Appendable,
  type Appender,
  DuplicateSampleError,
  type Labels,
  labelsKey,
  OutOfBoundsError,
  OutOfOrderSampleError,
  type SeriesRef,
} from '../model/index.ts'
import type { OutputSample } from './evaluation.ts'

interface Written {
  readonly labels: readonly Labels[]
  /** Of the same indexes. */
  readonly refs: readonly SeriesRef[]
}

const NOTHING: Written = { labels: [], refs: [] }

/**
 * The series one rule wrote at its last evaluation; those that it no longer yields get a staleness marker. While a rule yields
 * the very same label objects in the same order, series are found by their index.
 */
export class OutputSeries {
  #previous = NOTHING
  /** Of the batch that is not committed yet. */
  #staged = NOTHING

  /** Series of the last evaluation, for whoever has to end them. */
  get labels(): readonly Labels[] {
    return this.#previous.labels
  }

  get isEmpty(): boolean {
    return this.#previous.labels.length === 0
  }

  /** Goes on where another rule's series ended. */
  takeFrom(other: OutputSeries): void {
    this.#previous = other.#previous
  }

  /**
   * Puts one evaluation into a batch; `settle` when that is committed.
   *
   * @returns the message of the last sample that the store refused, if any
   */
  stage(appender: Appender, timestampMs: number, samples: readonly OutputSample[], logger: Logger): string | undefined {
    const previous = this.#previous
    const isUnchanged = isSameList(samples, previous.labels)
    const indexes = isUnchanged ? undefined : indexesByKey(previous.labels)
    const labels: Labels[] = []
    const refs: SeriesRef[] = []
    let refusal: string | undefined
    for (let i = 0; i < samples.length; i++) {
      const sample = samples[i]!
      const index = indexes === undefined ? i : indexes.get(labelsKey(sample.labels))
      const result = tryAppend(appender, index === undefined ? undefined : previous.refs[index], timestampMs, sample)
      if (typeof result === 'number') {
        labels.push(sample.labels)
        refs.push(result)
      } else refusal = result // That is another rule's series; it must not be ended from here later.
    }
    const staged = isUnchanged && refusal === undefined ? { labels: previous.labels, refs } : { labels, refs }
    if (staged.labels !== previous.labels) endOthers(appender, timestampMs, previous, staged)
    this.#staged = staged
    if (refusal !== undefined) logger.warn({ reason: refusal }, 'the store refused samples of a rule')
    return refusal
  }

  /** What was staged last is in the store now. */
  settle(): void {
    this.#previous = this.#staged
  }
}

function isSameList(samples: readonly OutputSample[], labels: readonly Labels[]): boolean {
  if (samples.length !== labels.length) return false
  for (let i = 0; i < labels.length; i++) if (samples[i]!.labels !== labels[i]) return false
  return true
}

const indexesByKey = (list: readonly Labels[]): Map<string, number> =>
  new Map(list.map((labels, index) => [labelsKey(labels), index]))

/** Ends the series of the evaluation before that were not written now. */
function endOthers(appender: Appender, timestampMs: number, previous: Written, written: Written): void {
  if (previous.labels.length === 0) return
  const keys = new Set(written.labels.map(labelsKey))
  for (const [index, labels] of previous.labels.entries())
    if (!keys.has(labelsKey(labels))) appendStale(appender, previous.refs[index], labels, timestampMs)
}

/** Ends series whose rule is gone. */
export async function writeStaleMarkers(
  appendable: Appendable,
  series: readonly Labels[],
  timestampMs: number,
): Promise<void> {
  if (series.length === 0) return
  const appender = appendable.appender()
  for (const labels of series) appendStale(appender, undefined, labels, timestampMs)
  await appender.commit()
}

/** A refusal is no fault here: another rule writes the series now. */
function appendStale(appender: Appender, ref: SeriesRef | undefined, labels: Labels, timestampMs: number): void {
  try {
    appender.appendStale(ref, labels, timestampMs)
  } catch (error) {
    if (!isRefusal(error)) throw error
  }
}

/** @returns the series, or why the store refused the sample */
function tryAppend(
  appender: Appender,
  ref: SeriesRef | undefined,
  timestampMs: number,
  { labels, value, histogram }: OutputSample,
): SeriesRef | string {
  try {
    return histogram === undefined
      ? appender.append(ref, labels, timestampMs, value)
      : appender.appendHistogram(ref, labels, timestampMs, histogram)
  } catch (error) {
    if (!isRefusal(error)) throw error
    return errorMessage(error)
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof OutOfOrderSampleError || error instanceof DuplicateSampleError || error instanceof OutOfBoundsError
