import { join } from 'node:path'

// Format: docs/formats/prometheus-block.md.
export const INDEX_MAGIC = 0xbaaa_d700
export const INDEX_VERSION = 2
/** Six offsets and a checksum. */
export const TOC_BYTES = 6 * 8 + 4
export const SERIES_ALIGNMENT = 16
export const CHUNKS_MAGIC = 0x85bd_40dd
export const CHUNKS_VERSION = 1
export const CHUNKS_HEADER_BYTES = 8
export const SEGMENT_BYTES_MAX = 512 << 20
export const TOMBSTONES_MAGIC = 0x0130_ba30
export const TOMBSTONES_VERSION = 1
export const Encoding = { XOR: 1, HISTOGRAM: 2, FLOAT_HISTOGRAM: 3 } as const

/** A chunk of a series in a block. */
export interface ChunkPlace {
  readonly minTimeMs: number
  /** Of its last sample. */
  readonly maxTimeMs: number
  /** Number of its file, counting from 0. */
  readonly segment: number
  readonly offset: number
}

export const prometheusFiles = (folder: string) => ({
  meta: join(folder, 'meta.json'),
  index: join(folder, 'index'),
  tombstones: join(folder, 'tombstones'),
  chunks: join(folder, 'chunks'),
})

/** @param segment counting from 0 */
export const segmentName = (segment: number): string => String(segment + 1).padStart(6, '0')
