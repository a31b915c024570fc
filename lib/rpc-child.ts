// The other thread of rpc.test.ts.
import { parentPort } from 'node:worker_threads'
import { AppError } from './errors.ts'
import { serveRpc, Transfer } from './rpc.ts'

class ChildError extends AppError {
  override readonly code: string = 'ERR_CHILD'
  override readonly httpStatus = 418
}

serveRpc(parentPort!, {
  async echo({ text, delayMs }: { text: string; delayMs: number }) {
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    return text
  },
  bytes(length: number) {
    const value = new Uint8Array(length).fill(7)
    return new Transfer(value, [value.buffer])
  },
  fail() {
    throw new ChildError('broken')
  },
  die() {
    process.exit(3)
  },
})
