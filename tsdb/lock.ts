import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataFolderLockedError } from './errors.ts'

/**
 * Marks the data folder as taken by this process; a mark left by a process that no longer runs is replaced.
 *
 * @returns what releases it
 * @throws {DataFolderLockedError}
 */
export function lockDataFolder(dataDir: string): () => void {
  const file = join(dataDir, 'lock')
  const own = `${process.pid} ${startTimeOf(process.pid) ?? ''}\n`
  // Two rounds: the second after a stale mark has been removed.
  for (let round = 0; ; round++) {
    try {
      writeFileSync(file, own, { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || round > 0) throw locked(dataDir, error)
      if (isHeld(file)) throw locked(dataDir, error)
      rmSync(file, { force: true })
    }
  }
}

function locked(dataDir: string, cause: unknown): Error {
  if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') return cause as Error
  return new DataFolderLockedError(`the data folder ${dataDir} is in use by another process (see its file "lock")`, {
    cause,
  })
}

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
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When the process started, in the kernel's ticks; only where there is a /proc. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold spaces; 20 fields follow it up to the start time.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
