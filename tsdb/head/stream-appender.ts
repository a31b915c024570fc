// Hot: every sample of a batch passes here. Covered by bench/load/remote-write.ts.
import type { Clock } from '../../lib/index.ts'
import {
  type Appender,
  type Exemplar,
  type Labels,
  type NativeHistogram,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  type SeriesRef,
} from '../../model/index.ts'
import type { ExemplarStore, StagedExemplar } from '../exemplars/exemplar-store.ts'
import { isSameHistogram } from '../histogram/codec.ts'
import { counterResetHintOf } from '../histogram/counter-reset.ts'
import { countLeftOut, refusal, Verdict, verdictOf } from './order-rules.ts'
import type { SampleStream } from './sample-stream.ts'
import type { StagedSamples } from './staged-samples.ts'
import { writeStaged } from './stream-rows.ts'

/** What a series was last given. */
interface NewestSample {
  readonly timestampMs: number
  readonly low: number
  readonly high: number
  readonly histogram: NativeHistogram | undefined
}

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
  /** By series, the index of its first sample in order: of those staged before `#firstsUpTo`. Only filled where it is asked for. */
  readonly #firsts = new Map<number, number>()
  #firstsUpTo = 0

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
    if (!isNewest && !this.#isLate(series, labels, timestampMs, low, high, histogram)) return handle
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
   * For samples that are not newer than what their series has: true when they are to be stored behind it. False when they are
   * stored already, or when only samples of the same batch are in their way: the first of a time stays.
   *
   * @throws when the rules of order refuse them
   */
  #isLate(
    series: number,
    labels: Labels,
    timestampMs: number,
    low: number,
    high: number,
    histogram: NativeHistogram | undefined,
  ): boolean {
    const { head, columns } = this.#stream
    const type = histogram === undefined ? 'float' : 'histogram'
    if (timestampMs > this.#newestTakenMs) throw refusal(head, Verdict.OUT_OF_BOUNDS, labels, timestampMs, type)
    const before = this.#newestBefore(series)
    const verdict = verdictOf(head, timestampMs, before.timestampMs, columns.lastMs[series]!)
    if (verdict === Verdict.LATE) return true
    if (verdict === Verdict.SECOND_IN_BATCH || verdict === Verdict.BEHIND_IN_BATCH) {
      countLeftOut(head, verdict, type)
      return false
    }
    const isSame = before.low === low && before.high === high && isSameOrNone(histogram, before.histogram)
    if (verdict === Verdict.AT_NEWEST && isSame) return false
    throw refusal(head, verdict, labels, timestampMs, type)
  }

  /** The newest sample of a series that this batch did not bring. */
  #newestBefore(series: number): NewestSample {
    const staged = this.#staged!
    for (; this.#firstsUpTo < staged.count; this.#firstsUpTo++) {
      const index = this.#firstsUpTo
      const own = staged.series[index]!
      if (staged.isLate[index] === 0 && !this.#firsts.has(own)) this.#firsts.set(own, index)
    }
    const first = this.#firsts.get(series)
    if (first === undefined) {
      const { columns, lastHistograms } = this.#stream
      return {
        timestampMs: columns.lastMs[series]!,
        low: columns.lastLow[series]!,
        high: columns.lastHigh[series]!,
        histogram: lastHistograms.get(series),
      }
    }
    return {
      timestampMs: staged.beforeMs[first]!,
      low: staged.beforeLow[first]!,
      high: staged.beforeHigh[first]!,
      histogram: staged.histograms.get(first)?.before,
    }
  }

  #apply(): void {
    const staged = this.#staged
    if (staged === undefined) return
    try {
      writeStaged(this.#stream, staged)
    } catch (error) {
      this.rollback()
      this.#stream.late.forget()
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
    this.#firsts.clear()
    this.#firstsUpTo = 0
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
