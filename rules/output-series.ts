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

interface Series {
  readonly labels: Labels
  readonly ref: SeriesRef
}

/** The series one rule wrote at its last evaluation; those that it no longer yields get a staleness marker. */
export class OutputSeries {
  #previous = new Map<string, Series>()
  /** Of the batch that is not committed yet. */
  #staged = new Map<string, Series>()

  /** Series of the last evaluation, for whoever has to end them. */
  get labels(): readonly Labels[] {
    return [...this.#previous.values()].map((series) => series.labels)
  }

  get isEmpty(): boolean {
    return this.#previous.size === 0
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
    const written = new Map<string, Series>()
    let refusal: string | undefined
    for (const { labels, value, histogram } of samples) {
      const key = labelsKey(labels)
      const ref = this.#previous.get(key)?.ref
      const result = tryAppend(() =>
        histogram === undefined
          ? appender.append(ref, labels, timestampMs, value)
          : appender.appendHistogram(ref, labels, timestampMs, histogram),
      )
      // What was refused is another rule's series; it must not be ended from here later.
      if (result.ref === undefined) refusal = result.refusal
      else written.set(key, { labels, ref: result.ref })
    }
    for (const [key, { labels, ref }] of this.#previous) {
      if (!written.has(key)) appendStale(appender, ref, labels, timestampMs)
    }
    this.#staged = written
    if (refusal !== undefined) logger.warn({ reason: refusal }, 'the store refused samples of a rule')
    return refusal
  }

  /** What was staged last is in the store now. */
  settle(): void {
    this.#previous = this.#staged
  }
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
  tryAppend(() => appender.appendStale(ref, labels, timestampMs))
}

type Appended = { readonly ref: SeriesRef } | { readonly ref: undefined; readonly refusal: string }

function tryAppend(append: () => SeriesRef): Appended {
  try {
    return { ref: append() }
  } catch (error) {
    const isRefusal =
      error instanceof OutOfOrderSampleError ||
      error instanceof DuplicateSampleError ||
      error instanceof OutOfBoundsError
    if (!isRefusal) throw error
    return { ref: undefined, refusal: errorMessage(error) }
  }
}
