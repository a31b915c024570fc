import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { chunkFileHeader, chunkFileName } from '../chunk/head-chunk-file.ts'
import { appendDurably, syncFolder } from '../files.ts'
import type { SealAnswer, SealRequest } from './protocol.ts'

/** Puts chunks behind those in the file of a request. They are synced when it resolves: then the log may go. */
export async function appendChunks(request: SealRequest, { chunks }: SealAnswer): Promise<void> {
  const file = await open(join(request.folder, chunkFileName(request.file)), 'a')
  try {
    const { size } = await file.stat()
    const present = chunks.filter((chunk) => chunk !== undefined)
    const bytes = size === 0 ? [chunkFileHeader(request.windowStartMs), ...present] : present
    await appendDurably(file, Buffer.concat(bytes))
    if (size === 0) await syncFolder(request.folder)
  } finally {
    await file.close()
  }
}
