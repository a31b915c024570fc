import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { CorruptionError } from '../errors.ts'
import { verifyBlockHistograms } from '../histogram/block-histograms.ts'
import { blockFiles, readBlockMeta, summaryFiles } from './block-folder.ts'
import { decodeBlockIndex, PAGE_BYTES } from './block-index.ts'

/** Reads a block whole. @returns what is wrong with it, or `undefined` */
export function verifyBlock(folder: string): string | undefined {
  const files = blockFiles(folder)
  try {
    const { summary } = readBlockMeta(folder)
    verifyTable(files)
    if (summary !== undefined) verifyTable(summaryFiles(folder))
    verifyBlockHistograms(folder)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** @throws {CorruptionError} */
function verifyTable(files: { readonly index: string; readonly data: string }): void {
  const index = decodeBlockIndex(readFileSync(files.index), files.index)
  const data = readFileSync(files.data)
  if (data.length !== index.columnStart.at(-1)) {
    throw new CorruptionError(files.data, 0, `it has ${data.length} bytes, which is not what the index says`)
  }
  for (const [page, checksum] of index.pageChecksums.entries()) {
    const bytes = data.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
    if (crc32(bytes) !== checksum) throw new CorruptionError(files.data, page * PAGE_BYTES, 'wrong checksum')
  }
}
