/**
 * Loaded into every thread of a process before anything else: keeps a journal of what has become durable, as a disk that keeps
 * only what was synced would have it. A file has the content of its last sync, a folder the names of its own. The journal,
 * lines of JSON and a file for each content, lies in the folder that the environment names. Linux only.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { patchCalls } from './patched-calls.ts'

/** A file or a folder: inode numbers are used again. */
export type Inode = string

export type JournalEvent =
  | {
      readonly kind: 'file'
      readonly inode: Inode
      readonly content: string
      readonly path: string
      readonly done: number
    }
  | { readonly kind: 'folder'; readonly inode: Inode; readonly entries: readonly Entry[] }
  | { readonly kind: 'deleting' | 'deleted' }

interface Entry {
  readonly name: string
  readonly inode: Inode
  readonly isFolder: boolean
}

// As they were before the patches.
const { appendFileSync, existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } = fs
const journal = process.env.SYNC_JOURNAL!

/** Of the thread that does the work: rows that were acknowledged. */
export const progress = { done: 0 }

export function note(event: JournalEvent): void {
  appendFileSync(join(journal, 'events'), `${JSON.stringify(event)}\n`)
}

export function inodeOf(path: string): Inode {
  const { ino, birthtimeNs } = statSync(path, { bigint: true })
  return `${ino}-${birthtimeNs}`
}

/** What a sync that begins now makes durable. */
function stateOf(path: string): JournalEvent {
  const inode = inodeOf(path)
  if (statSync(path).isDirectory()) {
    const entries = readdirSync(path, { withFileTypes: true }).flatMap((entry): Entry[] => {
      const child = join(path, entry.name)
      // Gone meanwhile: in another thread.
      return existsSync(child) ? [{ name: entry.name, inode: inodeOf(child), isFolder: entry.isDirectory() }] : []
    })
    return { kind: 'folder', inode, entries }
  }
  const bytes = readFileSync(path)
  const content = createHash('sha1').update(bytes).digest('hex')
  if (!existsSync(join(journal, content))) writeFileSync(join(journal, content), bytes)
  const target = path.startsWith('/proc/') ? readlinkSync(path) : path
  return { kind: 'file', inode, content, path: target, done: progress.done }
}

const ofDescriptor = (fd: number): string => `/proc/self/fd/${fd}`
const isFlushed = (options: unknown): boolean => (options as { flush?: boolean } | undefined)?.flush === true

await patchCalls(
  { sync: ['fsyncSync', 'fdatasyncSync', 'writeFileSync'], async: ['writeFile'], handle: ['sync', 'datasync'] },
  ({ name, self, args }) => {
    if (name.startsWith('writeFile')) return isFlushed(args[2]) ? () => note(stateOf(String(args[0]))) : undefined
    const fd = name.endsWith('Sync') ? (args[0] as number) : (self as { fd: number }).fd
    const state = stateOf(ofDescriptor(fd))
    return () => note(state)
  },
  import.meta.url,
)
