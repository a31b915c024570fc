import { MessageChannel } from 'node:worker_threads'

const BYTES_MIN = 1 << 20

// Nobody is at the other end: what is sent there is gone.
const { port1: nowhere, port2: otherEnd } = new MessageChannel()
otherEnd.close()
nowhere.unref()

/**
 * Gives the memory of a large buffer back at once; nobody may look at it any more. Otherwise it would stay until the next
 * collection of garbage, and a few such answers bring about a full one, which stops this thread for as long as scrapes can wait.
 */
export function freeBuffer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= BYTES_MIN) nowhere.postMessage(undefined, [buffer])
}
