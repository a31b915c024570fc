import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { FileSdConfig } from './config.ts'
import { type Discovery, parseTargetList, type TargetGroup } from './discovery.ts'
import { FolderWatch } from './folder-watch.ts'
import type { DiscoveryParts } from './poll.ts'
import { readTargetFile } from './target-file.ts'

const REFRESH_DEFAULT_MS = 5 * 60_000
// Editors and `cp` change a file in several steps.
const SETTLE_MS = 100
// In a folder that never comes to rest files are read this often.
const UNREST_MS_MAX = 1000

/** Target lists in files: read at start, when their folder changes, and every few minutes. */
export function fileDiscovery(config: FileSdConfig, parts: DiscoveryParts): Discovery {
  return new FileDiscovery(config, parts)
}

/** What a file held. */
interface FileContent {
  /** Of the text that was read last. */
  readonly digest: string
  /** Of the last text that could be understood. */
  readonly groups: readonly TargetGroup[]
}

class FileDiscovery implements Discovery {
  readonly #config: FileSdConfig
  readonly #parts: DiscoveryParts
  readonly #folders: FolderWatch
  /** By path: a file that cannot be read or understood keeps its targets, one that is gone loses them. */
  #files = new Map<string, FileContent>()
  #stopped = false
  /** When the first of the changes came that nobody has looked at. */
  #changedAtMs: number | undefined
  #hasTold = false
  #cancelPoll: (() => void) | undefined
  #cancelSettle: (() => void) | undefined
  #onUpdate: ((groups: readonly TargetGroup[]) => void) | undefined
  #refreshing: Promise<void> = Promise.resolve()

  constructor(config: FileSdConfig, parts: DiscoveryParts) {
    this.#config = config
    this.#parts = parts
    const folders = config.files.map((file) => dirname(file))
    this.#folders = new FolderWatch(folders, () => this.#changed(), parts.logger)
  }

  run(onUpdate: (groups: readonly TargetGroup[]) => void): void {
    this.#onUpdate = onUpdate
    void this.#refreshNow()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#onUpdate = undefined
    this.#cancelPoll?.()
    this.#cancelSettle?.()
    this.#folders.close()
    await this.#refreshing
    for (const path of this.#files.keys()) this.#parts.onFile?.(path, undefined)
  }

  #changed(): void {
    const { clock } = this.#parts
    this.#changedAtMs ??= clock.nowMs()
    const patienceMs = Math.max(0, this.#changedAtMs + UNREST_MS_MAX - clock.nowMs())
    this.#cancelSettle?.()
    this.#cancelSettle = clock.schedule(Math.min(SETTLE_MS, patienceMs), () => {
      this.#changedAtMs = undefined
      void this.#refreshNow()
    })
  }

  /** One refresh at a time, in order; each sets the time of the next anew. */
  #refreshNow(): Promise<void> {
    this.#refreshing = this.#refreshing.then(async () => {
      if (this.#stopped) return
      this.#cancelPoll?.()
      await this.#folders.renew()
      await this.#refresh()
      const intervalMs = this.#config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
      if (!this.#stopped) this.#cancelPoll = this.#parts.clock.schedule(intervalMs, () => void this.#refreshNow())
    })
    return this.#refreshing
  }

  async #refresh(): Promise<void> {
    const files = new Map<string, FileContent>()
    for (const pattern of this.#config.files) {
      for (const path of await this.#expand(pattern)) {
        const content = await this.#read(path)
        if (content) files.set(path, content)
      }
    }
    for (const path of this.#files.keys()) if (!files.has(path)) this.#parts.onFile?.(path, undefined)
    const isNews = !this.#hasTold || !isSame(files, this.#files)
    this.#files = files
    this.#hasTold = true
    if (isNews) this.#onUpdate?.([...files.values()].flatMap(({ groups }) => groups))
  }

  async #expand(pattern: string): Promise<string[]> {
    const folder = dirname(pattern)
    const name = new RegExp(`^${basename(pattern).split('*').map(escapeRegex).join('[^/]*')}$`)
    try {
      return (await readdir(folder))
        .filter((file) => name.test(file))
        .sort()
        .map((file) => join(folder, file))
    } catch (error) {
      this.#parts.logger.warn({ err: error, folder }, 'cannot list a target folder')
      // What was read from there stays.
      return [...this.#files.keys()].filter((path) => dirname(path) === folder && name.test(basename(path)))
    }
  }

  async #read(path: string): Promise<FileContent | undefined> {
    const { onFile, onFailure, logger } = this.#parts
    const held = this.#files.get(path)
    let digest = ''
    try {
      const text = await readFile(path, 'utf8')
      if (onFile) onFile(path, (await stat(path)).mtimeMs)
      digest = createHash('sha1').update(text).digest('base64')
      if (digest === held?.digest) return held
      const list = await readTargetFile(path, text)
      return { digest, groups: await parseTargetList(list, (i) => `${path}:${i}`, { __meta_filepath: path }) }
    } catch (error) {
      onFailure?.()
      logger.error({ err: error, path }, 'target file is not usable, its last good content stays in use')
      // Read again next time, even if it says the same.
      return held && { digest: '', groups: held.groups }
    }
  }
}

function isSame(a: ReadonlyMap<string, FileContent>, b: ReadonlyMap<string, FileContent>): boolean {
  return a.size === b.size && [...a].every(([path, { groups }]) => b.get(path)?.groups === groups)
}

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
