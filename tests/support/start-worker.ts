import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { inject } from 'vitest'

/** In the place of that of lib/worker.ts: starts what was compiled before the tests. @throws where it was not */
export function startWorker(moduleUrl: URL, options: WorkerOptions = {}): Worker {
  const file = join(inject('compiledWorkers'), basename(moduleUrl.pathname).replace(/\.ts$/, '.js'))
  if (!existsSync(file)) throw new Error(`${moduleUrl.href} is no worker that tests/support/compiled-workers.ts finds`)
  return new Worker(file, options)
}
