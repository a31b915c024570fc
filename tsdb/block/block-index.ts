import type { Labels } from '../../model/index.ts'
import { type ByteReader, ByteWriter } from '../bytes.ts'
import { packFile, unpackFile } from '../packed-file.ts'

// Format: docs/formats/block.md.
const KIND = { magic: 0x4942_5442, version: 2, versionMin: 1, name: 'an index of a block' } as const // "BTBI"
export const PAGE_BYTES = 65_536

export interface BlockGroup {
  /** Index into `labelSets`: the target's labels. */
  readonly labelSet: number
  readonly rowCount: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** The packed timestamp column. */
  readonly timestamps: Uint8Array
}

/** What a block knows of its series; the columns themselves lie in its data file, in the order given here. */
export interface BlockIndex {
  readonly labelSets: readonly Labels[]
  readonly groups: readonly BlockGroup[]
  /** Label set of the n-th series name, by metric name and labels. */
  readonly overlays: Uint32Array
  /** Series of overlay n: [seriesStart[n], seriesStart[n + 1]) of the next two. */
  readonly seriesStart: Uint32Array
  readonly seriesGroup: Uint32Array
  /** Where the column of a series starts in the data file; one entry more than series, the last is the file's end. */
  readonly columnStart: Float64Array
  /** CRC32 of each 64 KiB of the data file. */
  readonly pageChecksums: Uint32Array
}

export function encodeBlockIndex(index: BlockIndex): Uint8Array {
  const symbols = new Map<string, number>()
  const body = new ByteWriter(1 << 16)
  body.varint(index.labelSets.length)
  for (const labels of index.labelSets) {
    body.varint(labels.length >>> 1)
    for (const text of labels) {
      const id = symbols.get(text) ?? symbols.size
      symbols.set(text, id)
      body.varint(id)
    }
  }
  body.varint(index.groups.length)
  for (const group of index.groups) {
    body.varint(group.labelSet)
    body.varint(group.rowCount)
    body.f64(group.minTimeMs)
    body.f64(group.maxTimeMs)
    body.varint(group.timestamps.length)
    body.append(group.timestamps)
  }
  body.varint(index.overlays.length)
  for (const [i, labelSet] of index.overlays.entries()) {
    const from = index.seriesStart[i]!
    const to = index.seriesStart[i + 1]!
    body.varint(labelSet)
    body.varint(to - from)
    for (let s = from, next = 0; s < to; s++) {
      body.varint(index.seriesGroup[s]! - next)
      next = index.seriesGroup[s]! + 1
    }
    for (let s = from; s < to; s++) body.varint(index.columnStart[s + 1]! - index.columnStart[s]!)
  }
  body.varint(index.pageChecksums.length)
  for (const checksum of index.pageChecksums) body.u32(checksum)

  const plain = new ByteWriter(1 << 16)
  plain.varint(symbols.size)
  for (const text of symbols.keys()) plain.string(text)
  plain.append(body.bytes())
  return packFile(KIND, plain.bytes())
}

/** @throws {CorruptionError} */
export function decodeBlockIndex(bytes: Uint8Array, file: string): BlockIndex {
  return unpackFile(KIND, bytes, file, decodeBody)
}

function decodeBody(body: ByteReader): BlockIndex {
  const symbols = Array.from({ length: body.count() }, () => body.string())
  const labelSets = Array.from(
    { length: body.count() },
    (): Labels => Array.from({ length: 2 * body.count(2) }, () => symbols[body.varint()]!),
  )
  const groups = Array.from(
    { length: body.count() },
    (): BlockGroup => ({
      labelSet: body.varint(),
      rowCount: body.varint(),
      minTimeMs: body.f64(),
      maxTimeMs: body.f64(),
      timestamps: body.take(body.varint()).slice(),
    }),
  )
  const overlayCount = body.count()
  const overlays = new Uint32Array(overlayCount)
  const seriesStart = new Uint32Array(overlayCount + 1)
  const seriesGroup: number[] = []
  const columnStart: number[] = [0]
  for (let i = 0; i < overlayCount; i++) {
    overlays[i] = body.varint()
    const count = body.count()
    for (let s = 0, next = 0; s < count; s++) {
      const group = next + body.varint()
      seriesGroup.push(group)
      next = group + 1
    }
    for (let s = 0; s < count; s++) columnStart.push(columnStart.at(-1)! + body.varint())
    seriesStart[i + 1] = seriesGroup.length
  }
  const pageChecksums = Uint32Array.from({ length: body.count(4) }, () => body.u32())
  return {
    labelSets,
    groups,
    overlays,
    seriesStart,
    seriesGroup: Uint32Array.from(seriesGroup),
    columnStart: Float64Array.from(columnStart),
    pageChecksums,
  }
}
