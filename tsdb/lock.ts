import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataFolderLockedError } from './errors.ts'
import { asReadOnlyError } from './file-errors.ts'

// It takes a few milliseconds.
const FLOCK_TIMEOUT_MS = 5000

/**
 * Marks the data folder as taken by this process, until it ends: by a lock of the kernel on the folder where there is the
 * program `flock`, which other containers see, too, and by a file that names the process; one that was left by a process that
 * no longer runs is replaced.
 *
 * @returns what releases it
 * @throws {DataFolderLockedError} @throws {DataFolderReadOnlyError}
 */
export function lockDataFolder(dataDir: string): () => void {
  const unlock = lockByKernel(dataDir)
  try {
    const file = markByName(dataDir, unlock !== undefined)
    return () => {
      try {
        rmSync(file, { force: true })
      } finally {
        unlock?.()
      }
    }
  } catch (error) {
    unlock?.()
    throw error
  }
}

/**
 * Node has no call for it: the lock that the child takes belongs to the open folder, which this process has, too.
 *
 * @returns `undefined` where that does not work: then the file alone tells
 */
function lockByKernel(dataDir: string): (() => void) | undefined {
  if (process.platform === 'win32') return undefined
  const fd = openSync(dataDir, 'r')
  const { status, stderr } = spawnSync('flock', ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    timeout: FLOCK_TIMEOUT_MS,
  })
  if (status === 0) return () => closeSync(fd)
  closeSync(fd)
  // Whatever else goes wrong has something to say, or no status.
  if (status === 1 && stderr.length === 0) throw locked(dataDir)
  return undefined
}

/** @param isLocked by the kernel: on a full disk that does */
function markByName(dataDir: string, isLocked: boolean): string {
  const file = join(dataDir, 'lock')
  const own = `${process.pid} ${startTimeOf(process.pid) ?? ''}\n`
  // Two rounds: the second after a stale mark has been removed.
  for (let round = 0; ; round++) {
    try {
      writeFileSync(file, own, { flag: 'wx' })
      return file
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (isLocked && (code === 'ENOSPC' || code === 'EDQUOT')) return file
      if (code !== 'EEXIST') throw asReadOnlyError(error, dataDir)
      if (round > 0 || isHeld(file)) throw locked(dataDir, error)
      rmSync(file, { force: true })
    }
  }
}

const locked = (dataDir: string, cause?: unknown): Error =>
  new DataFolderLockedError(
    `the data folder ${dataDir} is in use by another process (see its file "lock"): stop it, or work on a snapshot`,
    { cause },
  )

function isHeld(file: string): boolean {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return false // Gone meanwhile: the next attempt tells.
  }
  const [pidText = '', startTime = ''] = text.trim().split(' ')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 0 || !isRunning(pid)) return false
  // Process ids are used again; inside a container even at every start.
  const current = startTimeOf(pid)
  return current === undefined || startTime === '' || current === startTime
}

function isRunning(pid: number): boolean {
  // Killed, but nobody has asked how it ended: where no init does that it stays so for ever.
  if (statOf(pid)?.[0] === 'Z') return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When the process started, in the kernel's ticks; only where there is a /proc. */
const startTimeOf = (pid: number): string | undefined => statOf(pid)?.[19]

/** What the kernel tells of a process, from its state on. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
