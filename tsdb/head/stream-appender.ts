// Hot: every sample of a batch passes here. Covered by bench/load/remote-write.ts.
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
import type { StagedSamples } from './staged-samples.ts'
import { writeStaged } from './stream-rows.ts'

/** One batch into a stream; after `commit` or `rollback` it can be used for the next. */
export class StreamAppender implements Appender {
  readonly #stream: SampleStream
  readonly #exemplars: ExemplarStore
  readonly #clock: Clock
  readonly #futureMaxMs: number
  readonly #value = new Float64Array(1)
  readonly #bits = new Uint32Array(this.#value.buffer)
  /** There is none while nothing is staged. */
  #staged: StagedSamples | undefined
  /** Samples of a batch may be no newer; the clock is read once for it. */
  #newestTakenMs = 0
  #stagedExemplars: StagedExemplar[] = []

  constructor(stream: SampleStream, exemplars: ExemplarStore, clock: Clock, futureMaxMs: number) {
    this.#stream = stream
    this.#exemplars = exemplars
    this.#clock = clock
    this.#futureMaxMs = futureMaxMs
  }

  append(ref: SeriesRef | undefined, labels: Labels, timestampMs: number, value: number): SeriesRef {
    this.#value[0] = value
    return this.#stage(ref, labels, timestampMs, this.#bits[0]!, this.#bits[1]!, undefined)
  }

  appendStale(ref: SeriesRef | undefined, labels: Labels, timestampMs: number): SeriesRef {
    return this.#stage(ref, labels, timestampMs, STALE_NAN_LOW, STALE_NAN_HIGH, undefined)
  }

  appendHistogram(
    ref: SeriesRef | undefined,
    labels: Labels,
    timestampMs: number,
    histogram: NativeHistogram,
  ): SeriesRef {
    return this.#stage(ref, labels, timestampMs, STALE_NAN_LOW, STALE_NAN_HIGH, histogram)
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
    const staged = this.#staged
    this.#stagedExemplars = []
    if (staged === undefined) return
    const stream = this.#stream
    const { lastMs, lastLow, lastHigh } = stream.columns
    for (let i = staged.count - 1; i >= 0; i--) {
      const series = staged.series[i]!
      if (staged.isLate[i] === 1 || lastMs[series] !== staged.timestampMs[i]) continue
      lastMs[series] = staged.beforeMs[i]!
      lastLow[series] = staged.beforeLow[i]!
      lastHigh[series] = staged.beforeHigh[i]!
      const histograms = staged.histograms.get(i)
      if (histograms !== undefined) setHistogram(stream, series, histograms.before)
    }
    this.#endBatch(staged)
  }

  /** `low`, `high`: bits of the float64; of a histogram those of the staleness marker. */
  #stage(
    ref: SeriesRef | undefined,
    labels: Labels,
    timestampMs: number,
    low: number,
    high: number,
    histogram: NativeHistogram | undefined,
  ): SeriesRef {
    const stream = this.#stream
    const staged = (this.#staged ??= this.#startBatch())
    const known = ref === undefined ? -1 : stream.seriesOfHandle(ref)
    const series = known >= 0 ? known : stream.seriesOf(labels)
    const { lastMs, lastLow, lastHigh } = stream.columns
    const handle = (known >= 0 ? ref : stream.handleOf(series)) as SeriesRef
    const lastTimeMs = lastMs[series]!
    const isNewest =
      timestampMs > lastTimeMs && timestampMs <= this.#newestTakenMs && timestampMs >= stream.head.oldestAppendableMs
    if (!isNewest && this.#isKnown(series, labels, timestampMs, low, high, histogram)) return handle
    const index = staged.add()
    stream.stagedCount++
    staged.series[index] = series
    staged.timestampMs[index] = timestampMs
    staged.low[index] = low
    staged.high[index] = high
    staged.isLate[index] = isNewest ? 0 : 1
    const hasHistograms = histogram !== undefined || stream.lastHistograms.size > 0
    if (!isNewest) {
      staged.lateCount++
      if (histogram !== undefined) {
        staged.histograms.set(index, { histogram: withHint(histogram, undefined), before: undefined })
      }
      return handle
    }
    staged.beforeMs[index] = lastTimeMs
    staged.beforeLow[index] = lastLow[series]!
    staged.beforeHigh[index] = lastHigh[series]!
    lastMs[series] = timestampMs
    lastLow[series] = low
    lastHigh[series] = high
    if (hasHistograms) this.#noteHistogram(staged, index, series, histogram)
    return handle
  }

  #noteHistogram(staged: StagedSamples, index: number, series: number, histogram: NativeHistogram | undefined): void {
    const before = this.#stream.lastHistograms.get(series)
    if (histogram === undefined && before === undefined) return
    const hinted = histogram && withHint(histogram, before)
    staged.histograms.set(index, { histogram: hinted, before })
    setHistogram(this.#stream, series, hinted)
  }

  /**
   * For samples that are not the newest of their series: false when they lie behind it and may be stored there, true when they
   * are stored already.
   *
   * @throws when the rules of order refuse them
   */
  #isKnown(
    series: number,
    labels: Labels,
    timestampMs: number,
    low: number,
    high: number,
    histogram: NativeHistogram | undefined,
  ): boolean {
    const stream = this.#stream
    const { head } = stream
    if (timestampMs > this.#newestTakenMs) {
      head.outOfBoundsSamples++
      throw new OutOfBoundsError(`out of bounds: ${labelsText(labels)} at ${timestampMs} is too far in the future`)
    }
    const { lastMs, lastLow, lastHigh } = stream.columns
    const { oldestAppendableMs, outOfOrderWindowMs } = head
    const lastTimeMs = lastMs[series]!
    if (timestampMs >= oldestAppendableMs && timestampMs === lastTimeMs) {
      const isSameFloat = lastLow[series] === low && lastHigh[series] === high
      if (isSameFloat && isSameOrNone(histogram, stream.lastHistograms.get(series))) return true
      throw new DuplicateSampleError(
        `duplicate sample for timestamp: ${labelsText(labels)} at ${timestampMs} is stored with another value`,
      )
    }
    if (outOfOrderWindowMs > 0) {
      if (timestampMs >= head.newestMs - outOfOrderWindowMs) return false
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
      `out of order sample: ${labelsText(labels)} at ${timestampMs} is older than its newest at ${lastTimeMs}`,
    )
  }

  #apply(): void {
    const staged = this.#staged
    if (staged === undefined) return
    try {
      writeStaged(this.#stream, staged)
    } catch (error) {
      this.rollback()
      throw error
    }
    this.#endBatch(staged)
  }

  #startBatch(): StagedSamples {
    this.#newestTakenMs = this.#clock.nowMs() + this.#futureMaxMs
    return this.#stream.takeStaged()
  }

  #endBatch(staged: StagedSamples): void {
    this.#staged = undefined
    this.#stream.giveStaged(staged)
  }
}

function isSameOrNone(a: NativeHistogram | undefined, b: NativeHistogram | undefined): boolean {
  return a !== undefined && b !== undefined ? isSameHistogram(a, b) : a === b
}

function withHint(histogram: NativeHistogram, previous: NativeHistogram | undefined): NativeHistogram {
  const counterResetHint = counterResetHintOf(histogram, previous)
  return counterResetHint === histogram.counterResetHint ? histogram : { ...histogram, counterResetHint }
}

function setHistogram(stream: SampleStream, series: number, histogram: NativeHistogram | undefined): void {
  if (histogram !== undefined) stream.lastHistograms.set(series, histogram)
  else if (stream.lastHistograms.size > 0) stream.lastHistograms.delete(series)
}
