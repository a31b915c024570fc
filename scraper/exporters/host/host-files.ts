import { closeSync, openSync, readdirSync, readSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

const BUFFER_BYTES = 1 << 18
const ABSENCES: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP', 'ENODEV'])

/**
 * Reads the kernel's files. They are served from memory in microseconds, so reading them synchronously is cheaper than a
 * trip through the thread pool; nothing that may touch a disk or the network goes through here except `rootfs`'s few
 * small configuration files.
 */
export class HostFiles {
  readonly #procPath: string
  readonly #sysPath: string
  readonly #rootfsPath: string
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES)

  constructor(paths: { readonly procPath: string; readonly sysPath: string; readonly rootfsPath: string }) {
    this.#procPath = paths.procPath
    this.#sysPath = paths.sysPath
    this.#rootfsPath = paths.rootfsPath
  }

  /** @throws what `fs` throws, e.g. with code ENOENT */
  proc(path: string): string {
    return this.#read(`${this.#procPath}/${path}`)
  }

  sys(path: string): string {
    return this.#read(`${this.#sysPath}/${path}`, true)
  }

  rootfs(path: string): string {
    return this.#read(join(this.#rootfsPath, path))
  }

  /** Sorted, so that pages keep their order. */
  sysEntries(path: string): string[] {
    return readdirSync(`${this.#sysPath}/${path}`).sort()
  }

  /** Where a link leads to. */
  sysTarget(path: string): string {
    return realpathSync(`${this.#sysPath}/${path}`)
  }

  #read(file: string, atOnce = false): string {
    const fd = openSync(file, 'r')
    try {
      let length = 0
      // A sysfs attribute comes whole. A /proc file may come in pieces of a page: only an empty read is its end.
      for (let got = -1; got !== 0 && length < BUFFER_BYTES; length += got) {
        got = readSync(fd, this.#buffer, length, BUFFER_BYTES - length, null)
        if (atOnce) return this.#buffer.toString('utf8', 0, got)
      }
      return this.#buffer.toString('utf8', 0, length)
    } finally {
      closeSync(fd)
    }
  }
}

/** What `read` returns, or `undefined` where this machine or kernel does not have the file or refuses to fill it. */
export function ifPresent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

/** ENOENT, ENOTDIR: not there; EINVAL, EOPNOTSUPP, ENODEV: there, but this device or kernel has nothing to say. */
export function isAbsence(error: unknown): boolean {
  return ABSENCES.has((error as NodeJS.ErrnoException).code ?? '')
}
