import { readdir } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { compareStrings } from '../model/index.ts'

/** Files that the patterns match (`*`, `?`, `[a-z]` within one path segment), each once, sorted within a pattern. */
export async function expandGlobs(patterns: readonly string[], baseFolder: string): Promise<string[]> {
  const files = new Set<string>()
  for (const pattern of patterns) {
    const path = isAbsolute(pattern) ? pattern : join(baseFolder, pattern)
    for (const file of await expandGlob(path)) files.add(file)
  }
  return [...files]
}

const MAGIC = /[*?[]/

async function expandGlob(path: string): Promise<string[]> {
  if (!MAGIC.test(path)) return [path]
  const segments = resolve(path).split('/').slice(1)
  let folders = ['/']
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1
    const next = await Promise.all(folders.map((folder) => entriesOf(folder, segment, isLast)))
    folders = next.flat()
  }
  return folders.sort(compareStrings)
}

async function entriesOf(folder: string, segment: string, isLast: boolean): Promise<string[]> {
  if (!MAGIC.test(segment)) return [join(folder, segment)]
  const pattern = segmentPattern(segment)
  // A folder that is missing or closed to us holds no match: rule files may come later.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => pattern.test(entry.name) && (isLast ? !entry.isDirectory() : !entry.isFile()))
    .map((entry) => join(folder, entry.name))
}

function segmentPattern(segment: string): RegExp {
  const source = segment.replace(/\[\^?[^\]]+\]|[*?]|[.+^${}()|[\]\\]/g, (piece) => {
    if (piece === '*') return '[^/]*'
    if (piece === '?') return '[^/]'
    return piece.length > 1 ? piece : `\\${piece}`
  })
  return new RegExp(`^${source}$`)
}
