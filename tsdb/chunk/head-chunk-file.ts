import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { NewerFormatError } from '../errors.ts'
import { chunkLengthAt } from './head-chunk.ts'

// Format: docs/formats/chunk.md.
const CHUNK_FILE_MAGIC = 0x4643_5442 // "BTCF"
const CHUNK_FILE_HEADER_BYTES = 16
// 1: columns without the ways to write floats.
const CHUNK_FILE_VERSION = 2

export const chunkFileName = (file: number): string => String(file).padStart(8, '0')

/** Header of a file of sealed chunks that all lie in the window that starts at `windowStartMs`. */
export function chunkFileHeader(windowStartMs: number): Uint8Array {
  const header = Buffer.alloc(CHUNK_FILE_HEADER_BYTES)
  header.writeUInt32LE(CHUNK_FILE_MAGIC, 0)
  header.writeUInt32LE(CHUNK_FILE_VERSION, 4)
  header.writeDoubleLE(windowStartMs, 8)
  return header
}

interface LoadedChunkFile {
  readonly file: number
  readonly windowStartMs: number
  readonly chunks: readonly Uint8Array[]
  readonly damage: readonly DamagedRange[]
  readonly bytes: Uint8Array
}

/** Bytes that are no intact chunk. */
export interface DamagedRange {
  readonly offset: number
  readonly length: number
}

/** Numbers of the head-chunk files in a folder, ascending. */
export function listChunkFiles(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^\d{8}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/**
 * Reads a file of chunks; damaged ones are passed over. `undefined` when its header is unreadable.
 *
 * @throws {NewerFormatError}
 */
export function loadChunkFile(folder: string, file: number): LoadedChunkFile | undefined {
  const bytes = readFileSync(join(folder, chunkFileName(file)))
  const windowStartMs = windowOfChunkFile(bytes, folder, file)
  if (windowStartMs === undefined) return undefined
  const damage: DamagedRange[] = []
  return { file, windowStartMs, chunks: [...chunksIn(bytes, damage)], damage, bytes }
}

/**
 * Start of the window that all chunks of a file lie in; `undefined` when its header is unreadable.
 *
 * @param bytes the header at least
 * @throws {NewerFormatError}
 */
export function windowOfChunkFile(bytes: Uint8Array, folder: string, file: number): number | undefined {
  if (bytes.length < CHUNK_FILE_HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== CHUNK_FILE_MAGIC) return undefined
  if (view.getUint32(4, true) > CHUNK_FILE_VERSION) {
    throw new NewerFormatError(`${chunkFileName(file)} in ${folder} was written by a newer version of Belltower`)
  }
  return view.getFloat64(8, true)
}

/** As `windowOfChunkFile`, of a file of which nothing else is to be read yet. @throws {NewerFormatError} */
export function readChunkFileWindow(folder: string, file: number): number | undefined {
  const header = new Uint8Array(CHUNK_FILE_HEADER_BYTES)
  const fd = openSync(join(folder, chunkFileName(file)), 'r')
  try {
    return windowOfChunkFile(header.subarray(0, readSync(fd, header)), folder, file)
  } finally {
    closeSync(fd)
  }
}

/** The intact chunks of a file. @param damage what lies between them is added to it; a torn tail is not */
export function* chunksIn(bytes: Uint8Array, damage: DamagedRange[]): Generator<Uint8Array> {
  let validEnd = CHUNK_FILE_HEADER_BYTES
  for (let at = CHUNK_FILE_HEADER_BYTES; at < bytes.length; ) {
    const length = chunkLengthAt(bytes, at)
    if (length === 0) {
      // Chunks are multiples of 8 long.
      at += 8
      continue
    }
    if (at > validEnd) damage.push({ offset: validEnd, length: at - validEnd })
    yield bytes.subarray(at, at + length)
    at += length
    validEnd = at
  }
}

/** Whether a file ends within its header: nothing was ever acknowledged in it. */
export const isUnbegunChunkFile = (folder: string, file: number): boolean =>
  statSync(join(folder, chunkFileName(file))).size < CHUNK_FILE_HEADER_BYTES

export function removeChunkFile(folder: string, file: number): void {
  rmSync(join(folder, chunkFileName(file)), { force: true })
}
