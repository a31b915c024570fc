import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { startWorker } from '../../lib/worker.ts'
import type { WorkerSetup } from './query-worker.ts'

/** What a query worker is started with. */
export interface WaitingData {
  /** One shared word; not 0 = the setup has been sent. */
  readonly isSent: Int32Array
  readonly port: MessagePort
}

/** A query worker that has been told nothing yet: it loads its code meanwhile, then waits. */
export interface WaitingWorker {
  readonly worker: Worker
  /** Call it once. */
  setUp(setup: WorkerSetup): void
}

export function startQueryWorker(): WaitingWorker {
  const isSent = new Int32Array(new SharedArrayBuffer(4))
  const { port1, port2 } = new MessageChannel()
  const workerData: WaitingData = { isSent, port: port2 }
  const worker = startWorker(new URL('./query-worker.ts', import.meta.url), { workerData, transferList: [port2] })
  worker.unref()
  return {
    worker,
    setUp(setup) {
      port1.postMessage(setup)
      Atomics.store(isSent, 0, 1)
      Atomics.notify(isSent, 0)
    },
  }
}

/** The worker's side. */
export function awaitSetup({ isSent, port }: WaitingData): WorkerSetup {
  Atomics.wait(isSent, 0, 0)
  const { message } = receiveMessageOnPort(port) as { message: WorkerSetup }
  port.close()
  return message
}
