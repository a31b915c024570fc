import { existsSync, readFileSync, statSync } from 'node:fs'
import { blockFiles, summaryFiles } from './block-folder.ts'
import { decodeBlockIndex } from './block-index.ts'

/** What the parts of a block take on disk. */
export interface BlockSizes {
  readonly valueBytes: number
  readonly timestampBytes: number
  /** Names, labels and places of series; packed together with the timestamps, whose bytes are taken off. */
  readonly indexBytes: number
  /** Of its `sum` section. */
  readonly summaryBytes: number
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
    summaryBytes: Object.values(summaryFiles(folder)).reduce((sum, file) => sum + bytesOf(file), 0),
  }
}

const bytesOf = (file: string): number => (existsSync(file) ? statSync(file).size : 0)
