import { type Labels, type NativeHistogram, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts'
import { LOST_LABEL_SET } from '../memory/layout.ts'
import type { Head } from './head.ts'
import type { HeadGroup } from './head-group.ts'
import { LateSamples } from './late-samples.ts'
import { newestSample } from './newest-sample.ts'
import { PairMap } from './pair-map.ts'
import { grownTo, StagedSamples } from './staged-samples.ts'
import { StreamGroups } from './stream-groups.ts'

const GENERATIONS = 2 ** 15
const SERIES_CAPACITY_MIN = 64
/** Longer staging columns are not kept for the next batch. */
const STAGED_KEPT_MAX = 65_536

/** What a series of a stream was last given; staged samples count. */
interface SeriesColumns {
  readonly labelSet: Uint32Array
  readonly lastMs: Float64Array
  readonly lastLow: Uint32Array
  readonly lastHigh: Uint32Array
  /** Counts the series that had this place before. */
  readonly generation: Uint16Array
}

/**
 * A caller's stream of arbitrary series. Its samples go to sparse groups: every distinct time is a row, positions without
 * a sample in it are absent.
 *
 * Samples behind the newest of their series go to late groups. A late group is younger than every group that holds samples
 * in order: so of two samples of one time the late one lies in the younger group, which is the one readers prefer. Of late
 * samples of one time the first is stored, as long as the head holds it.
 */
export class SampleStream {
  readonly name: string
  readonly index: number
  readonly head: Head
  readonly groups: StreamGroups
  readonly late: LateSamples
  /** Samples staged by appenders; what they name must not be forgotten. */
  stagedCount = 0
  /** The newest sample of a series, where it is a histogram. */
  readonly lastHistograms = new Map<number, NativeHistogram>()
  readonly #seriesByLabelSet = new PairMap()
  /** Groups of earlier runs that may know when a series was last written, and where it is in them; `undefined`: not any more. */
  #earlier: (HeadGroup | undefined)[]
  readonly #earlierPositions = new PairMap()
  #series: SeriesColumns = columns(SERIES_CAPACITY_MIN)
  #seriesCount = 0
  readonly #freeSeries: number[] = []
  #spareStaged: StagedSamples | undefined

  constructor(head: Head, name: string, index: number) {
    this.head = head
    this.name = name
    this.index = index
    this.groups = new StreamGroups(head, name)
    this.groups.reserve(SERIES_CAPACITY_MIN)
    this.late = new LateSamples(head, name)
    const earlier = head.streamGroups(name).filter((group) => !group.isLate)
    this.#earlier = earlier
    for (const [g, group] of earlier.entries()) {
      for (let position = 0; position < group.positionCount; position++) {
        const labelSet = group.labelSetAt(position)
        if (labelSet !== LOST_LABEL_SET) this.#earlierPositions.set(g, labelSet, position)
      }
    }
  }

  get columns(): SeriesColumns {
    return this.#series
  }

  seriesOf(labels: Labels): number {
    const labelSet = this.head.catalogue.labelSet(labels)
    const known = this.#seriesByLabelSet.get(0, labelSet)
    return known >= 0 ? known : this.#addSeries(labelSet)
  }

  /** A number for the series that no other series of this run has. */
  handleOf(series: number): number {
    return (this.index * GENERATIONS + this.#series.generation[series]!) * 2 ** 32 + series
  }

  /** The series of a handle, or -1 when the handle is not of this stream or its series was forgotten. */
  seriesOfHandle(handle: number): number {
    const series = handle >>> 0
    return series < this.#seriesCount && this.handleOf(series) === handle ? series : -1
  }

  /** Empty columns for a batch. */
  takeStaged(): StagedSamples {
    const staged = this.#spareStaged ?? new StagedSamples()
    this.#spareStaged = undefined
    return staged
  }

  /** Takes back the columns of a batch that has ended. */
  giveStaged(staged: StagedSamples): void {
    this.stagedCount -= staged.count
    staged.clear()
    if (staged.capacity <= STAGED_KEPT_MAX) this.#spareStaged = staged
  }

  /** Forgets series that were not written since `beforeMs`, and gives up groups in which most are such. */
  reclaim(beforeMs: number): void {
    if (this.stagedCount > 0) return
    this.#forgetEmptyEarlier()
    this.groups.reclaim(beforeMs)
    this.late.reclaim()
    const { lastMs, labelSet, generation } = this.#series
    let forgotten = 0
    for (let series = 0; series < this.#seriesCount; series++) {
      if (labelSet[series] === LOST_LABEL_SET || !(lastMs[series]! < beforeMs)) continue
      labelSet[series] = LOST_LABEL_SET
      generation[series] = (generation[series]! + 1) % GENERATIONS
      this.groups.release(series)
      this.lastHistograms.delete(series)
      this.#freeSeries.push(series)
      forgotten++
    }
    if (forgotten > 0) this.#seriesByLabelSet.retain((_, set, series) => labelSet[series] === set)
  }

  /** Label sets that the stream knows series by. */
  *labelSets(): Generator<number> {
    const { labelSet } = this.#series
    for (let series = 0; series < this.#seriesCount; series++) {
      if (labelSet[series] !== LOST_LABEL_SET) yield labelSet[series]!
    }
  }

  /** The others keep their numbers, by which positions are found. */
  #forgetEmptyEarlier(): void {
    this.#earlier = this.#earlier.map((group) => (group?.isEmpty === false ? group : undefined))
    if (this.#earlier.some((group) => group !== undefined)) return
    this.#earlier = []
    this.#earlierPositions.clear()
  }

  #addSeries(labelSet: number): number {
    const index = this.#freeSeries.pop() ?? this.#seriesCount++
    if (index === this.#series.labelSet.length) {
      this.#series = grown(this.#series)
      this.groups.reserve(this.#series.labelSet.length)
    }
    this.#series.labelSet[index] = labelSet
    this.#series.lastMs[index] = Number.NEGATIVE_INFINITY
    this.#seriesByLabelSet.set(0, labelSet, index)
    this.#recall(index, labelSet)
    return index
  }

  /** Takes over from earlier runs when a series was last written. */
  #recall(series: number, labelSet: number): void {
    for (const [g, group] of this.#earlier.entries()) {
      const position = this.#earlierPositions.get(g, labelSet)
      if (group === undefined || position < 0 || group.isEmpty) continue
      const newest = newestSample(this.head, group, position)
      if (newest === undefined || newest.timestampMs <= this.#series.lastMs[series]!) continue
      this.#series.lastMs[series] = newest.timestampMs
      this.#series.lastLow[series] = newest.low
      this.#series.lastHigh[series] = newest.high
    }
    const isMarker = this.#series.lastLow[series] === STALE_NAN_LOW && this.#series.lastHigh[series] === STALE_NAN_HIGH
    const histogram = isMarker ? this.head.histograms.find(labelSet, this.#series.lastMs[series]!) : undefined
    if (histogram !== undefined) this.lastHistograms.set(series, histogram)
  }
}

function columns(capacity: number): SeriesColumns {
  return {
    labelSet: new Uint32Array(capacity),
    lastMs: new Float64Array(capacity),
    lastLow: new Uint32Array(capacity),
    lastHigh: new Uint32Array(capacity),
    generation: new Uint16Array(capacity),
  }
}

function grown(old: SeriesColumns): SeriesColumns {
  const next = columns(Math.ceil(old.labelSet.length * 1.5))
  return {
    labelSet: grownTo(old.labelSet, next.labelSet),
    lastMs: grownTo(old.lastMs, next.lastMs),
    lastLow: grownTo(old.lastLow, next.lastLow),
    lastHigh: grownTo(old.lastHigh, next.lastHigh),
    generation: grownTo(old.generation, next.generation),
  }
}
