import { type ChildProcess, spawn } from 'node:child_process'
import { statfs } from 'node:fs'
import type { Clock } from '../../../lib/index.ts'
import type { Mount } from './mounts.ts'

/** In bytes, and in inodes for `files` and `filesFree`. */
export interface MountSize {
  readonly size: number
  readonly free: number
  readonly avail: number
  readonly files: number
  readonly filesFree: number
}

export type MountAnswer = { readonly size: MountSize } | { readonly error: string }

/**
 * Asks file systems for their sizes without ever waiting longer than the timeout, or holding more than one thread of the
 * pool that all file access shares: a mount that does not answer is left alone until it does.
 *
 * Local file systems are asked directly. Those that depend on another machine or on a user process, which may block a
 * thread for hours, are asked by a child process; so is everything while a local one hangs.
 */
export class MountProbe {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #stuck = new Set<string>()
  #threadStuck = false

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  async ask(mount: Mount): Promise<MountAnswer> {
    if (this.#stuck.has(mount.path)) return { error: 'mountpoint timeout' }
    return new Promise((resolve) => {
      const viaChild = mount.mayHang || this.#threadStuck
      const cancel = this.#clock.schedule(this.#timeoutMs, () => {
        this.#stuck.add(mount.path)
        if (!viaChild) this.#threadStuck = true
        child?.kill('SIGKILL') // Without effect while the kernel holds it; then the mount stays on the list.
        resolve({ error: 'mountpoint timeout' })
      })
      const answered = (answer: MountAnswer): void => {
        cancel()
        this.#stuck.delete(mount.path)
        if (!viaChild) this.#threadStuck = false
        resolve(answer)
      }
      const child = viaChild ? askByChild(mount.path, answered) : askDirectly(mount.path, answered)
    })
  }
}

function askDirectly(path: string, answered: (answer: MountAnswer) => void): undefined {
  statfs(path, (error, stats) => {
    if (error !== null) return answered({ error: error.code ?? error.message })
    const { bsize, blocks, bfree, bavail, files, ffree } = stats
    answered({
      size: { size: blocks * bsize, free: bfree * bsize, avail: bavail * bsize, files, filesFree: ffree },
    })
  })
}

function askByChild(path: string, answered: (answer: MountAnswer) => void): ChildProcess {
  // Both coreutils and busybox have it.
  const child = spawn('stat', ['-f', '-c', '%S %b %f %a %c %d', path], { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    output += text
  })
  child.on('error', (error) => answered({ error: error.message }))
  child.on('close', (code) => {
    const [blockBytes, blocks, free, avail, files, filesFree] = output.trim().split(' ').map(Number)
    if (code !== 0 || filesFree === undefined) return answered({ error: 'stat failed' })
    answered({
      size: {
        size: blocks! * blockBytes!,
        free: free! * blockBytes!,
        avail: avail! * blockBytes!,
        files: files!,
        filesFree,
      },
    })
  })
  // A hung one must not keep this process from ending.
  child.unref()
  return child
}
