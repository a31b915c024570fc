import type { Clock } from '../../lib/index.ts'
import {
  type Appender,
  DuplicateSampleError,
  type Exemplar,
  type Labels,
  labelsText,
  type NativeHistogram,
  OutOfBoundsError,
  OutOfOrderSampleError,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  type SeriesRef,
} from '../../model/index.ts'
import type { ExemplarStore, StagedExemplar } from '../exemplars/exemplar-store.ts'
import { isSameHistogram } from '../histogram/codec.ts'
import { counterResetHintOf } from '../histogram/counter-reset.ts'
import type { SampleStream } from './sample-stream.ts'
import { type StagedSample, writeStaged } from './stream-rows.ts'

/** One batch into a stream; after `commit` or `rollback` it can be used for the next. */
export class StreamAppender implements Appender {
  readonly #stream: SampleStream
  readonly #exemplars: ExemplarStore
  readonly #clock: Clock
  readonly #futureMaxMs: number
  readonly #value = new Float64Array(1)
  readonly #bits = new Uint32Array(this.#value.buffer)
  #staged: StagedSample[] = []
  #stagedExemplars: StagedExemplar[] = []

  constructor(stream: SampleStream, exemplars: ExemplarStore, clock: Clock, futureMaxMs: number) {
    this.#stream = stream
    this.#exemplars = exemplars
    this.#clock = clock
    this.#futureMaxMs = futureMaxMs
  }

  append(ref: SeriesRef | undefined, labels: Labels, timestampMs: number, value: number): SeriesRef {
    this.#value[0] = value
    return this.#stage(ref, labels, { timestampMs, low: this.#bits[0]!, high: this.#bits[1]!, histogram: undefined })
  }

  appendStale(ref: SeriesRef | undefined, labels: Labels, timestampMs: number): SeriesRef {
    return this.#stage(ref, labels, { ...MARKER, timestampMs, histogram: undefined })
  }

  appendHistogram(
    ref: SeriesRef | undefined,
    labels: Labels,
    timestampMs: number,
    histogram: NativeHistogram,
  ): SeriesRef {
    return this.#stage(ref, labels, { ...MARKER, timestampMs, histogram })
  }

  appendExemplar(labels: Labels, exemplar: Exemplar & { readonly timestampMs: number }): void {
    if (this.#exemplars.accepts(labels, exemplar)) this.#stagedExemplars.push({ seriesLabels: labels, exemplar })
  }

  async commit(): Promise<void> {
    const { log } = this.#stream.head
    // While the log is broken nothing new becomes visible; waiting for it also tries it again.
    if (log.failure !== undefined) {
      try {
        await log.flushed()
      } catch (error) {
        this.rollback()
        throw error
      }
    }
    const exemplars = this.#stagedExemplars
    this.#stagedExemplars = []
    this.#apply()
    this.#exemplars.append(exemplars)
    await log.flushed()
    if (exemplars.length > 0) await this.#exemplars.settled()
  }

  rollback(): void {
    const stream = this.#stream
    const { lastMs, lastLow, lastHigh } = stream.columns
    for (const { series, timestampMs, isLate, before } of this.#staged.reverse()) {
      if (isLate || lastMs[series] !== timestampMs) continue
      lastMs[series] = before.timestampMs
      lastLow[series] = before.low
      lastHigh[series] = before.high
      setHistogram(stream, series, before.histogram)
    }
    this.#forgetStaged()
    this.#stagedExemplars = []
  }

  #stage(ref: SeriesRef | undefined, labels: Labels, sample: Sample): SeriesRef {
    const stream = this.#stream
    const known = ref === undefined ? -1 : stream.seriesOfHandle(ref)
    const series = known >= 0 ? known : stream.seriesOf(labels)
    const { lastMs, lastLow, lastHigh } = stream.columns
    const before: Sample = {
      timestampMs: lastMs[series]!,
      low: lastLow[series]!,
      high: lastHigh[series]!,
      histogram: stream.lastHistograms.get(series),
    }
    const place = this.#placeOf(labels, sample, before)
    const handle = stream.handleOf(series) as SeriesRef
    if (place === 'known') return handle
    const isLate = place === 'late'
    const histogram = sample.histogram && withHint(sample.histogram, isLate ? undefined : before.histogram)
    this.#staged.push({ ...sample, series, histogram, isLate, before })
    stream.stagedCount++
    if (isLate) return handle
    lastMs[series] = sample.timestampMs
    lastLow[series] = sample.low
    lastHigh[series] = sample.high
    setHistogram(stream, series, histogram)
    return handle
  }

  /** Where a sample belongs by the rules of order. @throws when nowhere */
  #placeOf(labels: Labels, sample: Sample, last: Sample): 'newest' | 'late' | 'known' {
    const { head } = this.#stream
    const { timestampMs } = sample
    if (timestampMs > this.#clock.nowMs() + this.#futureMaxMs) {
      head.outOfBoundsSamples++
      throw new OutOfBoundsError(`out of bounds: ${labelsText(labels)} at ${timestampMs} is too far in the future`)
    }
    const { oldestAppendableMs, outOfOrderWindowMs } = head
    if (timestampMs >= oldestAppendableMs) {
      if (timestampMs > last.timestampMs) return 'newest'
      if (timestampMs === last.timestampMs) {
        if (isSame(sample, last)) return 'known'
        throw new DuplicateSampleError(
          `duplicate sample for timestamp: ${labelsText(labels)} at ${timestampMs} is stored with another value`,
        )
      }
    }
    if (outOfOrderWindowMs > 0) {
      if (timestampMs >= head.newestMs - outOfOrderWindowMs) return 'late'
      head.tooOldSamples++
      throw new OutOfBoundsError(`too old sample: ${labelsText(labels)} at ${timestampMs} is behind the window`)
    }
    if (timestampMs < oldestAppendableMs) {
      head.outOfBoundsSamples++
      throw new OutOfBoundsError(
        `out of bounds: ${labelsText(labels)} at ${timestampMs} is older than what is still taken (${oldestAppendableMs})`,
      )
    }
    head.outOfOrderSamples++
    throw new OutOfOrderSampleError(
      `out of order sample: ${labelsText(labels)} at ${timestampMs} is older than its newest at ${last.timestampMs}`,
    )
  }

  #apply(): void {
    const staged = this.#staged
    if (staged.length > 0) writeStaged(this.#stream, staged)
    this.#forgetStaged()
  }

  #forgetStaged(): void {
    this.#stream.stagedCount -= this.#staged.length
    this.#staged = []
  }
}

interface Sample {
  readonly timestampMs: number
  /** Bits of the float64; of a histogram those of the staleness marker. */
  readonly low: number
  readonly high: number
  readonly histogram: NativeHistogram | undefined
}

const MARKER = { low: STALE_NAN_LOW, high: STALE_NAN_HIGH } as const

function isSame(a: Sample, b: Sample): boolean {
  if (a.histogram !== undefined && b.histogram !== undefined) return isSameHistogram(a.histogram, b.histogram)
  return a.histogram === b.histogram && a.low === b.low && a.high === b.high
}

function withHint(histogram: NativeHistogram, previous: NativeHistogram | undefined): NativeHistogram {
  const counterResetHint = counterResetHintOf(histogram, previous)
  return counterResetHint === histogram.counterResetHint ? histogram : { ...histogram, counterResetHint }
}

function setHistogram(stream: SampleStream, series: number, histogram: NativeHistogram | undefined): void {
  if (histogram !== undefined) stream.lastHistograms.set(series, histogram)
  else if (stream.lastHistograms.size > 0) stream.lastHistograms.delete(series)
}
