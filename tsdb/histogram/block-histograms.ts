import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { compareLabels, EMPTY_LABELS, type Labels, labelsKey, type TimeRange } from '../../model/index.ts'
import type { DeletedRanges } from '../block/deletions.ts'
import { type ByteReader, ByteWriter, MalformedBytesError } from '../bytes.ts'
import { CorruptionError } from '../errors.ts'
import { writeDurably } from '../files.ts'
import { packFile, unpackFile } from '../packed-file.ts'
import type { TimedHistogram } from './codec.ts'
import { decodePage } from './head-histograms.ts'

// Format: docs/formats/histogram.md.
const KIND = { magic: 0x4848_5442, version: 1, name: 'an index of the histograms of a block' } as const // "BTHH"

const histogramFiles = (folder: string): { data: string; index: string } => ({
  data: join(folder, 'histograms'),
  index: join(folder, 'histograms.index'),
})

export const hasBlockHistograms = (folder: string): boolean => existsSync(histogramFiles(folder).index)

export interface HistogramPageBytes {
  readonly bytes: Uint8Array
  readonly count: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

export interface HistogramSeriesPages {
  /** As the series comes out of a query. */
  readonly labels: Labels
  readonly pages: readonly HistogramPageBytes[]
}

/** Writes the histogram files of a block into its folder and syncs them; none for no series. @returns bytes written */
export async function writeBlockHistograms(folder: string, series: readonly HistogramSeriesPages[]): Promise<number> {
  if (series.length === 0) return 0
  const files = histogramFiles(folder)
  const sorted = [...series].sort((a, b) => compareLabels(a.labels, b.labels))
  const data = Buffer.concat(sorted.flatMap(({ pages }) => pages.map(({ bytes }) => bytes)))
  await writeDurably(files.data, data)
  const index = encodeIndex(sorted)
  await writeDurably(files.index, index)
  return data.length + index.length
}

/**
 * Puts the histograms of several blocks together in the folder of a new one: pages are taken over as they are, unless all of
 * what is in them was deleted.
 *
 * @param sourceFolders oldest first
 * @returns bytes written
 * @throws {CorruptionError}
 */
export async function mergeBlockHistograms(
  sourceFolders: readonly string[],
  targetFolder: string,
  deleted: DeletedRanges,
): Promise<number> {
  const merged = new Map<string, { labels: Labels; pages: HistogramPageBytes[] }>()
  for (const folder of sourceFolders) {
    if (!hasBlockHistograms(folder)) continue
    const source = BlockHistograms.open(folder)
    try {
      for (const { labels, pages } of source.series) {
        const ranges = deleted.of(EMPTY_LABELS, labels)
        const left = pages.filter((page) => !ranges.some((range) => covers(range, page)))
        if (left.length === 0) continue
        const key = labelsKey(labels)
        const known = merged.get(key) ?? { labels, pages: [] }
        merged.set(key, known)
        for (const page of left) known.pages.push({ ...page, bytes: source.pageBytes(page) })
      }
    } finally {
      source.close()
    }
  }
  return writeBlockHistograms(targetFolder, [...merged.values()])
}

const covers = (range: TimeRange, page: TimeRange): boolean =>
  range.minTimeMs <= page.minTimeMs && page.maxTimeMs <= range.maxTimeMs

/** Reads the histogram files of a block whole. @throws {CorruptionError} */
export function verifyBlockHistograms(folder: string): void {
  if (!hasBlockHistograms(folder)) return
  const histograms = BlockHistograms.open(folder)
  try {
    for (const { pages } of histograms.series) for (const page of pages) histograms.samples(page)
  } finally {
    histograms.close()
  }
}

interface BlockPage {
  readonly offset: number
  readonly length: number
  readonly checksum: number
  readonly count: number
  readonly minTimeMs: number
  readonly maxTimeMs: number
}

interface BlockSeries {
  readonly labels: Labels
  readonly pages: readonly BlockPage[]
}

/** The histograms of a block, opened by one reader. */
export class BlockHistograms {
  readonly series: readonly BlockSeries[]
  readonly #file: string
  readonly #fd: number

  private constructor(file: string, fd: number, series: readonly BlockSeries[]) {
    this.#file = file
    this.#fd = fd
    this.series = series
  }

  /** @throws {CorruptionError} */
  static open(folder: string): BlockHistograms {
    const files = histogramFiles(folder)
    const series = unpackFile(KIND, readFileSync(files.index), files.index, decodeIndex)
    return new BlockHistograms(files.data, openSync(files.data, 'r'), series)
  }

  /** @throws {CorruptionError} */
  pageBytes({ offset, length, checksum }: BlockPage): Uint8Array {
    const bytes = Buffer.alloc(length)
    for (let done = 0; done < length; ) {
      const read = readSync(this.#fd, bytes, done, length - done, offset + done)
      if (read === 0) throw new CorruptionError(this.#file, offset + done, 'the file ends early')
      done += read
    }
    if (crc32(bytes) !== checksum) throw new CorruptionError(this.#file, offset, 'the checksum does not match')
    return bytes
  }

  /** @throws {CorruptionError} */
  samples(page: BlockPage): TimedHistogram[] {
    const bytes = this.pageBytes(page)
    try {
      return decodePage(bytes, page.count)
    } catch (cause) {
      if (!(cause instanceof MalformedBytesError)) throw cause
      throw new CorruptionError(this.#file, page.offset, 'histograms do not decode', { cause })
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function encodeIndex(series: readonly HistogramSeriesPages[]): Uint8Array {
  const symbols = new Map<string, number>()
  const body = new ByteWriter(1 << 12)
  body.varint(series.length)
  for (const { labels, pages } of series) {
    body.varint(labels.length >>> 1)
    for (const text of labels) {
      const id = symbols.get(text) ?? symbols.size
      symbols.set(text, id)
      body.varint(id)
    }
    body.varint(pages.length)
    for (const { bytes, count, minTimeMs, maxTimeMs } of pages) {
      body.varint(bytes.length)
      body.varint(count)
      body.f64(minTimeMs)
      body.f64(maxTimeMs)
      body.u32(crc32(bytes))
    }
  }
  const plain = new ByteWriter(1 << 12)
  plain.varint(symbols.size)
  for (const text of symbols.keys()) plain.string(text)
  plain.append(body.bytes())
  return packFile(KIND, plain.bytes())
}

function decodeIndex(body: ByteReader): BlockSeries[] {
  const symbols = Array.from({ length: body.count() }, () => body.string())
  let offset = 0
  const readPage = (): BlockPage => {
    const length = body.varint()
    const count = body.varint()
    if (count > length) throw new MalformedBytesError('a page of histograms holds more samples than bytes')
    const page = { offset, length, count, minTimeMs: body.f64(), maxTimeMs: body.f64(), checksum: body.u32() }
    offset += length
    return page
  }
  return Array.from({ length: body.count(2) }, () => ({
    labels: Array.from({ length: 2 * body.count(2) }, () => symbols[body.varint()]!),
    pages: Array.from({ length: body.count(22) }, readPage),
  }))
}
