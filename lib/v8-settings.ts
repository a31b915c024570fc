import { setFlagsFromString } from 'node:v8'
import { measureMemory } from 'node:vm'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

// All threads have it under this name; so has scripts/load-bundle.cjs.
const NAME = 'belltower:v8-settings'
// In which a thread starts and loads its code, and the program all of its own.
const LOADING_MS = 1000

interface V8Settings {
  /** Flags as they are wanted, and as they are by default. */
  readonly wanted: readonly string[]
  readonly usual: readonly string[]
  /** One word that all threads share: not 0 while code is being loaded. */
  readonly isLoading: Int32Array
}

let timer: NodeJS.Timeout | undefined

/**
 * Sets flags of V8, for all threads, as soon as the program has been loaded. Not before: V8 takes what was compiled earlier,
 * Node's own modules first of all, only under the flags that it was compiled with.
 *
 * @param flags each as it is wanted, and as it is by default
 */
export function useV8Settings(flags: readonly (readonly [wanted: string, usual: string])[]): void {
  const settings: V8Settings = {
    wanted: flags.map(([wanted]) => wanted),
    usual: flags.map(([, usual]) => usual),
    isLoading: new Int32Array(new SharedArrayBuffer(4)),
  }
  setEnvironmentData(NAME, settings as unknown as Parameters<typeof setEnvironmentData>[1])
  expectLoading()
}

/** A thread is about to start: for a while the flags are what they are by default, if the program has others. */
export function expectLoading(): void {
  const settings = getEnvironmentData(NAME) as unknown as V8Settings | undefined
  if (settings === undefined) return
  const { wanted, usual, isLoading } = settings
  Atomics.store(isLoading, 0, 1)
  setAll(usual)
  timer ??= setTimeout(() => {
    Atomics.store(isLoading, 0, 0)
    setAll(wanted)
  }, LOADING_MS).unref()
  timer.refresh()
}

function setAll(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag)
}

/**
 * Has V8 collect the whole heap of this thread, in small steps beside its work. By itself it does so when the heap has grown
 * by some megabytes, which after a start may take minutes.
 */
export function collectInSteps(): void {
  const { emitWarning } = process
  // What is measured meanwhile, by a function that Node calls experimental, is of no interest.
  process.emitWarning = () => undefined
  try {
    measureMemory({ mode: 'summary', execution: 'eager' }).catch(() => undefined)
  } finally {
    process.emitWarning = emitWarning
  }
}
