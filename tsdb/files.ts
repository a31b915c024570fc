import { open, writeFile } from 'node:fs/promises'

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
