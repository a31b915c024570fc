import type { Readable } from 'node:stream'
import { errorMessage } from '../../lib/index.ts'
import { AlertInputs } from '../alert/alert-inputs.ts'
import type { AlertInput } from '../alert/ingest.ts'
import type { StoredAlert } from '../alert/stored-alert.ts'
import { alertInputOf, alertInputsOf, notAlerts } from './alert-input.ts'
import { AlertScanner } from './alert-scanner.ts'
import { AlertmanagerApiError, BodyTooLongError } from './answers.ts'
import { ARRAY_CLOSE, ARRAY_OPEN, COMMA, endOfObject, INCOMPLETE, skipSpace, UNUSUAL } from './json-scan.ts'

/** Reads lists of alerts while they arrive: others have their turns between the chunks of a long one. */
export class AlertBodyReader {
  readonly #scanner: AlertScanner

  /** @param candidate an alert that is known, by the upper half of its fingerprint */
  constructor(candidate: (highHalf: number) => StoredAlert | undefined) {
    this.#scanner = new AlertScanner(candidate)
  }

  /**
   * @param bytesMax longest body; the rest of a longer one is not read
   * @throws {AlertmanagerApiError} and takes nothing, when anything is wrong with it
   */
  read(body: Readable, bytesMax: number): Promise<Iterable<AlertInput>> {
    const items = new AlertItems(this.#scanner)
    let kept: Buffer[] | undefined = []
    let length = 0
    const inputs = (): Iterable<AlertInput> => {
      try {
        return items.finish()
      } catch (error) {
        if (kept === undefined) throw error
        return alertInputsOf(Buffer.concat(kept).toString())
      }
    }
    return new Promise((resolve, reject) => {
      body.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > bytesMax) {
          body.pause()
          reject(new BodyTooLongError())
          return
        }
        items.take(chunk)
        if (length > KEPT_BYTES_MAX && items.isArray) kept = undefined
        kept?.push(chunk)
      })
      body.on('error', (cause) => reject(Object.assign(cause, { statusCode: 400 })))
      body.on('end', () => {
        try {
          resolve(inputs())
        } catch (error) {
          reject(error as Error)
        }
      })
    })
  }
}

/** What is wrong with shorter bodies is told in the words of a parser that has seen them whole. */
const KEPT_BYTES_MAX = 128 * 1024

/** Most items are shorter. */
const HEAD_BYTES = 4096

type Expected = 'array' | 'item or end' | 'item' | 'comma or end' | 'nothing'

/** The alerts of a JSON array that comes in chunks. */
class AlertItems {
  readonly #scanner: AlertScanner
  readonly #inputs = new AlertInputs()
  #count = 0
  #expected: Expected = 'array'
  /** Why it is no JSON, or no list. */
  #fault: AlertmanagerApiError | undefined
  /** What is wrong with the first item that is JSON but no alert. */
  #itemFault: AlertmanagerApiError | undefined
  /** What has come and has not been taken: first the beginning of an item. */
  #pending: Buffer[] = []
  #pendingBytes = 0
  /** So many are worth a look. */
  #wantedBytes = 0

  constructor(scanner: AlertScanner) {
    this.#scanner = scanner
  }

  get isArray(): boolean {
    return this.#expected !== 'array' && this.#fault === undefined
  }

  take(chunk: Buffer): void {
    if (this.#fault) return
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    if (this.#pendingBytes >= this.#wantedBytes) this.#look()
  }

  /** All of them. @throws {AlertmanagerApiError} */
  finish(): AlertInputs {
    if (this.#pendingBytes > 0) this.#look()
    if (!this.#fault && this.#expected !== 'nothing') this.#fault = notAlerts('the list does not end')
    const fault = this.#fault ?? this.#itemFault
    if (fault) throw fault
    return this.#inputs
  }

  #look(): void {
    const bytes = this.#joined()
    const rest = bytes.subarray(this.#takeFrom(bytes))
    this.#pending = rest.length > 0 ? [rest] : []
    this.#pendingBytes = rest.length
    // A very long item is not looked at anew with each chunk.
    this.#wantedBytes = 2 * rest.length
  }

  /** What is pending, as one. */
  #joined(): Buffer {
    const [begin, chunk, ...more] = this.#pending
    if (chunk === undefined) return begin!
    if (more.length > 0 || chunk.length <= HEAD_BYTES) return Buffer.concat(this.#pending)
    // The usual case: an item that the end of a chunk has cut. Only its other part is copied, not the chunk.
    const end = this.#takeFrom(Buffer.concat([begin!, chunk.subarray(0, HEAD_BYTES)]))
    return end < begin!.length ? Buffer.concat([begin!.subarray(end), chunk]) : chunk.subarray(end - begin!.length)
  }

  /** @returns where the first item begins that is not whole */
  #takeFrom(bytes: Buffer): number {
    let pos = skipSpace(bytes, 0)
    while (pos < bytes.length) {
      const end = this.#step(bytes, pos)
      if (this.#fault) return bytes.length
      if (end === INCOMPLETE) return pos
      pos = skipSpace(bytes, end)
    }
    return pos
  }

  #step(bytes: Buffer, pos: number): number {
    const code = bytes[pos]!
    switch (this.#expected) {
      case 'array':
        this.#expected = 'item or end'
        return code === ARRAY_OPEN ? pos + 1 : this.#fail('expected a list of alerts')
      case 'comma or end':
        this.#expected = code === COMMA ? 'item' : 'nothing'
        if (code === COMMA || code === ARRAY_CLOSE) return pos + 1
        return this.#fail(`neither a comma nor the end of the list follows item ${this.#count - 1}`)
      case 'item or end':
        if (code !== ARRAY_CLOSE) return this.#item(bytes, pos)
        this.#expected = 'nothing'
        return pos + 1
      case 'item':
        return this.#item(bytes, pos)
      case 'nothing':
        return this.#fail('something follows the list')
    }
  }

  #fail(why: string): number {
    this.#fault = notAlerts(why)
    return UNUSUAL
  }

  #item(bytes: Buffer, pos: number): number {
    let end = this.#scanner.scan(bytes, pos, this.#inputs)
    if (end === UNUSUAL) {
      end = endOfObject(bytes, pos)
      if (end === UNUSUAL) return this.#fail(`item ${this.#count} is no object`)
      if (end >= 0) this.#parse(bytes.toString('utf8', pos, end))
    }
    if (end < 0) return end
    this.#count++
    this.#expected = 'comma or end'
    return end
  }

  #parse(text: string): void {
    try {
      const { startsAtMs, endsAtMs, ...texts } = alertInputOf(JSON.parse(text), this.#count)
      this.#inputs.add(texts, startsAtMs, endsAtMs)
    } catch (error) {
      if (error instanceof AlertmanagerApiError) this.#itemFault ??= error
      else this.#fail(errorMessage(error))
    }
  }
}
