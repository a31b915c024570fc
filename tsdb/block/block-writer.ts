import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { columnBytesMax, columnWorkBytes } from '../../kernels/index.ts'
import { invariant } from '../../lib/errors.ts'
import { compareLabels, compareStrings, type Labels, labelValue, METRIC_NAME } from '../../model/index.ts'
import { ChunkView } from '../chunk/head-chunk.ts'
import { syncFolder, writeDurably } from '../files.ts'
import type { BlockAnswer, BlockRequest } from '../maintenance/protocol.ts'
import { packTimes } from '../maintenance/seal.ts'
import { LOST_LABEL_SET, Root } from '../memory/layout.ts'
import type { Scratch } from '../memory/scratch.ts'
import { rootWord } from '../memory/shared-table.ts'
import type { MemoryViews } from '../memory/views.ts'
import { HeadLabels } from '../read/head-labels.ts'
import { type GroupSnapshot, takeSnapshot } from '../read/head-snapshot.ts'
import { blockFiles, TEMPORARY_SUFFIX } from './block-folder.ts'
import { type BlockGroup, type BlockIndex, encodeBlockIndex, PAGE_BYTES } from './block-index.ts'
import type { BlockMeta } from './meta.ts'

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
  const folder = join(request.dataDir, `${request.ulid}${TEMPORARY_SUFFIX}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const files = blockFiles(folder)
  const data = new PagedFile(files.data)
  const columnStart = new Float64Array(entries.length + 1)
  let sampleCount = 0
  try {
    for (const [i, entry] of entries.entries()) {
      const { bytes, samples } = packSeries(views, scratch, groups[entry.group]!, entry.position)
      data.write(bytes)
      sampleCount += samples
      columnStart[i + 1] = columnStart[i]! + bytes.length
    }
  } finally {
    data.close()
  }
  const index = encodeBlockIndex(buildIndex(views, scratch, headLabels, groups, entries, columnStart, data.checksums))
  await writeDurably(files.index, index)
  const meta: BlockMeta = {
    ulid: request.ulid,
    minTime: request.minTimeMs,
    maxTime: request.maxTimeMs,
    stats: {
      numSamples: sampleCount,
      numSeries: entries.length,
      numChunks: entries.length,
      numBytes: index.length + columnStart.at(-1)!,
    },
    compaction: { level: 1, sources: [request.ulid] },
    version: 1,
  }
  await writeDurably(files.meta, `${JSON.stringify(meta, undefined, 2)}\n`)
  await syncFolder(folder)
  renameSync(folder, join(request.dataDir, request.ulid))
  await syncFolder(request.dataDir)
  return meta
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
  const work = scratch.take(columnWorkBytes(n))
  const out = scratch.take(columnBytesMax(n))
  const length = scratch.columns.columnPack(m, e, k, n, out, work)
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
  columnStart: Float64Array,
  checksums: readonly number[],
): BlockIndex {
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
        timestamps: packGroupTimes(views, scratch, group),
      }
    }),
    labelSets,
    overlays: Uint32Array.from(overlays),
    seriesStart: Uint32Array.from(seriesStart),
    seriesGroup: Uint32Array.from(entries, (entry) => entry.group),
    columnStart,
    pageChecksums: Uint32Array.from(checksums),
  }
}

function packGroupTimes(views: MemoryViews, scratch: Scratch, group: SourceGroup): Uint8Array {
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
  const packed = packTimes(scratch, times, group.rowCount)
  scratch.release(mark)
  return packed
}

/** Writes a file from front to back and keeps the checksum of each page. */
class PagedFile {
  readonly checksums: number[] = []
  readonly #fd: number
  readonly #page = Buffer.allocUnsafe(PAGE_BYTES)
  #used = 0

  constructor(file: string) {
    this.#fd = openSync(file, 'w')
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(bytes.length - at, PAGE_BYTES - this.#used)
      this.#page.set(bytes.subarray(at, at + size), this.#used)
      this.#used += size
      at += size
      if (this.#used === PAGE_BYTES) this.#flush()
    }
  }

  close(): void {
    this.#flush()
    fsyncSync(this.#fd)
    closeSync(this.#fd)
  }

  #flush(): void {
    if (this.#used === 0) return
    const bytes = this.#page.subarray(0, this.#used)
    this.checksums.push(crc32(bytes))
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
    this.#used = 0
  }
}
