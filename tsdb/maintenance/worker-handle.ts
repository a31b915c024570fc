import type { Worker } from 'node:worker_threads'
import { type Logger, RpcClient, startWorker } from '../../lib/index.ts'
import { StoreClosedError } from '../errors.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { Root } from '../memory/layout.ts'
import type { MaintenanceData } from './protocol.ts'

/**
 * The maintenance worker as the main thread sees it. It is started when it is first asked. One that dies is replaced; what
 * it was asked fails, to be tried again.
 */
export class WorkerHandle {
  readonly #memory: HeadMemory
  readonly #slot: number
  readonly #logger: Logger
  #running: { readonly worker: Worker; readonly rpc: RpcClient } | undefined
  #callCount = 0
  #isClosed = false

  constructor(memory: HeadMemory, slot: number, logger: Logger) {
    this.#memory = memory
    this.#slot = slot
    this.#logger = logger
  }

  /** Only a call under way keeps the process from ending. */
  async call<T>(method: string, params: unknown): Promise<T> {
    if (this.#isClosed) throw new StoreClosedError('the store is closed')
    const { worker, rpc } = (this.#running ??= this.#start())
    if (this.#callCount++ === 0) worker.ref()
    try {
      return await rpc.call<T>(method, params)
    } finally {
      if (--this.#callCount === 0) worker.unref()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running?.worker.terminate()
  }

  #start(): { readonly worker: Worker; readonly rpc: RpcClient } {
    const workerData: MaintenanceData = { memory: this.#memory.memory, slot: this.#slot }
    const worker = startWorker(new URL('./maintenance-worker.ts', import.meta.url), { workerData })
    worker.unref()
    worker.on('exit', (exitCode) => {
      if (this.#isClosed) return
      this.#logger.error({ exitCode }, 'maintenance worker died, another one is started')
      this.#memory.setRoot(Root.READER_SLOTS + this.#slot, 0)
      this.#running = this.#start()
    })
    return { worker, rpc: new RpcClient(worker) }
  }
}
