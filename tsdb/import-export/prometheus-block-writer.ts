import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { compareLabels, type Labels } from '../../model/index.ts'
import { TEMPORARY_SUFFIX } from '../block/block-folder.ts'
import { syncFolder, writeDurably } from '../files.ts'
import { CheckedFile } from './checked-file.ts'
import {
  CHUNKS_HEADER_BYTES,
  CHUNKS_MAGIC,
  CHUNKS_VERSION,
  type ChunkPlace,
  prometheusFiles,
  SEGMENT_BYTES_MAX,
  segmentName,
  TOMBSTONES_MAGIC,
  TOMBSTONES_VERSION,
} from './prometheus-format.ts'
import { BigEndianWriter } from './big-endian.ts'
import { PrometheusIndexWriter } from './prometheus-index-writer.ts'

/** A packed chunk and what it covers. */
export interface PackedChunk {
  readonly encoding: number
  readonly bytes: Uint8Array
  readonly samples: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

interface SpooledSeries {
  readonly labels: Labels
  /** By chunk: first and last time, place and length in the spool. */
  readonly chunks: Float64Array
}

const FIELDS = 4

/**
 * Writes one block of Prometheus. Series may come in any order: their chunks wait in a file beside it, and only labels and
 * places are held in memory.
 */
export class PrometheusBlockWriter {
  readonly #ulid: string
  readonly #target: string
  readonly #folder: string
  readonly #spool: string
  readonly #spoolFd: number
  readonly #series: SpooledSeries[] = []
  #isSpoolOpen = true
  #spoolBytes = 0
  #samples = 0
  #chunks = 0
  #minTimeMs = Number.POSITIVE_INFINITY
  #maxTimeMs = Number.NEGATIVE_INFINITY

  constructor(outputDir: string, ulid: string) {
    this.#ulid = ulid
    this.#target = join(outputDir, ulid)
    this.#folder = `${this.#target}${TEMPORARY_SUFFIX}`
    mkdirSync(prometheusFiles(this.#folder).chunks, { recursive: true })
    this.#spool = join(this.#folder, 'spool')
    this.#spoolFd = openSync(this.#spool, 'w+')
  }

  /** @param chunks by time, at least one */
  add(labels: Labels, chunks: readonly PackedChunk[]): void {
    const places = new Float64Array(FIELDS * chunks.length)
    const head = new BigEndianWriter()
    for (const [i, { bytes, encoding, samples, minTimeMs, maxTimeMs }] of chunks.entries()) {
      head.clear()
      head.uvarint(bytes.length)
      const record = Buffer.concat([head.bytes(), Uint8Array.of(encoding), bytes])
      places.set([minTimeMs, maxTimeMs, this.#spoolBytes, head.length], FIELDS * i)
      for (let at = 0; at < record.length; ) at += writeSync(this.#spoolFd, record, at)
      this.#spoolBytes += record.length
      this.#samples += samples
    }
    this.#chunks += chunks.length
    this.#minTimeMs = Math.min(this.#minTimeMs, chunks[0]!.minTimeMs)
    this.#maxTimeMs = Math.max(this.#maxTimeMs, chunks.at(-1)!.maxTimeMs)
    this.#series.push({ labels, chunks: places })
  }

  /** Puts the block together and in its place. @returns its stats */
  async finish(): Promise<{ readonly samples: number; readonly series: number }> {
    const files = prometheusFiles(this.#folder)
    this.#series.sort((a, b) => compareLabels(a.labels, b.labels))
    const segments = new SegmentWriter(files.chunks)
    const index = new PrometheusIndexWriter(files.index, this.#texts())
    try {
      for (const { labels, chunks } of this.#series) {
        index.addSeries(labels, this.#placed(chunks, segments), chunks.length / FIELDS)
      }
      segments.close()
    } catch (error) {
      index.abandon()
      throw error
    }
    index.finish()
    this.#closeSpool()
    rmSync(this.#spool)
    await writeDurably(files.tombstones, noTombstones())
    const stats = { samples: this.#samples, series: this.#series.length }
    await writeDurably(files.meta, `${JSON.stringify(this.#meta(), undefined, '\t')}\n`)
    await syncFolder(files.chunks)
    await syncFolder(this.#folder)
    renameSync(this.#folder, this.#target)
    return stats
  }

  /** Gives up: nothing stays. */
  discard(): void {
    this.#closeSpool()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #closeSpool(): void {
    if (this.#isSpoolOpen) closeSync(this.#spoolFd)
    this.#isSpoolOpen = false
  }

  #meta(): object {
    return {
      ulid: this.#ulid,
      minTime: this.#minTimeMs,
      maxTime: this.#maxTimeMs + 1,
      stats: { numSamples: this.#samples, numSeries: this.#series.length, numChunks: this.#chunks },
      compaction: { level: 1, sources: [this.#ulid] },
      version: 1,
    }
  }

  #texts(): Set<string> {
    const texts = new Set<string>()
    for (const { labels } of this.#series) for (const text of labels) texts.add(text)
    return texts
  }

  *#placed(chunks: Float64Array, segments: SegmentWriter): Generator<ChunkPlace> {
    for (let i = 0; i < chunks.length; i += FIELDS) {
      yield {
        minTimeMs: chunks[i]!,
        maxTimeMs: chunks[i + 1]!,
        ...segments.add(this.#record(chunks, i), chunks[i + 3]!),
      }
    }
  }

  #record(chunks: Float64Array, i: number): Buffer {
    const at = chunks[i + 2]!
    // Room for the length of the bytes, which is read first.
    const head = Buffer.alloc(10)
    readSync(this.#spoolFd, head, 0, 10, at)
    let size = 0
    for (let k = 0, factor = 1; ; k++, factor *= 128) {
      size += (head[k]! & 127) * factor
      if (head[k]! < 128) break
    }
    const record = Buffer.allocUnsafe(chunks[i + 3]! + 1 + size)
    for (let done = 0; done < record.length; ) {
      done += readSync(this.#spoolFd, record, done, record.length - done, at + done)
    }
    return record
  }
}

/** The chunk files of a block. */
class SegmentWriter {
  readonly #folder: string
  #file: CheckedFile | undefined
  #number = -1

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @param record length, encoding and bytes of a chunk; the checksum leaves out the length */
  add(record: Buffer, lengthBytes: number): { segment: number; offset: number } {
    if (this.#file === undefined || this.#file.length + record.length + 4 > SEGMENT_BYTES_MAX) this.#next()
    const file = this.#file!
    const offset = file.length
    file.append(record.subarray(0, lengthBytes))
    file.startChecksum()
    file.append(record.subarray(lengthBytes))
    file.endChecksum()
    return { segment: this.#number, offset }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #next(): void {
    this.close()
    this.#number++
    this.#file = new CheckedFile(join(this.#folder, segmentName(this.#number)))
    const header = Buffer.alloc(CHUNKS_HEADER_BYTES)
    header.writeUInt32BE(CHUNKS_MAGIC)
    header[4] = CHUNKS_VERSION
    this.#file.append(header)
  }
}

/** A list of deletions without one: the checksum of nothing is 0. */
function noTombstones(): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt32BE(TOMBSTONES_MAGIC)
  bytes[4] = TOMBSTONES_VERSION
  return bytes
}
