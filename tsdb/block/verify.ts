import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { CorruptionError, NewerFormatError } from '../errors.ts'
import { isDamage } from '../file-errors.ts'
import { verifyBlockHistograms } from '../histogram/block-histograms.ts'
import { blockFiles, readBlockMeta, summaryFiles } from './block-folder.ts'
import { decodeBlockIndex, PAGE_BYTES } from './block-index.ts'

// Read at once.
const PAGES = 16

/**
 * Reads a block whole.
 *
 * @returns what is wrong with it, or `undefined`
 * @throws {NewerFormatError} and what keeps it from being read, but is no damage
 */
export function verifyBlock(folder: string): string | undefined {
  try {
    const { summary } = readBlockMeta(folder)
    try {
      verifyTable(blockFiles(folder))
      if (summary !== undefined) verifyTable(summaryFiles(folder))
      verifyBlockHistograms(folder)
    } catch (error) {
      // Of a block of our version nothing is newer.
      if (error instanceof NewerFormatError) return error.message
      throw error
    }
    return undefined
  } catch (error) {
    if (!isDamage(error)) throw error
    return (error as Error).message
  }
}

/** @throws {CorruptionError} */
function verifyTable(files: { readonly index: string; readonly data: string }): void {
  const index = decodeBlockIndex(readFileSync(files.index), files.index)
  // Piece by piece: the file may be larger than what one buffer may hold.
  const fd = openSync(files.data, 'r')
  try {
    const { size } = fstatSync(fd)
    if (size !== index.columnStart.at(-1)) {
      throw new CorruptionError(files.data, 0, `it has ${size} bytes, which is not what the index says`)
    }
    verifyPages(fd, files.data, index.pageChecksums)
  } finally {
    closeSync(fd)
  }
}

function verifyPages(fd: number, file: string, checksums: Uint32Array): void {
  const buffer = Buffer.allocUnsafeSlow(PAGES * PAGE_BYTES)
  for (let first = 0; first < checksums.length; first += PAGES) {
    const length = fill(fd, buffer, first * PAGE_BYTES)
    for (let page = first; page < Math.min(first + PAGES, checksums.length); page++) {
      const from = (page - first) * PAGE_BYTES
      const bytes = buffer.subarray(from, Math.min(from + PAGE_BYTES, length))
      if (crc32(bytes) !== checksums[page]) throw new CorruptionError(file, page * PAGE_BYTES, 'wrong checksum')
    }
  }
}

/** Reads on from `position` until the buffer is full or the file ends. @returns bytes read */
function fill(fd: number, buffer: Buffer, position: number): number {
  let done = 0
  while (done < buffer.length) {
    const read = readSync(fd, buffer, done, buffer.length - done, position + done)
    if (read === 0) break
    done += read
  }
  return done
}
