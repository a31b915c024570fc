/**
 * Loaded into every thread of a process before anything else: lets the n-th call that changes files fail once, as a failing
 * disk does, or all of them while a disk is full. The main thread is armed by a call, worker threads by the environment that
 * they start with; those leave word of the call that failed in the file that the environment names.
 */
import fs from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { type CallNames, patchCalls } from './patched-calls.ts'

const CALLS: CallNames = {
  sync: [
    'openSync',
    'writeSync',
    'fsyncSync',
    'writeFileSync',
    'renameSync',
    'mkdirSync',
    'truncateSync',
    'linkSync',
    'rmSync',
    'copyFileSync',
    'cpSync',
    'appendFileSync',
  ],
  async: ['open', 'writeFile', 'rename'],
  handle: ['write', 'appendFile', 'datasync', 'sync', 'truncate', 'close'],
}
// Removing and renaming work on a full disk, and what was written before can be synced.
const NEED_SPACE = /^(?:write|mkdir|copy|cp|append|link)/

// As they were before the patches.
const { appendFileSync, existsSync } = fs

let calls = 0
let failAt = isMainThread ? 0 : Number(process.env.FAILING_CALL ?? 0)
const fullMark = process.env.FULL_DISK

/** The n-th call from now on fails; 0: none does. @returns calls since the last time, the failed one included */
export function arm(n: number): number {
  const before = calls
  calls = 0
  failAt = n
  return before
}

function failure(code: string, errno: number, what: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${what}, ${syscall}`), { code, errno, syscall })
}

await patchCalls(
  CALLS,
  ({ name }) => {
    // A mark that every thread sees: while it is there the disk is full.
    if (fullMark !== undefined && NEED_SPACE.test(name) && existsSync(fullMark)) {
      throw failure('ENOSPC', -28, 'no space left on device', name)
    }
    if (++calls !== failAt) return undefined
    if (!isMainThread) appendFileSync(process.env.FAILED_CALLS!, `${name}\n`)
    throw failure('EIO', -5, 'i/o error', name)
  },
  import.meta.url,
)
