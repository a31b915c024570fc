// Dashboards as users save them: a folder per dashboard with a file per version, beside those that come from files.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { type Json, objectOf, numberOf, objectsOf, textOf, textsOf } from '../grafana/json.ts'
import { migrateDashboard } from '../grafana/migrate.ts'
import { boardUid } from '../grafana/migrate-v2.ts'
import { DashboardConflictError, DashboardNotFoundError, DashboardReadOnlyError } from './errors.ts'
import { readJson, writeJson } from './files.ts'
import { ProvisionedBoards, uidOf } from './provisioned.ts'

export interface DashboardSummary {
  readonly uid: string
  readonly title: string
  readonly tags: readonly string[]
  readonly folderUid: string
  readonly folderTitle: string
  readonly isStarred: boolean
  /** From a file, which is where it is changed. */
  readonly provisioned: boolean
  readonly version: number
  readonly savedAtMs: number
}

export interface StoredDashboard extends DashboardSummary {
  readonly json: Json
  readonly file: string | undefined
}

export interface DashboardVersion {
  readonly version: number
  readonly savedAtMs: number
  readonly message: string
}

export interface DashboardFolder {
  readonly uid: string
  readonly title: string
}

interface VersionFile extends DashboardVersion {
  readonly folderUid: string
  readonly dashboard: Json
}

export interface SaveRequest {
  readonly dashboard: unknown
  readonly overwrite?: boolean
  readonly folderUid?: string
  readonly message?: string
}

const UID = /^[\w-]{1,40}$/
const VERSIONS_KEPT = 50

export class DashboardStore {
  readonly #dir: string
  readonly #clock: Clock
  readonly #provisioned: ProvisionedBoards | undefined
  readonly #newest = new Map<string, VersionFile>()
  #folders: DashboardFolder[] = []
  #stars = new Set<string>()
  /** One write after the other. */
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(options: { dataDir: string; clock: Clock; logger: Logger; path: string }) {
    this.#dir = join(options.dataDir, 'dashboards')
    this.#clock = options.clock
    this.#provisioned = options.path === '' ? undefined : new ProvisionedBoards(options.path, options.logger)
  }

  /** @param path folder or provisioning file of dashboards on disk, '' = none */
  static async open(options: { dataDir: string; clock: Clock; logger: Logger; path: string }): Promise<DashboardStore> {
    const store = new DashboardStore(options)
    await mkdir(store.#dir, { recursive: true })
    const entries = await readdir(store.#dir, { withFileTypes: true })
    for (const entry of entries.filter((one) => one.isDirectory() && UID.test(one.name))) {
      const last = (await store.#versionNumbers(entry.name)).at(-1)
      const file = last === undefined ? undefined : await store.#readVersion(entry.name, last)
      if (file !== undefined) store.#newest.set(entry.name, file)
      else options.logger.warn({ uid: entry.name }, 'a stored dashboard has no version that can be read')
    }
    store.#folders = objectsOf(await readJson(join(store.#dir, 'folders.json'))).map(({ uid, title }) => ({
      uid: textOf(uid),
      title: textOf(title),
    }))
    store.#stars = new Set(textsOf(await readJson(join(store.#dir, 'stars.json'))))
    return store
  }

  async list(): Promise<StoredDashboard[]> {
    const fromFiles = (await this.#provisioned?.list()) ?? []
    const taken = new Set(fromFiles.map(({ uid }) => uid))
    const own = [...this.#newest].filter(([uid]) => !taken.has(uid)).map(([uid, file]) => this.#stored(uid, file))
    const provisioned = fromFiles.map(
      ({ uid, json, folder, file, changedAtMs }): StoredDashboard => ({
        ...this.#summary(uid, json),
        folderUid: folder === '' ? '' : uidOf(folder),
        folderTitle: folder,
        provisioned: true,
        version: 1,
        savedAtMs: Math.round(changedAtMs),
        json,
        file,
      }),
    )
    return [...provisioned, ...own].sort((a, b) => a.title.localeCompare(b.title, 'en'))
  }

  /** @throws {DashboardNotFoundError} */
  async get(uid: string): Promise<StoredDashboard> {
    const own = this.#newest.get(uid)
    const fromFile = this.#provisioned === undefined ? undefined : (await this.list()).find((one) => one.uid === uid)
    if (fromFile?.provisioned) return fromFile
    if (own === undefined) throw new DashboardNotFoundError(`there is no dashboard with the uid "${uid}"`)
    return this.#stored(uid, own)
  }

  /**
   * Stored durably when it resolves. A uid of its own is made where the dashboard has none.
   *
   * @throws {DashboardFormatError} where it is none
   * @throws {DashboardConflictError} where the version is not the one that is stored, unless `overwrite`
   * @throws {DashboardReadOnlyError} where it comes from a file
   */
  save(request: SaveRequest): Promise<StoredDashboard> {
    return this.#oneByOne(async () => {
      migrateDashboard(request.dashboard)
      const given = objectOf(request.dashboard)
      const uid = boardUid(given) || this.#freshUid(textOf(given.title) || textOf(objectOf(given.spec).title))
      if (!UID.test(uid)) throw new DashboardConflictError('a uid has letters, digits, - and _, at most 40 of them')
      if ((await this.#provisioned?.list())?.some((one) => one.uid === uid)) {
        throw new DashboardReadOnlyError(
          'this dashboard comes from a file: change it there, or save it under another name',
        )
      }
      const before = this.#newest.get(uid)
      if (before !== undefined && request.overwrite !== true && numberOf(given.version) !== before.version) {
        throw new DashboardConflictError('the dashboard has been changed by someone else')
      }
      const folderUid = request.folderUid ?? before?.folderUid ?? ''
      if (folderUid !== '' && !this.#folders.some((folder) => folder.uid === folderUid)) {
        throw new DashboardNotFoundError(`there is no folder with the uid "${folderUid}"`)
      }
      const version = (before?.version ?? 0) + 1
      const file: VersionFile = {
        version,
        savedAtMs: this.#clock.nowMs(),
        message: request.message ?? '',
        folderUid,
        dashboard: { ...given, uid, version, id: null },
      }
      await mkdir(join(this.#dir, uid), { recursive: true })
      await writeJson(this.#path(uid, version), file)
      this.#newest.set(uid, file)
      const old = (await this.#versionNumbers(uid)).slice(0, -VERSIONS_KEPT)
      await Promise.all(old.map((number) => rm(this.#path(uid, number), { force: true })))
      return this.#stored(uid, file)
    })
  }

  /** @throws {DashboardNotFoundError} @throws {DashboardReadOnlyError} */
  remove(uid: string): Promise<StoredDashboard> {
    return this.#oneByOne(async () => {
      const found = await this.get(uid)
      if (found.provisioned) throw new DashboardReadOnlyError('this dashboard comes from a file: remove it there')
      await rm(join(this.#dir, uid), { recursive: true, force: true })
      this.#newest.delete(uid)
      return found
    })
  }

  /** Newest first. */
  async versions(uid: string): Promise<DashboardVersion[]> {
    const found = await this.get(uid)
    if (found.provisioned) return [{ version: found.version, savedAtMs: found.savedAtMs, message: found.file ?? '' }]
    const files = await Promise.all((await this.#versionNumbers(uid)).map((number) => this.#readVersion(uid, number)))
    return files
      .filter((file) => file !== undefined)
      .map(({ version, savedAtMs, message }) => ({ version, savedAtMs, message }))
      .reverse()
  }

  /** @throws {DashboardNotFoundError} */
  async version(uid: string, version: number): Promise<Json> {
    const found = await this.get(uid)
    if (found.provisioned && version === found.version) return found.json
    const file = Number.isInteger(version) ? await this.#readVersion(uid, version) : undefined
    if (file === undefined) throw new DashboardNotFoundError(`there is no version ${version} of "${uid}"`)
    return file.dashboard
  }

  folders(): readonly DashboardFolder[] {
    return this.#folders
  }

  createFolder(title: string, uid?: string): Promise<DashboardFolder> {
    return this.#oneByOne(async () => {
      const wanted = uid === undefined || uid === '' ? uidOf(title) : uid
      if (!UID.test(wanted) || title.trim() === '') throw new DashboardConflictError('a folder needs a title')
      if (this.#folders.some((folder) => folder.uid === wanted))
        throw new DashboardConflictError('there is a folder of this name')
      const folder = { uid: wanted, title: title.trim() }
      await writeJson(join(this.#dir, 'folders.json'), [...this.#folders, folder])
      this.#folders = [...this.#folders, folder]
      return folder
    })
  }

  star(uid: string, starred: boolean): Promise<void> {
    return this.#oneByOne(async () => {
      const stars = new Set(this.#stars)
      if (starred) stars.add(uid)
      else stars.delete(uid)
      await writeJson(join(this.#dir, 'stars.json'), [...stars])
      this.#stars = stars
    })
  }

  #stored(uid: string, { dashboard, folderUid, version, savedAtMs }: VersionFile): StoredDashboard {
    const folder = this.#folders.find((one) => one.uid === folderUid)
    return {
      ...this.#summary(uid, dashboard),
      folderUid: folder === undefined ? '' : folderUid,
      folderTitle: folder?.title ?? '',
      provisioned: false,
      version,
      savedAtMs,
      json: dashboard,
      file: undefined,
    }
  }

  #summary(uid: string, json: Json): { uid: string; title: string; tags: string[]; isStarred: boolean } {
    const spec = objectOf(json.spec)
    return {
      uid,
      title: textOf(json.title) || textOf(spec.title, 'Untitled'),
      tags: textsOf(json.tags ?? spec.tags),
      isStarred: this.#stars.has(uid),
    }
  }

  #freshUid(title: string): string {
    const base = uidOf(title).slice(0, 32)
    return this.#newest.has(base) || base === '' ? `${base}-${randomBytes(3).toString('hex')}` : base
  }

  #path(uid: string, version: number): string {
    return join(this.#dir, uid, `${version}.json`)
  }

  async #versionNumbers(uid: string): Promise<number[]> {
    const names = await readdir(join(this.#dir, uid)).catch(() => [])
    return names
      .map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN))
      .filter((number) => !Number.isNaN(number))
      .sort((a, b) => a - b)
  }

  async #readVersion(uid: string, version: number): Promise<VersionFile | undefined> {
    const file = objectOf(await readJson(this.#path(uid, version)))
    if (file.dashboard === undefined) return undefined
    return {
      version,
      savedAtMs: numberOf(file.savedAtMs) ?? 0,
      message: textOf(file.message),
      folderUid: textOf(file.folderUid),
      dashboard: objectOf(file.dashboard),
    }
  }

  #oneByOne<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#writing.then(task)
    this.#writing = result.catch(() => undefined)
    return result
  }
}
