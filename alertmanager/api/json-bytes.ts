// Hot: answers of a hundred thousand alerts are written here. Covered by bench/load/alerts.ts.
import { Readable } from 'node:stream'
import { Turns } from '../../lib/index.ts'
import { IS_PLAIN, QUOTE } from './json-scan.ts'

const PIECE_BYTES = 128 * 1024
/** Up to so many bytes a body is sent in one go. */
const WHOLE_BYTES_MAX = 256 * 1024

/** JSON that is written straight into bytes. Whoever writes looks now and then whether a piece is ready, and takes it. */
export class JsonBytes {
  #bytes = Buffer.allocUnsafeSlow(PIECE_BYTES)
  #length = 0

  get isPieceReady(): boolean {
    return this.#length >= PIECE_BYTES / 2
  }

  /** What has been written since the last call; the caller's own. */
  take(): Buffer {
    const piece = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.allocUnsafeSlow(PIECE_BYTES)
    this.#length = 0
    return piece
  }

  /** What is JSON already. */
  json(json: string): void {
    this.#reserve(json.length)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = 0; i < json.length; i++) {
      const code = json.charCodeAt(i)
      if (code > 0x7e) return this.#anyJson(json)
      bytes[at++] = code
    }
    this.#length = at
  }

  /** What is the JSON of many alerts, as bytes. */
  part(json: Uint8Array): void {
    this.#reserve(json.length)
    this.#bytes.set(json, this.#length)
    this.#length += json.length
  }

  /** Any text, in quotes. */
  text(text: string): void {
    this.#reserve(text.length + 2)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (IS_PLAIN[code] === 0) return this.#anyJson(JSON.stringify(text))
      bytes[at++] = code
    }
    bytes[at++] = QUOTE
    this.#length = at
  }

  #anyJson(json: string): void {
    this.#reserve(3 * json.length)
    this.#length += this.#bytes.write(json, this.#length)
  }

  #reserve(byteCount: number): void {
    if (this.#length + byteCount <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + byteCount))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

/**
 * A body to send: the bytes themselves where they are few, else a stream of them. Others have their turns meanwhile.
 *
 * @param pieces `undefined` = others may have a turn
 */
export async function bodyOfBytes(pieces: Iterator<Buffer | undefined>): Promise<Buffer | Readable> {
  const turns = new Turns()
  const begin: Buffer[] = []
  for (let length = 0; length <= WHOLE_BYTES_MAX; ) {
    const next = pieces.next()
    if (next.done === true) return begin.length === 1 ? begin[0]! : Buffer.concat(begin)
    if (next.value !== undefined) {
      begin.push(next.value)
      length += next.value.length
    }
    if (turns.isOver) await turns.next()
  }
  return Readable.from(inTurns(begin, pieces), { objectMode: false })
}

async function* inTurns(begin: readonly Buffer[], rest: Iterator<Buffer | undefined>): AsyncGenerator<Buffer> {
  const turns = new Turns()
  yield* begin
  for (let next = rest.next(); next.done !== true; next = rest.next()) {
    if (next.value !== undefined) yield next.value
    if (turns.isOver) await turns.next()
  }
}
