import type { ServerResponse } from 'node:http'
import { MessageChannel } from 'node:worker_threads'
import type { JsonAnswer } from '../query/answer-memory.ts'

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

/** Gives an answer's memory back once nobody reads it any more. */
export function freeWhenSent(response: ServerResponse, { body, release }: JsonAnswer): void {
  if (release !== undefined) releaseWhenSent(response, release)
  // Finished means that the kernel has taken all of it.
  else response.once('finish', () => freeBuffer(body))
}

/** Calls back when the kernel has taken all of an answer, or when the connection is gone. */
export function releaseWhenSent(response: ServerResponse, release: () => void): void {
  if (response.closed) release()
  else response.once('close', release)
}
