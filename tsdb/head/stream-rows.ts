// Hot: every sample of a batch passes here. Covered by bench/load/remote-write.ts.
import { type NativeHistogram, ROW_ENTRY_BYTES } from '../../model/index.ts'
import { RecordType } from '../wal/format.ts'
import { encodeHistograms } from '../wal/histogram-record.ts'
import { writeBitsEntry } from './decimal.ts'
import type { HeadGroup } from './head-group.ts'
import type { SampleStream } from './sample-stream.ts'
import type { StagedSamples } from './staged-samples.ts'
import type { Run } from './stream-groups.ts'

interface PlannedRow extends Run {
  readonly group: HeadGroup
}

interface Plan {
  readonly rows: readonly PlannedRow[]
  /** Samples that are stored in order, and late ones. */
  readonly inOrder: number
  readonly late: number
}

/** Writes a batch to the groups of its stream: readers see all of it or nothing, and so does who replays the log. */
export function writeStaged(stream: SampleStream, staged: StagedSamples): void {
  const { head } = stream
  const { rows, inOrder, late } = plan(stream, staged)
  const writeRows = (): void =>
    head.memory.change(() => {
      for (const row of rows) writeRow(stream, staged, row)
    })
  // A single row is whole or absent by itself.
  if (rows.length > 1) head.log.batch(writeRows)
  else writeRows()
  let histograms = 0
  for (const { histogram } of staged.histograms.values()) if (histogram !== undefined) histograms++
  head.samplesAppended += inOrder + late - histograms
  head.histogramsAppended += histograms
  head.lateSamplesAppended += late
}

/** Gives every sample a group and a position; new groups and positions are made here, before readers have to wait. */
function plan(stream: SampleStream, staged: StagedSamples): Plan {
  const inOrder = splitLate(staged)
  const end = leaveOutKnown(stream, staged, inOrder)
  const rows: PlannedRow[] = []
  stream.groups.startBatch()
  // Samples in order first: the groups they may need make the late groups start anew.
  planRuns(stream, staged, { from: 0, to: inOrder, isLate: false }, rows)
  planRuns(stream, staged, { from: inOrder, to: end, isLate: true }, rows)
  return { rows, inOrder, late: end - inOrder }
}

/** Fills `order`: samples in order, then late ones. @returns where the late ones begin */
function splitLate({ count, lateCount, order, isLate }: StagedSamples): number {
  let at = 0
  for (let i = 0; i < count; i++) if (isLate[i] === 0) order[at++] = i
  if (lateCount > 0) for (let i = 0; i < count; i++) if (isLate[i] === 1) order[at++] = i
  return count - lateCount
}

/** Drops late samples of a series and time that a late one is stored of. @returns where the others end in `order` */
function leaveOutKnown(stream: SampleStream, staged: StagedSamples, from: number): number {
  const { count, order, series, timestampMs, histograms } = staged
  const { labelSet } = stream.columns
  let end = from
  for (let slot = from; slot < count; slot++) {
    const index = order[slot]!
    if (stream.late.add(labelSet[series[index]!]!, timestampMs[index]!)) order[end++] = index
    else histograms.delete(index)
  }
  return end
}

function planRuns(
  stream: SampleStream,
  staged: StagedSamples,
  { from, to, isLate }: { from: number; to: number; isLate: boolean },
  rows: PlannedRow[],
): void {
  sortByTime(staged, from, to)
  const { order, timestampMs } = staged
  const { labelSet } = stream.columns
  for (let start = from; start < to; ) {
    const timeMs = timestampMs[order[start]!]!
    let end = start + 1
    while (end < to && timestampMs[order[end]!] === timeMs) end++
    const run = { timestampMs: timeMs, from: start, to: end }
    const group = stream.groups.settle(staged, labelSet, run, isLate)
    sortByPosition(staged, run)
    rows.push({ ...run, group })
    start = end
  }
}

/** Orders samples by time; those of one time stay as they came. */
function sortByTime({ order, timestampMs }: StagedSamples, from: number, to: number): void {
  let leastMs = Number.POSITIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY
  let isSorted = true
  for (let slot = from; slot < to; slot++) {
    const timeMs = timestampMs[order[slot]!]!
    if (timeMs < lastMs) isSorted = false
    if (timeMs < leastMs) leastMs = timeMs
    lastMs = timeMs
  }
  if (isSorted) return
  const old = order.slice(from, to)
  const keys = Float64Array.from(old, (index) => timestampMs[index]! - leastMs)
  for (const [i, index] of sortedIndexes(keys).entries()) order[from + i] = old[index]!
}

/** Orders a run by position. */
function sortByPosition({ order, positions }: StagedSamples, { from, to }: Run): void {
  let slot = from + 1
  while (slot < to && positions[slot]! > positions[slot - 1]!) slot++
  if (slot === to) return
  const oldOrder = order.slice(from, to)
  const oldPositions = positions.slice(from, to)
  for (const [i, index] of sortedIndexes(Float64Array.from(oldPositions)).entries()) {
    order[from + i] = oldOrder[index]!
    positions[from + i] = oldPositions[index]!
  }
}

/** Indexes of `values` (whole numbers from 0) in ascending order of them, equal ones as they stand. Overwrites them. */
function sortedIndexes(values: Float64Array): Uint32Array {
  const count = values.length
  const largest = values.reduce((a, b) => Math.max(a, b), 0)
  if ((largest + 1) * count > Number.MAX_SAFE_INTEGER) {
    return new Uint32Array(count).map((_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b)
  }
  // Numbers alone are sorted without a call of a function for each pair.
  for (let i = 0; i < count; i++) values[i] = values[i]! * count + i
  values.sort()
  return Uint32Array.from(values, (value) => value % count)
}

function writeRow(stream: SampleStream, staged: StagedSamples, { group, timestampMs, from, to }: PlannedRow): void {
  const { head } = stream
  if (staged.histograms.size > 0) logHistograms(stream, staged, { group, timestampMs, from, to })
  const { order, positions, low, high } = staged
  const area = head.entriesArea((to - from) * ROW_ENTRY_BYTES)
  const { u32 } = head.memory.views
  let at = area >>> 2
  for (let slot = from; slot < to; slot++) {
    const index = order[slot]!
    writeBitsEntry(u32, at, positions[slot]!, low[index]!, high[index]!)
    at += ROW_ENTRY_BYTES / 4
  }
  group.writeRow(timestampMs, area, to - from)
}

/** What histograms hold goes in front of the row that says that they exist. */
function logHistograms(
  stream: SampleStream,
  staged: StagedSamples,
  { group, timestampMs, from, to }: PlannedRow,
): void {
  const { log, histograms } = stream.head
  const own: { position: number; series: number; histogram: NativeHistogram }[] = []
  for (let slot = from; slot < to; slot++) {
    const index = staged.order[slot]!
    const histogram = staged.histograms.get(index)?.histogram
    if (histogram !== undefined)
      own.push({ position: staged.positions[slot]!, series: staged.series[index]!, histogram })
  }
  if (own.length === 0) return
  log.append(RecordType.HISTOGRAMS, group.id, 0, encodeHistograms(timestampMs, own))
  const { labelSet } = stream.columns
  for (const { series, histogram } of own) histograms.append(labelSet[series]!, timestampMs, histogram)
}
