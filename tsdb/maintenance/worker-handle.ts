import type { Worker } from 'node:worker_threads'
import { type Logger, RpcClient, startWorker } from '../../lib/index.ts'
import { StoreClosedError } from '../errors.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { Root } from '../memory/layout.ts'
import type { MaintenanceData } from './protocol.ts'

// Work comes in waves, up to half an hour apart: a worker that waits for the next holds ten megabytes, starting one takes 60 ms
// of CPU. Real time, whatever the clock of the store says.
const IDLE_MS_MAX = 60_000

/**
 * The maintenance worker as the main thread sees it. It is started when it is asked and ended when it has had nothing to do
 * for a while. One that dies is replaced; what it was asked fails, to be tried again.
 */
export class WorkerHandle {
  readonly #memory: HeadMemory
  readonly #slot: number
  readonly #logger: Logger
  readonly #idleMsMax: number
  #running: { readonly worker: Worker; readonly rpc: RpcClient } | undefined
  #callCount = 0
  #idleTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(memory: HeadMemory, slot: number, logger: Logger, idleMsMax = IDLE_MS_MAX) {
    this.#memory = memory
    this.#slot = slot
    this.#logger = logger
    this.#idleMsMax = idleMsMax
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Only a call under way keeps the process from ending. */
  async call<T>(method: string, params: unknown): Promise<T> {
    if (this.#isClosed) throw new StoreClosedError('the store is closed')
    const { worker, rpc } = (this.#running ??= this.#start())
    if (this.#callCount++ === 0) worker.ref()
    clearTimeout(this.#idleTimer)
    try {
      return await rpc.call<T>(method, params)
    } finally {
      if (--this.#callCount === 0) {
        worker.unref()
        this.#idleTimer = setTimeout(() => this.#end(), this.#idleMsMax).unref()
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idleTimer)
    await this.#running?.worker.terminate()
  }

  #end(): void {
    const ended = this.#running
    this.#running = undefined
    void ended?.worker.terminate()
  }

  #start(): { readonly worker: Worker; readonly rpc: RpcClient } {
    const workerData: MaintenanceData = { memory: this.#memory.memory, slot: this.#slot }
    const worker = startWorker(new URL('./maintenance-worker.ts', import.meta.url), { workerData })
    worker.unref()
    worker.on('exit', (exitCode) => {
      if (this.#isClosed || this.#running?.worker !== worker) return
      this.#logger.error({ exitCode }, 'maintenance worker died, another one is started')
      this.#memory.setRoot(Root.READER_SLOTS + this.#slot, 0)
      this.#running = this.#start()
    })
    return { worker, rpc: new RpcClient(worker) }
  }
}
