// Small JSON files that are either the old or the new one after a power cut.
import { open, readFile, rename } from 'node:fs/promises'

/** @returns `undefined` where the file does not exist or holds no JSON */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Written beside, synced, then put in place. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(JSON.stringify(value))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
