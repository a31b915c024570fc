import { readFileSync } from 'node:fs'
import { blockFiles } from './block-folder.ts'
import { decodeBlockIndex } from './block-index.ts'

/** What the parts of a block take on disk. */
export interface BlockSizes {
  readonly valueBytes: number
  readonly timestampBytes: number
  /** Names, labels and places of series; packed together with the timestamps, whose bytes are taken off. */
  readonly indexBytes: number
}

/** @throws {CorruptionError} */
export function blockSizes(folder: string): BlockSizes {
  const { index: file } = blockFiles(folder)
  const bytes = readFileSync(file)
  const index = decodeBlockIndex(bytes, file)
  const timestampBytes = index.groups.reduce((sum, group) => sum + group.timestamps.length, 0)
  return {
    valueBytes: index.columnStart.at(-1)!,
    timestampBytes,
    indexBytes: Math.max(0, bytes.length - timestampBytes),
  }
}
