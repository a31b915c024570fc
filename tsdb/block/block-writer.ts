import { columnBytesMax, columnWorkBytes } from '../../kernels/index.ts'
import { invariant } from '../../lib/errors.ts'
import {
  compareLabels,
  compareStrings,
  type Labels,
  labelValue,
  METRIC_NAME,
  SampleKind,
  type TimeRange,
} from '../../model/index.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import { writeBlockHistograms } from '../histogram/block-histograms.ts'
import type { BlockAnswer, BlockRequest } from '../maintenance/protocol.ts'
import { copyHistogramPages } from '../maintenance/seal-histograms.ts'
import { packTimesOf } from '../maintenance/seal.ts'
import { LOST_LABEL_SET, Root } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import { rootWord } from '../memory/shared-table.ts'
import type { MemoryViews } from '../memory/views.ts'
import { HeadLabels } from '../read/head-labels.ts'
import { type GroupSnapshot, takeSnapshot } from '../read/head-snapshot.ts'
import type { BlockGroup, BlockIndex } from './block-index.ts'
import { BlockOutput } from './block-output.ts'
import { DeletedRanges, eraseRows } from './deletions.ts'

interface SourceGroup {
  readonly snapshot: GroupSnapshot
  readonly labels: Labels
  readonly chunks: readonly ChunkView[]
  readonly rowCount: number
}

/** A series to be written: its label set in the head, the number of its group, its position. */
interface Entry {
  readonly labelSet: number
  readonly group: number
  readonly position: number
}

/**
 * Turns head chunks into a block: series sorted by metric, labels and target, each re-encoded into one column over the
 * whole block. It is built beside its place, synced, and moved there at the end.
 */
export async function writeBlock(views: MemoryViews, scratch: Scratch, request: BlockRequest): Promise<BlockAnswer> {
  const headLabels = new HeadLabels(views, rootWord(views, Root.LABEL_SET_COUNT))
  const groups = openGroups(views, headLabels, request)
  const entries = sortedEntries(views, headLabels, groups)
  if (entries.length === 0) return undefined
  const deleted = new DeletedRanges(request.deletions)
  const output = new BlockOutput(request.dataDir, request.ulid)
  const written: Entry[] = []
  try {
    for (const entry of entries) {
      const group = groups[entry.group]!
      const ranges = deleted.of(group.labels, headLabels.labelSet(entry.labelSet))
      const { bytes, samples } = packSeries(views, scratch, group, entry.position, ranges)
      if (samples === 0) continue
      output.add(bytes, samples)
      written.push(entry)
    }
  } catch (error) {
    output.discard()
    throw error
  }
  if (written.length === 0) {
    output.discard()
    return undefined
  }
  const otherBytes = await writeBlockHistograms(output.folder, copyHistogramPages(views, request.histograms))
  const meta = {
    minTime: request.minTimeMs,
    maxTime: request.maxTimeMs,
    compaction: { level: 1, sources: [request.ulid] },
    deletions: request.deletionNumber,
    headFiles: request.headFiles,
  }
  const index = buildIndex(views, scratch, headLabels, groups, written)
  return output.finish(index, meta, { series: written.length, otherBytes })
}

function openGroups(views: MemoryViews, headLabels: HeadLabels, request: BlockRequest): SourceGroup[] {
  const snapshots = new Map(takeSnapshot(views, { withEmpty: true }).groups.map((group) => [group.id, group]))
  return request.groups
    .map(({ group, chunks }) => {
      const snapshot = snapshots.get(group)
      invariant(snapshot !== undefined, 'a group with chunks has a record')
      const opened = chunks.map((chunk) => new ChunkView(views.u8.buffer, chunk))
      return {
        snapshot,
        labels: headLabels.labelSet(snapshot.labelSet),
        chunks: opened,
        rowCount: opened.reduce((sum, chunk) => sum + chunk.header.rowCount, 0),
      }
    })
    .sort((a, b) => compareLabels(a.labels, b.labels) || a.snapshot.id - b.snapshot.id)
}

/** Series by metric name, labels and target. */
function sortedEntries(views: MemoryViews, headLabels: HeadLabels, groups: SourceGroup[]): Entry[] {
  const entries = groups.slice().flatMap((group, number) => entriesOf(views, group, number, groups))
  const distinct = [...new Set(entries.map((entry) => entry.labelSet))]
  const names = new Map(distinct.map((set) => [set, labelValue(headLabels.labelSet(set), METRIC_NAME)]))
  distinct.sort(
    (a, b) =>
      compareStrings(names.get(a)!, names.get(b)!) || compareLabels(headLabels.labelSet(a), headLabels.labelSet(b)),
  )
  const rank = new Map(distinct.map((set, i) => [set, i]))
  return entries.sort((a, b) => rank.get(a.labelSet)! - rank.get(b.labelSet)! || a.group - b.group)
}

/** A group that holds a label set at several positions becomes several groups, for the index knows each only once in one. */
function entriesOf(views: MemoryViews, group: SourceGroup, number: number, groups: SourceGroup[]): Entry[] {
  const entries: Entry[] = []
  const seen = new Map<number, number>()
  const numbers = [number]
  for (let position = 0; position < group.snapshot.positionCount; position++) {
    const labelSet = views.u32[(group.snapshot.template >>> 2) + position]!
    if (labelSet === LOST_LABEL_SET || !group.chunks.some((chunk) => chunk.lengthOf(position) > 0)) continue
    const copy = seen.get(labelSet) ?? 0
    seen.set(labelSet, copy + 1)
    if (copy === numbers.length) numbers.push(groups.push(group) - 1)
    entries.push({ labelSet, group: numbers[copy]!, position })
  }
  return entries
}

/** The column of one series over all chunks of its group, packed anew. */
function packSeries(
  views: MemoryViews,
  scratch: Scratch,
  group: SourceGroup,
  position: number,
  deleted: readonly TimeRange[],
): { bytes: Uint8Array; samples: number } {
  const mark = scratch.mark()
  const n = group.rowCount
  const m = scratch.take(8 * n)
  const e = scratch.take(n)
  const k = scratch.take(n)
  const summary = scratch.take(8)
  let row = 0
  let samples = 0
  for (const chunk of group.chunks) {
    const { rowCount } = chunk.header
    const length = chunk.lengthOf(position)
    if (length === 0) scratch.views.u8.fill(0, k + row, k + row + rowCount)
    else {
      const inner = scratch.mark()
      const from = scratch.take(length)
      const at = chunk.offsetOf(position)
      scratch.views.u8.set(views.u8.subarray(at, at + length), from)
      const read = scratch.columns.columnUnpack(
        from,
        from + length,
        rowCount,
        m + 8 * row,
        e + row,
        k + row,
        summary,
        0,
      )
      invariant(read === length, 'a chunk in memory decodes')
      samples += scratch.views.u32[summary >>> 2]!
      scratch.release(inner)
    }
    row += rowCount
  }
  if (deleted.length > 0) {
    const kinds = scratch.views.u8.subarray(k, k + n)
    eraseRows(kinds, decodeTimes(scratch, views, group), deleted)
    samples = kinds.reduce((sum, kind) => sum + (kind === SampleKind.ABSENT ? 0 : 1), 0)
  }
  const work = scratch.take(columnWorkBytes(n))
  const out = scratch.take(columnBytesMax(n))
  const length = scratch.columns.columnPack(m, e, k, n, out, work, 1)
  const bytes = scratch.views.u8.slice(out, out + length)
  scratch.release(mark)
  return { bytes, samples }
}

function buildIndex(
  views: MemoryViews,
  scratch: Scratch,
  headLabels: HeadLabels,
  groups: readonly SourceGroup[],
  entries: readonly Entry[],
): Omit<BlockIndex, 'columnStart' | 'pageChecksums'> {
  const labelSets: Labels[] = []
  const labelSetIds = new Map<number, number>()
  const idOf = (headId: number): number => {
    const known = labelSetIds.get(headId)
    if (known !== undefined) return known
    labelSetIds.set(headId, labelSets.length)
    return labelSets.push(headLabels.labelSet(headId)) - 1
  }
  const overlays: number[] = []
  const seriesStart: number[] = []
  for (const [i, entry] of entries.entries()) {
    if (i > 0 && entries[i - 1]!.labelSet === entry.labelSet) continue
    overlays.push(idOf(entry.labelSet))
    seriesStart.push(i)
  }
  seriesStart.push(entries.length)
  return {
    groups: groups.map((group): BlockGroup => {
      const first = group.chunks[0]!.header
      return {
        labelSet: idOf(group.snapshot.labelSet),
        rowCount: group.rowCount,
        minTimeMs: first.minTimeMs,
        maxTimeMs: group.chunks.at(-1)!.header.maxTimeMs,
        timestamps: packTimesOf(scratch, decodeTimes(scratch, views, group)),
      }
    }),
    labelSets,
    overlays: Uint32Array.from(overlays),
    seriesStart: Uint32Array.from(seriesStart),
    seriesGroup: Uint32Array.from(entries, (entry) => entry.group),
  }
}

function decodeTimes(scratch: Scratch, views: MemoryViews, group: SourceGroup): Float64Array {
  const mark = scratch.mark()
  const times = scratch.take(8 * group.rowCount)
  const kinds = scratch.take(group.rowCount)
  const summary = scratch.take(8)
  let row = 0
  for (const chunk of group.chunks) {
    const length = chunk.timestampsEnd - chunk.timestampsAt
    const from = scratch.take(length)
    scratch.views.u8.set(views.u8.subarray(chunk.timestampsAt, chunk.timestampsEnd), from)
    const { rowCount } = chunk.header
    scratch.columns.columnUnpack(from, from + length, rowCount, times + 8 * row, 0, kinds, summary, 1)
    row += rowCount
  }
  const decoded = scratch.views.f64.slice(times >>> 3, (times >>> 3) + group.rowCount)
  scratch.release(mark)
  return decoded
}
