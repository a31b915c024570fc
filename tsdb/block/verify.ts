import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { CorruptionError } from '../errors.ts'
import { verifyBlockHistograms } from '../histogram/block-histograms.ts'
import { blockFiles, readBlockMeta } from './block-folder.ts'
import { decodeBlockIndex, PAGE_BYTES } from './block-index.ts'

/** Reads a block whole. @returns what is wrong with it, or `undefined` */
export function verifyBlock(folder: string): string | undefined {
  const files = blockFiles(folder)
  try {
    readBlockMeta(folder)
    const index = decodeBlockIndex(readFileSync(files.index), files.index)
    const data = readFileSync(files.data)
    if (data.length !== index.columnStart.at(-1))
      return `${files.data}: ${data.length} bytes, which is not what the index says`
    for (const [page, checksum] of index.pageChecksums.entries()) {
      const bytes = data.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
      if (crc32(bytes) !== checksum) return new CorruptionError(files.data, page * PAGE_BYTES, 'wrong checksum').message
    }
    verifyBlockHistograms(folder)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
