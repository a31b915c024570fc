import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Files that match a pattern with `*`, `?` and `[…]` in its last segment, sorted; none is fine, as in Prometheus. */
export function expandGlob(pattern: string): string[] {
  const last = basename(pattern)
  if (!/[*?[]/.test(last)) return [pattern]
  const regex = new RegExp(
    `^${last
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replace(/\*/g, '[^/]*')
      .replace(/\?/g, '[^/]')}$`,
  )
  const folder = dirname(pattern)
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return [] // A folder that is not there holds no files.
  }
  return names
    .filter((name) => regex.test(name))
    .sort()
    .map((name) => join(folder, name))
}
