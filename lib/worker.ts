import { Worker, type WorkerOptions } from 'node:worker_threads'
import { expectLoading } from './v8-settings.ts'

/**
 * Starts a worker thread on a module named without its extension problem: built code runs `.js` as it is; sources (tests,
 * tsx) are `.ts`, which Node 20 cannot load in a worker, so there tsx is registered first.
 *
 * @param moduleUrl absolute file URL, e.g. `new URL('./query-worker.ts', import.meta.url)`; in built code the
 *   `.ts` ending is replaced by `.js`
 */
export function startWorker(moduleUrl: URL, options: WorkerOptions = {}): Worker {
  expectLoading()
  const runsFromSource = import.meta.url.endsWith('.ts')
  if (!runsFromSource) return new Worker(new URL(moduleUrl.href.replace(/\.ts$/, '.js')), options)
  const bootstrap = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => { register(); return import(${JSON.stringify(moduleUrl.href)}) })`
  return new Worker(bootstrap, { ...options, eval: true })
}
