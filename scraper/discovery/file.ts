import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock, Logger } from '../../lib/index.ts'
import type { FileSdConfig } from './config.ts'
import { type Discovery, parseTargetList, type TargetGroup } from './discovery.ts'
import { readTargetFile } from './target-file.ts'

const REFRESH_DEFAULT_MS = 5 * 60_000
// Editors and `cp` change a file in several steps.
const SETTLE_MS = 100

/** Target lists in files: read at start, when their folder changes, and every few minutes. */
export function fileDiscovery(config: FileSdConfig, parts: { clock: Clock; logger: Logger }): Discovery {
  return new FileDiscovery(config, parts.clock, parts.logger)
}

class FileDiscovery implements Discovery {
  readonly #config: FileSdConfig
  readonly #clock: Clock
  readonly #logger: Logger
  /** Last good content by path: a file that cannot be read or understood keeps its targets, one that is gone loses them. */
  #groups = new Map<string, readonly TargetGroup[]>()
  #watchers: FSWatcher[] = []
  #stopped = false
  #cancelPoll: (() => void) | undefined
  #cancelSettle: (() => void) | undefined
  #onUpdate: ((groups: readonly TargetGroup[]) => void) | undefined
  #refreshing: Promise<void> = Promise.resolve()

  constructor(config: FileSdConfig, clock: Clock, logger: Logger) {
    this.#config = config
    this.#clock = clock
    this.#logger = logger
  }

  run(onUpdate: (groups: readonly TargetGroup[]) => void): void {
    this.#onUpdate = onUpdate
    for (const folder of new Set(this.#config.files.map((file) => dirname(file)))) this.#watch(folder)
    void this.#refreshNow()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#onUpdate = undefined
    this.#cancelPoll?.()
    this.#cancelSettle?.()
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
    await this.#refreshing
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#changed())
      watcher.on('error', (error) => this.#logger.warn({ err: error, folder }, 'watching a target folder failed'))
      this.#watchers.push(watcher)
    } catch (error) {
      this.#logger.warn({ err: error, folder }, 'cannot watch a target folder, it is read at intervals only')
    }
  }

  #changed(): void {
    this.#cancelSettle?.()
    this.#cancelSettle = this.#clock.schedule(SETTLE_MS, () => void this.#refreshNow())
  }

  /** One refresh at a time, in order; each sets the time of the next anew. */
  #refreshNow(): Promise<void> {
    this.#refreshing = this.#refreshing.then(async () => {
      if (this.#stopped) return
      this.#cancelPoll?.()
      await this.#refresh()
      const intervalMs = this.#config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
      if (!this.#stopped) this.#cancelPoll = this.#clock.schedule(intervalMs, () => void this.#refreshNow())
    })
    return this.#refreshing
  }

  async #refresh(): Promise<void> {
    const groups = new Map<string, readonly TargetGroup[]>()
    for (const pattern of this.#config.files) {
      for (const path of await this.#expand(pattern)) {
        const read = await this.#read(path)
        if (read) groups.set(path, read)
      }
    }
    this.#groups = groups
    this.#onUpdate?.([...groups.values()].flat())
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
      this.#logger.warn({ err: error, folder }, 'cannot list a target folder')
      // What was read from there stays.
      return [...this.#groups.keys()].filter((path) => dirname(path) === folder && name.test(basename(path)))
    }
  }

  async #read(path: string): Promise<readonly TargetGroup[] | undefined> {
    try {
      const list = await readTargetFile(path, await readFile(path, 'utf8'))
      return await parseTargetList(list, (i) => `${path}:${i}`, { __meta_filepath: path })
    } catch (error) {
      this.#logger.error({ err: error, path }, 'target file is not usable, its last good content stays in use')
      return this.#groups.get(path)
    }
  }
}

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
