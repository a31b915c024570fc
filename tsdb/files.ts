import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Turns } from '../lib/index.ts'

const TURN_BYTES = 4 << 20

/**
 * Appends to a file and makes it durable. When that fails the file is as long as before: what is written next must not
 * stand behind half of something.
 */
export async function appendDurably(file: FileHandle, bytes: Uint8Array): Promise<void> {
  const { size } = await file.stat()
  try {
    await file.appendFile(bytes)
    await file.datasync()
  } catch (error) {
    await file.truncate(size)
    throw error
  }
}

/** Makes the names in a folder durable (creations, renames, deletions). */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a file and makes its content durable; its name is durable after `syncFolder`. */
export async function writeDurably(file: string, bytes: Uint8Array | string): Promise<void> {
  await writeFile(file, bytes, { flush: true })
}

/** A whole file. Not as a `Buffer`: taking parts of one takes three times as long. */
export async function readInTurns(file: string, turns: Turns): Promise<Uint8Array> {
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
    for (let at = 0; at < size; ) {
      const count = readSync(fd, bytes, at, Math.min(TURN_BYTES, size - at), at)
      if (count === 0) return bytes.subarray(0, at)
      at += count
      if (turns.isOver) await turns.next()
    }
    return bytes
  } finally {
    closeSync(fd)
  }
}

/** Of all files in a folder together; 0 where it is gone, as on a disk that fails. */
export function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}
