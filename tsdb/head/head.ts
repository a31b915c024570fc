import { invariant } from '../../lib/errors.ts'
import type { ColumnKernels, RowKernels } from '../../kernels/index.ts'
import {
  EMPTY_LABELS,
  type GroupWriter,
  type Labels,
  OutOfBoundsError,
  OutOfOrderSampleError,
  ROW_ENTRY_BYTES,
} from '../../model/index.ts'
import { StoreClosedError } from '../errors.ts'
import { HeadHistograms } from '../histogram/head-histograms.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { encodeGroup, encodeSeries, RecordType } from '../wal/format.ts'
import type { WalWriter } from '../wal/wal-writer.ts'
import { Catalogue } from './catalogue.ts'
import type { GroupShared } from './group-shared.ts'
import { GroupTable } from './group-table.ts'
import { HeadGroup } from './head-group.ts'

const ENCODINGS_KEPT = 8

/** Numbers of samples by what they are. */
export interface TypeCounts {
  float: number
  histogram: number
}

interface GroupKind {
  readonly isSparse: boolean
  readonly isLate: boolean
}

/** Everything that is not in blocks yet: groups, their rows and chunks, and the log that makes new rows durable. */
export class Head {
  readonly memory: HeadMemory
  readonly catalogue: Catalogue
  readonly histograms: HeadHistograms
  readonly columns: ColumnKernels
  readonly groups = new Map<number, HeadGroup>()
  readonly windowMs: number
  /** Samples before it are in blocks, or would be; none are taken any more. */
  minValidMs = Number.NEGATIVE_INFINITY
  /** Time of the newest sample that was ever in the head. */
  newestMs = Number.NEGATIVE_INFINITY
  /** How far behind the newest sample of the head a sample may come behind newer ones of its series. */
  outOfOrderWindowMs = 0
  /** How far behind the newest sample of the head streams may append in order. */
  pastMaxMs: number
  samplesAppended = 0
  seriesCreated = 0
  seriesRemoved = 0
  readonly outOfOrderSamples: TypeCounts = { float: 0, histogram: 0 }
  readonly outOfBoundsSamples: TypeCounts = { float: 0, histogram: 0 }
  readonly tooOldSamples: TypeCounts = { float: 0, histogram: 0 }
  lateSamplesAppended = 0
  /** How often late samples have gone into blocks. */
  lateDepartures = 0
  histogramsAppended = 0
  readonly #table: GroupTable
  readonly #shared: GroupShared
  readonly #byLabelSet = new Map<number, HeadGroup[]>()
  readonly #encodings: { readonly labelSets: Uint32Array; readonly payload: Uint8Array }[] = []
  #log: WalWriter | undefined
  #nextGroupId = 0
  #removedAtSweep = 0
  #work = { pointer: 0, bytes: 0 }
  #entries = { pointer: 0, bytes: 0 }

  constructor(options: {
    memory: HeadMemory
    kernels: RowKernels
    columns: ColumnKernels
    windowMs: number
    onClosed: (bytes: number) => void
  }) {
    this.memory = options.memory
    this.windowMs = options.windowMs
    this.pastMaxMs = options.windowMs / 2
    this.columns = options.columns
    this.catalogue = new Catalogue(options.memory)
    this.histograms = new HeadHistograms(options.memory, options.windowMs)
    this.#table = new GroupTable(options.memory)
    this.#shared = {
      memory: this.memory,
      catalogue: this.catalogue,
      kernels: options.kernels,
      log: () => this.log,
      work: (bytes) => this.#area(this.#work, bytes),
      onClosed: options.onClosed,
      windowMs: options.windowMs,
      onRow: (timestampMs) => {
        if (timestampMs > this.newestMs) this.newestMs = timestampMs
      },
      onLateGone: () => {
        this.lateDepartures++
      },
    }
  }

  /** The log; there is none before the old one has been replayed. */
  get log(): WalWriter {
    invariant(this.#log !== undefined, 'the log is open before rows are written')
    return this.#log
  }

  openLog(log: WalWriter): void {
    this.#log = log
  }

  /** Those of a group that was taken over, or that moved on within a stream, are counted once, where they are written now. */
  get seriesCount(): number {
    let count = 0
    for (const group of this.groups.values()) {
      if (group.isOwned && group.isSparse && !group.isLate) count += group.homeCount
      else if (!this.#isSucceeded(group)) count += group.positionCount
    }
    return count
  }

  #isSucceeded(group: HeadGroup): boolean {
    if (group.isOwned) return false
    const same = this.#byLabelSet.get(group.labelSet) ?? []
    return same.some((other) => other.isOwned && other.isSparse === group.isSparse && other.stream === group.stream)
  }

  /** Times of the oldest and newest sample of the head; NaN when there is none. */
  timeRange(): { minMs: number; maxMs: number } {
    let minMs = Number.POSITIVE_INFINITY
    let maxMs = Number.NEGATIVE_INFINITY
    for (const group of this.groups.values()) {
      if (group.isEmpty) continue
      maxMs = Math.max(maxMs, group.newestMs)
      const first = group.chunks[0] ?? group.pending[0]
      minMs = Math.min(minMs, first?.minTimeMs ?? group.openMinMs)
    }
    return minMs <= maxMs ? { minMs, maxMs } : { minMs: Number.NaN, maxMs: Number.NaN }
  }

  /** A group of a target; older ones with the same labels are closed and only kept for their samples. */
  openGroup(labels: Labels): GroupWriter {
    const labelSet = this.catalogue.labelSet(labels)
    let newestMs = Number.NEGATIVE_INFINITY
    for (const older of this.#byLabelSet.get(labelSet) ?? []) {
      if (older.isSparse) continue
      newestMs = Math.max(newestMs, older.newestMs)
      this.disown(older)
    }
    const group = this.createGroup(labels, '', { isSparse: false, isLate: false })
    group.newestMs = newestMs
    return new TargetWriter(this, group)
  }

  /** A new group that is logged. */
  createGroup(labels: Labels, stream: string, kind: GroupKind): HeadGroup {
    const id = this.#nextGroupId
    this.log.append(RecordType.GROUP, id, 0, encodeGroup({ ...kind, stream, labels }))
    return this.restoreGroup(id, labels, stream, kind, false)
  }

  /** A group that is known from the log or a checkpoint; `isReplayed` false: a new one. */
  restoreGroup(id: number, labels: Labels, stream: string, kind: GroupKind, isReplayed = true): HeadGroup {
    const { isSparse, isLate } = kind
    const group = new HeadGroup(this.#shared, {
      id,
      isLate,
      labelSet: this.catalogue.labelSet(labels),
      stream: this.catalogue.symbol(stream),
      isSparse,
      ...this.#table.take(),
      isReplayed,
    })
    this.reserveGroupId(id)
    this.groups.set(id, group)
    const same = this.#byLabelSet.get(group.labelSet)
    if (same) same.push(group)
    else this.#byLabelSet.set(group.labelSet, [group])
    return group
  }

  /** Makes sure that no new group gets this id. */
  reserveGroupId(id: number): void {
    this.#nextGroupId = Math.max(this.#nextGroupId, id + 1)
  }

  /** Adds positions to a group and logs their labels; returns the first. */
  addSeries(group: HeadGroup, series: readonly Labels[]): number {
    const first = group.positionCount
    if (series.length === 0) return first
    const labelSets = Uint32Array.from(series, (labels) => this.catalogue.labelSet(labels))
    this.log.append(RecordType.SERIES, group.id, first, this.#encoded(labelSets, series))
    group.addPositions(labelSets)
    this.seriesCreated += series.length
    return first
  }

  /** Targets of one layout bring the same series: their log payload is made once. */
  #encoded(labelSets: Uint32Array, series: readonly Labels[]): Uint8Array {
    const known = this.#encodings.find(
      (other) => other.labelSets.length === labelSets.length && other.labelSets.every((set, i) => set === labelSets[i]),
    )
    if (known !== undefined) return known.payload
    const payload = encodeSeries(series)
    this.#encodings.unshift({ labelSets, payload })
    if (this.#encodings.length > ENCODINGS_KEPT) this.#encodings.pop()
    return payload
  }

  /** No more rows come for this group. What it holds stays until it is in blocks. */
  disown(group: HeadGroup): void {
    if (!group.isOwned) return
    group.isOwned = false
    group.closeRows()
    this.log.append(RecordType.CLOSE, group.id, 0, new Uint8Array(0))
    this.dropIfDone(group)
  }

  dropIfDone(group: HeadGroup): void {
    if (group.isOwned || !group.isEmpty) return
    this.seriesRemoved += group.positionCount
    group.drop()
    this.#table.give(group.slot)
    this.groups.delete(group.id)
    const rest = (this.#byLabelSet.get(group.labelSet) ?? []).filter((other) => other !== group)
    if (rest.length > 0) this.#byLabelSet.set(group.labelSet, rest)
    else this.#byLabelSet.delete(group.labelSet)
  }

  /** Whether rows or chunks start in [`fromMs`, `toMs`). */
  hasSamplesIn(fromMs: number, toMs: number): boolean {
    const isInside = ({ minTimeMs }: { minTimeMs: number }): boolean => minTimeMs >= fromMs && minTimeMs < toMs
    for (const group of this.groups.values()) {
      if (group.openRows > 0 && isInside({ minTimeMs: group.openMinMs })) return true
      if (group.pending.some(isInside) || group.chunks.some(isInside)) return true
    }
    return false
  }

  /** The oldest time that streams may still append in order. */
  get oldestAppendableMs(): number {
    return Math.max(this.minValidMs, this.newestMs - this.pastMaxMs)
  }

  /**
   * Frees label sets and strings that nothing names any more, when that pays.
   *
   * @param labelSets in use outside of groups and histograms
   */
  reclaimLabels(labelSets: Iterable<number>): void {
    const isWorthIt = this.seriesRemoved - this.#removedAtSweep > this.catalogue.labelSetCount / 8
    if (!isWorthIt) return
    this.#removedAtSweep = this.seriesRemoved
    const marks = this.catalogue.startSweep()
    for (const group of this.groups.values()) marks.addGroup(group.labelSet, group.stream)
    for (const set of this.histograms.labelSets()) marks.addLabelSet(set)
    for (const set of labelSets) marks.addLabelSet(set)
    // They name label sets by number, too.
    this.#encodings.length = 0
    this.catalogue.endSweep(marks)
  }

  /** Room for row entries in head memory, valid until the next call. */
  entriesArea(bytes: number): number {
    return this.#area(this.#entries, bytes)
  }

  /** @throws {OutOfBoundsError} for times that are in blocks already */
  checkNotTooOld(timestampMs: number): void {
    if (timestampMs >= this.minValidMs) return
    this.outOfBoundsSamples.float++
    throw new OutOfBoundsError(`timestamp ${timestampMs} is older than what the store still takes (${this.minValidMs})`)
  }

  /** Groups made by a generic stream, of this and earlier runs. */
  streamGroups(stream: string): HeadGroup[] {
    const symbol = this.catalogue.symbol(stream)
    const labelSet = this.catalogue.labelSet(EMPTY_LABELS)
    return (this.#byLabelSet.get(labelSet) ?? []).filter((group) => group.isSparse && group.stream === symbol)
  }

  #area(area: { pointer: number; bytes: number }, bytes: number): number {
    if (area.bytes < bytes) {
      if (area.bytes > 0) this.memory.free(area.pointer, area.bytes)
      area.bytes = Math.max(bytes, area.bytes * 2, 4096)
      area.pointer = this.memory.allocate(area.bytes)
    }
    return area.pointer
  }
}

class TargetWriter implements GroupWriter {
  readonly #head: Head
  readonly #group: HeadGroup

  constructor(head: Head, group: HeadGroup) {
    this.#head = head
    this.#group = group
  }

  get positionCount(): number {
    return this.#group.positionCount
  }

  addSeries(seriesLabels: readonly Labels[]): number {
    this.#checkOpen()
    return this.#head.addSeries(this.#group, seriesLabels)
  }

  writeRow(timestampMs: number, entries: Uint8Array, entryCount: number): void {
    const head = this.#head
    const group = this.#group
    this.#checkOpen()
    if (timestampMs <= group.newestMs) {
      head.outOfOrderSamples.float += entryCount
      throw new OutOfOrderSampleError(`row at ${timestampMs} is not newer than the group's newest at ${group.newestMs}`)
    }
    head.checkNotTooOld(timestampMs)
    const bytes = entryCount * ROW_ENTRY_BYTES
    const area = head.entriesArea(bytes)
    head.memory.views.u8.set(entries.length === bytes ? entries : entries.subarray(0, bytes), area)
    group.writeRow(timestampMs, area, entryCount)
    head.samplesAppended += group.presentCount
  }

  close(): void {
    this.#head.disown(this.#group)
  }

  #checkOpen(): void {
    if (!this.#group.isOwned) throw new StoreClosedError('the group was closed or taken over')
  }
}
