import type { Clock } from '../../lib/index.ts'
import {
  type Appender,
  DuplicateSampleError,
  EMPTY_LABELS,
  type Labels,
  labelsText,
  OutOfBoundsError,
  OutOfOrderSampleError,
  ROW_ENTRY_BYTES,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  SampleKind,
  type SeriesRef,
} from '../../model/index.ts'
import { LOST_LABEL_SET } from '../memory/layout.ts'
import { writeEntry, writeStaleEntry } from './decimal.ts'
import type { Head } from './head.ts'
import type { HeadGroup } from './head-group.ts'
import { PairMap } from './pair-map.ts'

const NO_GROUP = 0xffff_ffff
const REF_STREAM_FACTOR = 2 ** 32

/** What a series of a stream was last given; staged samples count. */
interface SeriesColumns {
  labelSet: Uint32Array
  lastMs: Float64Array
  lastLow: Uint32Array
  lastHigh: Uint32Array
  group: Uint32Array
}

/**
 * A caller's stream of arbitrary series. Its samples go to sparse groups: every distinct time is a row, positions without
 * a sample in it are absent. A group takes rows of growing time only, so a series that lags behind the others moves to the
 * first group that is still behind it, if need be to a new one; where a series was last written it is written next.
 */
export class SampleStream {
  readonly name: string
  readonly index: number
  readonly head: Head
  readonly groups: HeadGroup[] = []
  readonly #seriesByLabelSet = new PairMap()
  readonly #positions = new PairMap()
  #series: SeriesColumns = columns(64)
  #seriesCount = 0

  constructor(head: Head, name: string, index: number) {
    this.head = head
    this.name = name
    this.index = index
    for (const group of head.streamGroups(name)) this.#recall(group)
  }

  seriesOf(labels: Labels): number {
    const labelSet = this.head.catalogue.labelSet(labels)
    const known = this.#seriesByLabelSet.get(0, labelSet)
    return known >= 0 ? known : this.#addSeries(labelSet)
  }

  isSeries(index: number): boolean {
    return index < this.#seriesCount
  }

  get columns(): SeriesColumns {
    return this.#series
  }

  /** Position of a series in one of the stream's groups, or -1. */
  positionIn(groupIndex: number, labelSet: number): number {
    return this.#positions.get(groupIndex, labelSet)
  }

  setPosition(groupIndex: number, labelSet: number, position: number): void {
    this.#positions.set(groupIndex, labelSet, position)
  }

  addGroup(): number {
    return this.groups.push(this.head.createGroup(EMPTY_LABELS, this.name, true)) - 1
  }

  #addSeries(labelSet: number): number {
    const index = this.#seriesCount++
    if (index === this.#series.labelSet.length) this.#series = grown(this.#series)
    this.#series.labelSet[index] = labelSet
    this.#series.lastMs[index] = Number.NEGATIVE_INFINITY
    this.#series.group[index] = NO_GROUP
    this.#seriesByLabelSet.set(0, labelSet, index)
    return index
  }

  /** Takes over from an earlier run what the replayed rows of a group tell about its series. */
  #recall(group: HeadGroup): void {
    const { lastTs, m, e, k } = group.state
    const { u8, u32, f64 } = this.head.memory.views
    for (let position = 0; position < group.positionCount; position++) {
      const lastMs = f64[(lastTs >>> 3) + position]!
      if (lastMs === Number.NEGATIVE_INFINITY || group.labelSetAt(position) === LOST_LABEL_SET) continue
      const labelSet = group.labelSetAt(position)
      const known = this.#seriesByLabelSet.get(0, labelSet)
      const index = known >= 0 ? known : this.#addSeries(labelSet)
      if (this.#series.lastMs[index]! >= lastMs) continue
      this.#series.lastMs[index] = lastMs
      const kind = u8[k + position]! & 3
      const at = (m >>> 2) + 2 * position
      const bits = new Uint32Array(2)
      if (kind === SampleKind.RAW) bits.set([u32[at]!, u32[at + 1]!])
      else if (kind === SampleKind.STALE) bits.set([STALE_NAN_LOW, STALE_NAN_HIGH])
      else {
        const exponent = (u8[e + position]! << 24) >> 24
        const mantissa = (u32[at + 1]! | 0) * 2 ** 32 + u32[at]!
        const power = Number(`1e${Math.abs(exponent)}`)
        new Float64Array(bits.buffer)[0] = exponent > 0 ? mantissa / power : mantissa * power
      }
      this.#series.lastLow[index] = bits[0]!
      this.#series.lastHigh[index] = bits[1]!
    }
  }
}

function columns(capacity: number): SeriesColumns {
  return {
    labelSet: new Uint32Array(capacity),
    lastMs: new Float64Array(capacity),
    lastLow: new Uint32Array(capacity),
    lastHigh: new Uint32Array(capacity),
    group: new Uint32Array(capacity),
  }
}

function grown(old: SeriesColumns): SeriesColumns {
  const next = columns(old.labelSet.length * 2)
  next.labelSet.set(old.labelSet)
  next.lastMs.set(old.lastMs)
  next.lastLow.set(old.lastLow)
  next.lastHigh.set(old.lastHigh)
  next.group.set(old.group)
  return next
}

interface Staged {
  readonly series: number
  readonly timestampMs: number
  readonly low: number
  readonly high: number
  /** What to put back on rollback. */
  readonly before: { readonly lastMs: number; readonly low: number; readonly high: number }
}

interface PlannedRow {
  readonly group: number
  readonly timestampMs: number
  readonly samples: { readonly position: number; readonly staged: Staged }[]
}

/** One batch into a stream; after `commit` or `rollback` it can be used for the next. */
export class StreamAppender implements Appender {
  readonly #stream: SampleStream
  readonly #clock: Clock
  readonly #futureMaxMs: number
  readonly #value = new Float64Array(1)
  readonly #bits = new Uint32Array(this.#value.buffer)
  #staged: Staged[] = []

  constructor(stream: SampleStream, clock: Clock, futureMaxMs: number) {
    this.#stream = stream
    this.#clock = clock
    this.#futureMaxMs = futureMaxMs
  }

  append(ref: SeriesRef | undefined, labels: Labels, timestampMs: number, value: number): SeriesRef {
    this.#value[0] = value
    return this.#stage(ref, labels, timestampMs, this.#bits[0]!, this.#bits[1]!)
  }

  appendStale(ref: SeriesRef | undefined, labels: Labels, timestampMs: number): SeriesRef {
    return this.#stage(ref, labels, timestampMs, STALE_NAN_LOW, STALE_NAN_HIGH)
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
    this.#apply()
    await log.flushed()
  }

  rollback(): void {
    const { lastMs, lastLow, lastHigh } = this.#stream.columns
    for (const sample of this.#staged.reverse()) {
      if (lastMs[sample.series] !== sample.timestampMs) continue
      lastMs[sample.series] = sample.before.lastMs
      lastLow[sample.series] = sample.before.low
      lastHigh[sample.series] = sample.before.high
    }
    this.#staged = []
  }

  #stage(ref: SeriesRef | undefined, labels: Labels, timestampMs: number, low: number, high: number): SeriesRef {
    const series = this.#resolve(ref, labels)
    const { lastMs, lastLow, lastHigh } = this.#stream.columns
    const before = { lastMs: lastMs[series]!, low: lastLow[series]!, high: lastHigh[series]! }
    this.#check(labels, timestampMs, before, low, high)
    const handle = (this.#stream.index * REF_STREAM_FACTOR + series) as SeriesRef
    if (timestampMs === before.lastMs) return handle
    this.#staged.push({ series, timestampMs, low, high, before })
    lastMs[series] = timestampMs
    lastLow[series] = low
    lastHigh[series] = high
    return handle
  }

  #resolve(ref: SeriesRef | undefined, labels: Labels): number {
    if (ref !== undefined && Math.floor(ref / REF_STREAM_FACTOR) === this.#stream.index) {
      const series = ref % REF_STREAM_FACTOR
      if (this.#stream.isSeries(series)) return series
    }
    return this.#stream.seriesOf(labels)
  }

  #check(labels: Labels, timestampMs: number, last: Staged['before'], low: number, high: number): void {
    const { head } = this.#stream
    if (timestampMs < last.lastMs) {
      head.outOfOrderSamples++
      throw new OutOfOrderSampleError(
        `out of order sample: ${labelsText(labels)} at ${timestampMs} is older than its newest at ${last.lastMs}`,
      )
    }
    if (timestampMs === last.lastMs && (low !== last.low || high !== last.high)) {
      throw new DuplicateSampleError(
        `duplicate sample for timestamp: ${labelsText(labels)} at ${timestampMs} is stored with another value`,
      )
    }
    if (timestampMs > this.#clock.nowMs() + this.#futureMaxMs) {
      head.outOfBoundsSamples++
      throw new OutOfBoundsError(`out of bounds: ${labelsText(labels)} at ${timestampMs} is too far in the future`)
    }
    head.checkNotTooOld(timestampMs)
  }

  #apply(): void {
    const staged = this.#staged.sort((a, b) => a.timestampMs - b.timestampMs)
    this.#staged = []
    if (staged.length === 0) return
    const rows = this.#plan(staged)
    const { head } = this.#stream
    head.memory.change(() => {
      for (const row of rows) this.#writeRow(row)
    })
    head.samplesAppended += staged.length
  }

  /** Gives every sample a group and a position; new groups and positions are made here, before readers have to wait. */
  #plan(staged: readonly Staged[]): PlannedRow[] {
    const stream = this.#stream
    const newest = stream.groups.map((group) => group.newestMs)
    const rows: PlannedRow[] = []
    for (let from = 0; from < staged.length; ) {
      const { timestampMs } = staged[from]!
      let to = from
      while (to < staged.length && staged[to]!.timestampMs === timestampMs) to++
      const byGroup = new Map<number, Staged[]>()
      for (let i = from; i < to; i++) {
        const group = this.#chooseGroup(staged[i]!, newest)
        const list = byGroup.get(group)
        if (list) list.push(staged[i]!)
        else byGroup.set(group, [staged[i]!])
      }
      for (const [group, samples] of byGroup) {
        newest[group] = timestampMs
        rows.push({ group, timestampMs, samples: this.#place(group, samples) })
      }
      from = to
    }
    return rows
  }

  #chooseGroup(sample: Staged, newest: number[]): number {
    const stream = this.#stream
    const { group } = stream.columns
    const home = group[sample.series]!
    if (home !== NO_GROUP && newest[home]! < sample.timestampMs) return home
    let chosen = newest.findIndex((newestMs) => newestMs < sample.timestampMs)
    if (chosen < 0) {
      chosen = stream.addGroup()
      newest.push(Number.NEGATIVE_INFINITY)
    }
    group[sample.series] = chosen
    return chosen
  }

  /** Positions of the samples in a group, ascending; series that are new to it are added. */
  #place(groupIndex: number, samples: readonly Staged[]): PlannedRow['samples'] {
    const stream = this.#stream
    const group = stream.groups[groupIndex]!
    const { labelSet } = stream.columns
    const isNew = samples.filter((sample) => stream.positionIn(groupIndex, labelSet[sample.series]!) < 0)
    if (isNew.length > 0) {
      const { catalogue } = stream.head
      const sets = isNew.map((sample) => catalogue.labelSetLabels(labelSet[sample.series]!))
      const first = stream.head.addSeries(group, sets)
      for (const [i, sample] of isNew.entries()) stream.setPosition(groupIndex, labelSet[sample.series]!, first + i)
    }
    return samples
      .map((staged) => ({ position: stream.positionIn(groupIndex, labelSet[staged.series]!), staged }))
      .sort((a, b) => a.position - b.position)
  }

  #writeRow(row: PlannedRow): void {
    const { head, groups } = this.#stream
    const area = head.entriesArea(row.samples.length * ROW_ENTRY_BYTES)
    const view = new DataView(head.memory.views.u8.buffer)
    let at = area
    for (const { position, staged } of row.samples) {
      this.#bits[0] = staged.low
      this.#bits[1] = staged.high
      if (staged.low === STALE_NAN_LOW && staged.high === STALE_NAN_HIGH) writeStaleEntry(view, at, position)
      else {
        writeEntry(view, at, position, this.#value[0]!)
        // The bits once more: a NaN's may have changed on their way through a number.
        if (Number.isNaN(this.#value[0])) {
          view.setUint32(at + 8, staged.low, true)
          view.setUint32(at + 12, staged.high, true)
        }
      }
      at += ROW_ENTRY_BYTES
    }
    groups[row.group]!.writeRow(row.timestampMs, area, row.samples.length)
  }
}
