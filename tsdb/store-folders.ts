import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where things lie in the data folder. */
export interface StoreFolders {
  readonly dataDir: string
  readonly wal: string
  readonly chunks: string
  readonly quarantine: string
  readonly checkpoint: string
}

export function makeStoreFolders(dataDir: string): StoreFolders {
  const folders = {
    dataDir,
    wal: join(dataDir, 'wal'),
    chunks: join(dataDir, 'chunks_head'),
    quarantine: join(dataDir, 'quarantine'),
    checkpoint: join(dataDir, 'checkpoint'),
  }
  mkdirSync(folders.wal, { recursive: true })
  mkdirSync(folders.chunks, { recursive: true })
  return folders
}
