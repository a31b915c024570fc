// Dashboards that lie in folders as files: a folder of JSON, or Grafana's provisioning files that name such folders.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path'
import { parse } from 'yaml'
import { errorMessage } from '../../lib/errors.ts'
import type { Logger } from '../../lib/log.ts'
import { migrateDashboard } from '../grafana/migrate.ts'
import { boardUid } from '../grafana/migrate-v2.ts'
import { isObject, type Json, objectOf, objectsOf, textOf } from '../grafana/json.ts'

export interface ProvisionedBoard {
  readonly uid: string
  readonly json: Json
  readonly folder: string
  /** Path of the file, relative to the folder it was found by. */
  readonly file: string
  readonly changedAtMs: number
}

interface Provider {
  readonly path: string
  readonly folder: string
  readonly foldersFromFiles: boolean
}

const FILES_MAX = 2000

/** Reads the folder anew; a file whose time has not changed is not parsed again. */
export class ProvisionedBoards {
  readonly #path: string
  readonly #logger: Logger
  #known = new Map<string, { mtimeMs: number; board: ProvisionedBoard | undefined }>()

  /** @param path a folder of dashboards, a provisioning file, or a folder that holds such files */
  constructor(path: string, logger: Logger) {
    this.#path = path
    this.#logger = logger
  }

  async list(): Promise<ProvisionedBoard[]> {
    const boards = new Map<string, ProvisionedBoard>()
    const seen = new Map<string, { mtimeMs: number; board: ProvisionedBoard | undefined }>()
    for (const provider of await this.#providers()) {
      for (const path of (await jsonFiles(provider.path)).slice(0, FILES_MAX)) {
        const entry = await this.#read(path, provider)
        if (entry === undefined) continue
        seen.set(path, entry)
        if (entry.board !== undefined && !boards.has(entry.board.uid)) boards.set(entry.board.uid, entry.board)
      }
    }
    this.#known = seen
    return [...boards.values()]
  }

  async #providers(): Promise<Provider[]> {
    const isFile = await stat(this.#path).then(
      (found) => found.isFile(),
      () => false,
    )
    const folder = isFile ? dirname(this.#path) : this.#path
    const names = isFile ? [basename(this.#path)] : await readdir(folder).catch(() => [])
    const providers: Provider[] = []
    for (const name of names.filter((one) => /\.ya?ml$/.test(one))) {
      try {
        providers.push(...providersOf(parse(await readFile(join(folder, name), 'utf8')), folder))
      } catch (error) {
        this.#logger.warn({ file: name, reason: errorMessage(error) }, 'a provisioning file cannot be read')
      }
    }
    return providers.length > 0 || isFile ? providers : [{ path: folder, folder: '', foldersFromFiles: true }]
  }

  async #read(
    path: string,
    provider: Provider,
  ): Promise<{ mtimeMs: number; board: ProvisionedBoard | undefined } | undefined> {
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) return undefined
    const known = this.#known.get(path)
    if (known?.mtimeMs === found.mtimeMs) return known
    try {
      const json = unwrapped(JSON.parse(await readFile(path, 'utf8')))
      migrateDashboard(json)
      const file = relative(provider.path, path)
      const inside = dirname(file)
      const folder = provider.foldersFromFiles && inside !== '.' ? inside.split(sep).join('/') : provider.folder
      const uid = boardUid(json) || uidOf(basename(file, extname(file)))
      return {
        mtimeMs: found.mtimeMs,
        board: { uid, json: { ...json, uid }, folder, file, changedAtMs: found.mtimeMs },
      }
    } catch (error) {
      this.#logger.warn({ file: path, reason: errorMessage(error) }, 'a dashboard file cannot be used')
      return { mtimeMs: found.mtimeMs, board: undefined }
    }
  }
}

function unwrapped(value: unknown): Json {
  const json = objectOf(value)
  return isObject(json.dashboard) ? json.dashboard : json
}

function providersOf(file: unknown, base: string): Provider[] {
  return objectsOf(objectOf(file).providers)
    .filter(({ type }) => type === undefined || type === 'file')
    .map((provider) => {
      const options = objectOf(provider.options)
      const path = textOf(options.path) || textOf(options.folder)
      return {
        path: isAbsolute(path) ? path : join(base, path),
        folder: textOf(provider.folder),
        foldersFromFiles: options.foldersFromFilesStructure === true,
      }
    })
}

async function jsonFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return [path]
  const names = await readdir(path, { recursive: true }).catch(() => [])
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name))
}

/** Letters, digits, `-` and `_`, at most forty of them. */
export function uidOf(text: string): string {
  const cleaned = text
    .toLowerCase()
    .replaceAll(/[^\w-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return cleaned.slice(0, 40) || 'board'
}
