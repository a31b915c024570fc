/** Puts something around calls to the file system, in every thread of a process that loads it before anything else. */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import threads, { isMainThread, type WorkerOptions } from 'node:worker_threads'

export interface CallNames {
  /** Of `node:fs`. */
  readonly sync: readonly string[]
  /** Of `node:fs/promises`. */
  readonly async: readonly string[]
  /** Of its file handles. */
  readonly handle: readonly string[]
}

export interface Call {
  readonly name: string
  /** The file handle, of those calls. */
  readonly self: unknown
  readonly args: readonly unknown[]
}

/** May throw in the place of the call; what it returns is called when that has succeeded. */
export type BeforeCall = (call: Call) => ((result: unknown) => void) | undefined

type Functions = Record<string, (...args: unknown[]) => unknown>

/** @param ownUrl module that worker threads load first, too */
export async function patchCalls(names: CallNames, before: BeforeCall, ownUrl: string): Promise<void> {
  const probe = join(fs.mkdtempSync(join(tmpdir(), 'belltower-')), 'probe')
  const handle = await promises.open(probe, 'w')
  patchAsync(Object.getPrototypeOf(handle) as object, names.handle, before)
  await handle.close()
  fs.rmSync(join(probe, '..'), { recursive: true })
  if (isMainThread) loadInWorkers(ownUrl)
  patchAsync(promises, names.async, before)
  const functions = fs as unknown as Functions
  for (const name of names.sync) {
    const original = functions[name]!
    functions[name] = function (this: unknown, ...args: unknown[]) {
      const after = before({ name, self: this, args })
      const result = original.apply(this, args)
      after?.(result)
      return result
    }
  }
  syncBuiltinESMExports()
}

function patchAsync(target: object, names: readonly string[], before: BeforeCall): void {
  const functions = target as Functions
  for (const name of names) {
    const original = functions[name]!
    functions[name] = async function (this: unknown, ...args: unknown[]) {
      const after = before({ name, self: this, args })
      const result = await original.apply(this, args)
      after?.(result)
      return result
    }
  }
}

/** Loads a module into each thread before its own code, which comes as text where it runs from sources. */
function loadInWorkers(moduleUrl: string): void {
  threads.Worker = class extends threads.Worker {
    constructor(code: string | URL, options?: WorkerOptions) {
      const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'))
      const preload = `import(${tsx}).then(({ register }) => { register(); return import(${JSON.stringify(moduleUrl)}) })`
      super(options?.eval === true ? `${preload}.then(() => ${String(code)})` : code, options)
    }
  }
}
