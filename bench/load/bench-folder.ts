/** Folders and processes of a benchmark. They go with it, however it ends; after a kill -9 of it, with the next one. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'belltower-bench-'
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const folders = new Set<string>()
const children = new Set<ChildProcess>()
let isWatching = false

/** A folder of its own under the system's temporary one. */
export function makeBenchFolder(): string {
  watch()
  removeAbandoned()
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
  folders.add(folder)
  return folder
}

export function removeBenchFolder(folder: string): void {
  // A process that has just ended may still be seen writing.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  folders.delete(folder)
}

/** Makes sure that a child does not outlive the benchmark. */
export function endsWithBench<T extends ChildProcess>(child: T): T {
  watch()
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

function watch(): void {
  if (isWatching) return
  isWatching = true
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL')
    for (const folder of folders) removeBenchFolder(folder)
  })
  for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code))
}

/** Of benchmarks that were killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
