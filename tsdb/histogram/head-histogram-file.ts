import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Labels } from '../../model/index.ts'
import { ByteReader, ByteWriter, MalformedBytesError, readLabels, writeLabels } from '../bytes.ts'
import { appendDurably, syncFolder } from '../files.ts'
import { RECORD_HEADER_BYTES, RecordType, SEGMENT_HEADER_BYTES, sealRecord, segmentHeader } from '../wal/format.ts'
import { readSegment } from '../wal/wal-reader.ts'
import type { HistogramPageBytes } from './block-histograms.ts'

// Format: docs/formats/histogram.md. A file for each block window, laid out like a segment of the log.

interface LabelledPage extends HistogramPageBytes {
  readonly labels: Labels
}

/** Adds pages to the file of a window and syncs it. */
export async function appendHistogramPages(
  folder: string,
  windowStartMs: number,
  pages: readonly LabelledPage[],
): Promise<void> {
  const file = await open(join(folder, String(windowStartMs)), 'a+')
  try {
    const { size } = await file.stat()
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES)
    if (size >= SEGMENT_HEADER_BYTES) await file.read(header, 0, SEGMENT_HEADER_BYTES, 0)
    else {
      await file.truncate(0)
      header.set(segmentHeader(0, randomBytes(4).readUInt32LE(0)))
    }
    const salt = header.readUInt32LE(12)
    const records = pages.map((page, sequence) => encodePage(page, sequence, salt))
    await appendDurably(file, Buffer.concat(size >= SEGMENT_HEADER_BYTES ? records : [header, ...records]))
    if (size < SEGMENT_HEADER_BYTES) await syncFolder(folder)
  } finally {
    await file.close()
  }
}

/** Starts of the windows that have a file in the folder. */
export function listHistogramFiles(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^-?\d+$/.test(name))
    .map(Number)
}

/** The pages of a window's file; damage is passed over and reported, a torn tail is cut off. */
export function loadHistogramPages(
  folder: string,
  windowStartMs: number,
): { pages: LabelledPage[]; damage: readonly { readonly offset: number; readonly length: number }[] } {
  const name = join(folder, String(windowStartMs))
  const bytes = readFileSync(name)
  const pages: LabelledPage[] = []
  const unreadable: { offset: number; length: number }[] = []
  const { damage, validBytes } = readSegment(bytes, ({ type, payload }) => {
    if (type !== RecordType.HISTOGRAM_PAGE) return
    try {
      pages.push(decodePageRecord(payload))
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error
      unreadable.push({ offset: payload.byteOffset - bytes.byteOffset, length: payload.length })
    }
  })
  if (validBytes > 0 && validBytes < bytes.length) truncateSync(name, validBytes)
  return { pages, damage: [...damage, ...unreadable] }
}

export function removeHistogramFile(folder: string, windowStartMs: number): void {
  rmSync(join(folder, String(windowStartMs)), { force: true })
}

function encodePage({ labels, bytes, count, minTimeMs, maxTimeMs }: LabelledPage, sequence: number, salt: number) {
  const payload = new ByteWriter(bytes.length + 256)
  writeLabels(payload, labels)
  payload.varint(count)
  payload.f64(minTimeMs)
  payload.f64(maxTimeMs)
  payload.append(bytes)
  const record = Buffer.alloc(RECORD_HEADER_BYTES + payload.length)
  record.set(payload.bytes(), RECORD_HEADER_BYTES)
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const type = RecordType.HISTOGRAM_PAGE
  sealRecord(record, view, 0, { type, sequence, group: 0, aux: 0, payloadBytes: payload.length, salt })
  return record
}

function decodePageRecord(payload: Uint8Array): LabelledPage {
  const reader = new ByteReader(payload)
  const labels = readLabels(reader)
  const count = reader.varint()
  const minTimeMs = reader.f64()
  const maxTimeMs = reader.f64()
  const bytes = reader.take(reader.left)
  if (count > bytes.length) throw new MalformedBytesError('a page of histograms holds more samples than bytes')
  return { labels, count, minTimeMs, maxTimeMs, bytes }
}
