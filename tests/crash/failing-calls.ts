/**
 * Loaded into every thread of a process before anything else: lets the n-th call that changes files fail once, as a failing
 * disk does. The main thread is armed by a call, worker threads by the environment that they start with; those say on
 * stderr that a call has failed.
 */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import threads, { isMainThread, type WorkerOptions } from 'node:worker_threads'

const SYNC = [
  'openSync',
  'writeSync',
  'fsyncSync',
  'writeFileSync',
  'renameSync',
  'mkdirSync',
  'truncateSync',
  'linkSync',
]
const ASYNC = ['open', 'writeFile', 'rename']
const HANDLE = ['write', 'appendFile', 'datasync', 'sync']

let calls = 0
let failAt = isMainThread ? 0 : Number(process.env.FAILING_CALL ?? 0)

/** The n-th call from now on fails; 0: none does. @returns calls since the last time */
export function arm(n: number): number {
  const before = calls
  calls = 0
  failAt = n
  return before
}

function countCall(name: string): void {
  if (++calls !== failAt) return
  if (!isMainThread) process.stderr.write(`failed in a worker: ${name}\n`)
  const error = Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO', errno: -5, syscall: name })
  throw error
}

type Functions = Record<string, (...args: unknown[]) => unknown>

function patch(target: object, names: readonly string[], isAsync: boolean): void {
  const functions = target as Functions
  for (const name of names) {
    const original = functions[name]!
    functions[name] = isAsync
      ? async function (this: unknown, ...args: unknown[]) {
          countCall(name)
          return original.apply(this, args)
        }
      : function (this: unknown, ...args: unknown[]) {
          countCall(name)
          return original.apply(this, args)
        }
  }
}

const probe = join(fs.mkdtempSync(join(tmpdir(), 'belltower-')), 'probe')
const handle = await promises.open(probe, 'w')
patch(Object.getPrototypeOf(handle) as object, HANDLE, true)
await handle.close()
fs.rmSync(join(probe, '..'), { recursive: true })
if (isMainThread) {
  /** Loads this module into the thread before its own code, which comes as text where it runs from sources. */
  threads.Worker = class extends threads.Worker {
    constructor(code: string | URL, options?: WorkerOptions) {
      const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'))
      const own = JSON.stringify(import.meta.url)
      const preload = `import(${tsx}).then(({ register }) => { register(); return import(${own}) })`
      super(options?.eval === true ? `${preload}.then(() => ${String(code)})` : code, options)
    }
  }
}
patch(fs, SYNC, false)
patch(promises, ASYNC, true)
syncBuiltinESMExports()
