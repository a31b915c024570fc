import { type FSWatcher, watch } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Logger } from '../../lib/index.ts'

/** A folder under watch, as the thing that it was when the watch began. */
interface Watched {
  readonly identity: string
  readonly watcher: FSWatcher
}

/**
 * Tells when something in folders changes. A folder may come later, go, come back, or be exchanged as a whole by a symbolic
 * link that is pointed elsewhere: what is above it is watched for that, too.
 */
export class FolderWatch {
  readonly #folders: readonly string[]
  readonly #onChange: () => void
  readonly #logger: Logger
  readonly #watched = new Map<string, Watched>()
  #stopped = false

  constructor(folders: Iterable<string>, onChange: () => void, logger: Logger) {
    this.#folders = [...new Set(folders)]
    this.#onChange = onChange
    this.#logger = logger
  }

  /** Looks which folders there are now. Call it before what is in them is read. */
  async renew(): Promise<void> {
    const wanted = new Map<string, Set<string> | 'all'>()
    for (const folder of this.#folders) await findPlaces(folder, wanted)
    for (const [path, names] of wanted) {
      const identity = await identityOf(path)
      if (this.#stopped) return
      const key = placeKey(path, names)
      if (identity === undefined || this.#watched.get(key)?.identity === identity) continue
      this.#end(key)
      this.#watch(path, names, identity)
    }
    const keys = new Set([...wanted].map(([path, names]) => placeKey(path, names)))
    for (const key of this.#watched.keys()) if (!keys.has(key)) this.#end(key)
  }

  close(): void {
    this.#stopped = true
    for (const key of this.#watched.keys()) this.#end(key)
  }

  #watch(path: string, names: Set<string> | 'all', identity: string): void {
    const key = placeKey(path, names)
    try {
      const watcher = watch(path, { persistent: false }, (event, name) => {
        // It may be the folder itself that went; one that comes in its place can look the same.
        if (event === 'rename' && name === basename(path)) this.#end(key)
        if (names === 'all' || name === null || names.has(name)) this.#onChange()
      })
      watcher.on('error', (error) => {
        this.#logger.warn({ err: error, folder: path }, 'watching a target folder failed')
        this.#end(key)
      })
      this.#watched.set(key, { identity, watcher })
    } catch (error) {
      this.#logger.warn({ err: error, folder: path }, 'cannot watch a target folder, it is read at intervals only')
    }
  }

  #end(key: string): void {
    this.#watched.get(key)?.watcher.close()
    this.#watched.delete(key)
  }
}

/** Adds where to look for changes of a folder: itself, and for each link or gap on the way to it the folder around that. */
async function findPlaces(folder: string, places: Map<string, Set<string> | 'all'>): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    const found = await lstat(path).catch(() => undefined)
    if (path === folder && (await identityOf(path)) !== undefined) places.set(path, 'all')
    const parent = dirname(path)
    if (parent === path) return
    if (found !== undefined && !found.isSymbolicLink()) continue
    const names = places.get(parent)
    if (names === 'all') continue
    if (names) names.add(basename(path))
    else places.set(parent, new Set([basename(path)]))
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

const placeKey = (path: string, names: Set<string> | 'all'): string =>
  `${path}\0${names === 'all' ? '' : [...names].sort().join('\0')}`
