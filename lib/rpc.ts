import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads'
import { AppError } from './errors.ts'

/** An `AppError` that was thrown in another thread: same message, code and status. */
export class RemoteError extends AppError {
  override readonly code: string
  override readonly httpStatus: number

  constructor(failure: Failure) {
    super(failure.message)
    this.code = failure.code
    this.httpStatus = failure.httpStatus
    if (failure.stack !== undefined) this.stack = failure.stack
  }
}

/** The worker died with calls under way. */
export class WorkerLostError extends AppError {
  override readonly code = 'ERR_WORKER_LOST'
  override readonly httpStatus = 503
}

interface Failure {
  readonly message: string
  readonly code: string
  readonly httpStatus: number
  readonly stack?: string
}

interface Call {
  readonly id: number
  readonly method: string
  readonly params: unknown
}

type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failure: Failure }

/** A value whose buffers move to the caller instead of being copied. */
export class Transfer<T> {
  readonly value: T
  readonly list: readonly TransferListItem[]

  constructor(value: T, list: readonly TransferListItem[]) {
    this.value = value
    this.list = list
  }
}

/** Calls functions in another thread. Arguments and results are structured clones; several calls may be under way. */
export class RpcClient {
  readonly #worker: Worker
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #nextId = 1

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (answer: Answer) => this.#settle(answer))
    worker.on('error', (error) =>
      this.#failAll(new WorkerLostError(`worker failed: ${error.message}`, { cause: error })),
    )
    worker.on('exit', () => this.#failAll(new WorkerLostError('worker exited')))
  }

  /** @throws {RemoteError} what the function threw @throws {WorkerLostError} */
  call<T>(method: string, params: unknown, transfer: readonly TransferListItem[] = []): Promise<T> {
    const id = this.#nextId++
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#worker.postMessage({ id, method, params } satisfies Call, transfer)
    })
  }

  #settle(answer: Answer): void {
    const waiting = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if ('failure' in answer) waiting?.reject(new RemoteError(answer.failure))
    else waiting?.resolve(answer.value)
  }

  #failAll(error: Error): void {
    for (const waiting of this.#pending.values()) waiting.reject(error)
    this.#pending.clear()
  }
}

/** Answers calls that arrive at `port` with the functions of `handlers`. */
export function serveRpc(port: MessagePort, handlers: Readonly<Record<string, (params: never) => unknown>>): void {
  const answer = async (call: Call): Promise<void> => {
    try {
      const handler = handlers[call.method]
      if (!handler) throw new Error(`unknown method ${call.method}`)
      const result = await handler(call.params as never)
      if (result instanceof Transfer) port.postMessage({ id: call.id, value: result.value }, result.list)
      else port.postMessage({ id: call.id, value: result })
    } catch (error) {
      port.postMessage({ id: call.id, failure: toFailure(error) })
    }
  }
  port.on('message', (call: Call) => void answer(call))
}

function toFailure(error: unknown): Failure {
  if (error instanceof AppError) return { message: error.message, code: error.code, httpStatus: error.httpStatus }
  const stack = error instanceof Error ? error.stack : undefined
  const message = error instanceof Error ? error.message : String(error)
  return { message, code: 'ERR_INTERNAL', httpStatus: 500, ...(stack === undefined ? {} : { stack }) }
}
