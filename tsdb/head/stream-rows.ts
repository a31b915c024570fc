import { type NativeHistogram, ROW_ENTRY_BYTES, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts'
import { RecordType } from '../wal/format.ts'
import { encodeHistograms } from '../wal/histogram-record.ts'
import { writeEntry, writeStaleEntry } from './decimal.ts'
import type { SampleStream } from './sample-stream.ts'

/** A sample that an appender has accepted. */
export interface StagedSample {
  readonly series: number
  readonly timestampMs: number
  readonly low: number
  readonly high: number
  readonly histogram: NativeHistogram | undefined
  /** It lies behind the newest of its series. */
  readonly isLate: boolean
  /** The newest sample of the series before this one, to be put back on rollback. */
  readonly before: {
    readonly timestampMs: number
    readonly low: number
    readonly high: number
    readonly histogram: NativeHistogram | undefined
  }
}

interface PlannedRow {
  readonly group: number
  readonly timestampMs: number
  readonly samples: { readonly position: number; readonly staged: StagedSample }[]
}

/** Writes a batch to the groups of its stream: readers see all of it or nothing. */
export function writeStaged(stream: SampleStream, staged: readonly StagedSample[]): void {
  const { head } = stream
  const late = staged.filter((sample) => sample.isLate)
  // Samples in order first: the groups they may need make the late groups start anew.
  const rows = plan(stream, late.length === 0 ? staged : staged.filter((sample) => !sample.isLate), false)
  if (late.length > 0) rows.push(...plan(stream, late, true))
  head.memory.change(() => {
    for (const row of rows) writeRow(stream, row)
  })
  const histograms = staged.reduce((sum, { histogram }) => sum + (histogram === undefined ? 0 : 1), 0)
  head.samplesAppended += staged.length - histograms
  head.histogramsAppended += histograms
  head.lateSamplesAppended += late.length
}

/** Gives every sample a group and a position; new groups and positions are made here, before readers have to wait. */
function plan(stream: SampleStream, samples: readonly StagedSample[], isLate: boolean): PlannedRow[] {
  const staged = samples.toSorted((a, b) => a.timestampMs - b.timestampMs)
  const candidates = candidateGroups(stream, isLate)
  const rows: PlannedRow[] = []
  for (let from = 0; from < staged.length; ) {
    const { timestampMs } = staged[from]!
    const byGroup = new Map<number, StagedSample[]>()
    // A late batch may name a series twice at one time: the last one counts.
    const seen = new Map<number, number>()
    let to = from
    for (; to < staged.length && staged[to]!.timestampMs === timestampMs; to++) seen.set(staged[to]!.series, to)
    for (let i = from; i < to; i++) {
      const sample = staged[i]!
      if (isLate && seen.get(sample.series) !== i) continue
      const group = chooseGroup(stream, sample, candidates)
      const list = byGroup.get(group)
      if (list) list.push(sample)
      else byGroup.set(group, [sample])
    }
    for (const [group, own] of byGroup) {
      candidates.set(group, timestampMs)
      rows.push({ group, timestampMs, samples: place(stream, group, own) })
    }
    from = to
  }
  return rows
}

/** Newest times of the groups that may be written, by their number in the stream; oldest group first. */
function candidateGroups(stream: SampleStream, isLate: boolean): Map<number, number> {
  const found: { index: number; id: number; newestMs: number }[] = []
  for (const [index, group] of stream.groups.entries()) {
    if (group?.isLate === isLate) found.push({ index, id: group.id, newestMs: group.newestMs })
  }
  return new Map(found.sort((a, b) => a.id - b.id).map(({ index, newestMs }) => [index, newestMs]))
}

function chooseGroup(stream: SampleStream, sample: StagedSample, candidates: Map<number, number>): number {
  const { series, timestampMs, isLate } = sample
  const home = isLate ? -1 : stream.homeOf(series)
  if ((candidates.get(home) ?? Number.POSITIVE_INFINITY) < timestampMs) return home
  let chosen = firstBehind(candidates, timestampMs)
  if (chosen === undefined) {
    chosen = stream.addGroup(isLate)
    candidates.set(chosen, Number.NEGATIVE_INFINITY)
  }
  if (!isLate) stream.columns.group[series] = chosen
  return chosen
}

function firstBehind(candidates: ReadonlyMap<number, number>, timestampMs: number): number | undefined {
  for (const [index, newestMs] of candidates) if (newestMs < timestampMs) return index
  return undefined
}

/** Positions of the samples in a group, ascending; series that are new to it are added. */
function place(stream: SampleStream, groupIndex: number, samples: readonly StagedSample[]): PlannedRow['samples'] {
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

function writeRow(stream: SampleStream, row: PlannedRow): void {
  const { head, groups } = stream
  const group = groups[row.group]!
  logHistograms(stream, row, group.id)
  const area = head.entriesArea(row.samples.length * ROW_ENTRY_BYTES)
  const view = new DataView(head.memory.views.u8.buffer)
  let at = area
  for (const { position, staged } of row.samples) {
    if (staged.low === STALE_NAN_LOW && staged.high === STALE_NAN_HIGH) writeStaleEntry(view, at, position)
    else writeBits(view, at, position, staged)
    at += ROW_ENTRY_BYTES
  }
  group.writeRow(row.timestampMs, area, row.samples.length)
}

const value = new Float64Array(1)
const bits = new Uint32Array(value.buffer)

function writeBits(view: DataView, at: number, position: number, { low, high }: StagedSample): void {
  bits[0] = low
  bits[1] = high
  writeEntry(view, at, position, value[0]!)
  // The bits once more: a NaN's may have changed on their way through a number.
  if (!Number.isNaN(value[0])) return
  view.setUint32(at + 8, low, true)
  view.setUint32(at + 12, high, true)
}

/** What histograms hold goes in front of the row that says that they exist. */
function logHistograms(stream: SampleStream, { timestampMs, samples }: PlannedRow, groupId: number): void {
  const { log, histograms } = stream.head
  const own = samples.flatMap(({ position, staged }) =>
    staged.histogram === undefined ? [] : [{ position, staged, histogram: staged.histogram }],
  )
  if (own.length === 0) return
  log.append(RecordType.HISTOGRAMS, groupId, 0, encodeHistograms(timestampMs, own))
  const { labelSet } = stream.columns
  for (const { staged, histogram } of own) histograms.append(labelSet[staged.series]!, timestampMs, histogram)
}
