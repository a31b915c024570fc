// Hot: takes apart every answer to a scrape. Covered by bench/load/ingest.ts.
import { BODY_BYTES_MAX, BodyTooLargeError, HttpRequestError } from './http-client.ts'

/** Of all lines in front of the body together, and of all behind it. */
const HEAD_BYTES_MAX = 16 * 1024
const BODY_BYTES_INITIAL = 32 * 1024

const CR = 13
const LF = 10
const COLON = 58
const NO_BYTES = new Uint8Array(0)

// What the next byte belongs to.
const STATUS = 0
const HEADER = 1
const BODY_OF_LENGTH = 2
const BODY_TO_END = 3
const CHUNK_SIZE = 4
const CHUNK_DATA = 5
const CHUNK_END = 6
const TRAILER = 7
const DONE = 8

/**
 * Reads answers of HTTP/1.1 from the pieces in which a socket delivers them, one after the other. A body that arrives in one
 * piece is not copied.
 */
export class AnswerReader {
  status = 0
  /** Content-Type, Content-Encoding in lower case, Location: '' where the answer has none. */
  contentType = ''
  contentEncoding = ''
  location = ''
  /** Whether the connection may be used again after the answer. */
  keepsAlive = false
  /** Whether any byte of the answer has come. */
  hasStarted = false
  #state = DONE
  #bytesMax = BODY_BYTES_MAX
  #bytesAllowed = 0
  #isChunked = false
  /** -1 = not said. */
  #contentLength = -1
  /** Bytes still to come of the body or the chunk. */
  #left = 0
  /** Content-Type of the answer before, so that an equal one needs no text of its own. */
  #knownType = ''
  #lineBytes = 0
  /** The beginning of a line that has not ended yet. */
  #line: Uint8Array = NO_BYTES
  #lineLength = 0
  #body: Uint8Array = NO_BYTES
  #bodyLength = 0

  /** Prepares for the next answer. @param bytesMax of the body as sent; 0 = `BODY_BYTES_MAX` */
  begin(bytesMax: number): void {
    this.#bytesAllowed = bytesMax
    this.#bytesMax = bytesMax > 0 ? bytesMax : BODY_BYTES_MAX
    this.#state = STATUS
    this.hasStarted = false
    this.#lineBytes = 0
    this.#lineLength = 0
    this.#body = NO_BYTES
    this.#bodyLength = 0
    this.#forgetHead()
  }

  /** What was sent as body; a view that holds until the piece is overwritten or the next answer begins. */
  get body(): Uint8Array {
    return this.#bodyLength === this.#body.length ? this.#body : this.#body.subarray(0, this.#bodyLength)
  }

  /** Lets go of the body. */
  release(): void {
    this.#body = NO_BYTES
    this.#bodyLength = 0
  }

  /**
   * @param piece whose first `length` bytes have arrived
   * @returns true when the answer is complete
   * @throws {HttpRequestError} for what is no HTTP @throws {BodyTooLargeError}
   */
  read(piece: Uint8Array, length: number): boolean {
    if (length > 0) this.hasStarted = true
    let at = 0
    while (at < length && this.#state !== DONE) {
      switch (this.#state) {
        case BODY_OF_LENGTH:
        case CHUNK_DATA:
        case BODY_TO_END:
          at = this.#readBody(piece, at, length)
          break
        default:
          at = this.#readLine(piece, at, length)
      }
    }
    // Bytes that nobody asked for: what follows them cannot be trusted.
    if (at < length) this.keepsAlive = false
    return this.#state === DONE
  }

  /** The other side has ended the connection. @returns true when that completes the answer */
  end(): boolean {
    if (this.#state !== BODY_TO_END) return false
    this.#state = DONE
    return true
  }

  #readBody(piece: Uint8Array, at: number, length: number): number {
    const taken = this.#state === BODY_TO_END ? length - at : Math.min(this.#left, length - at)
    if (this.#bodyLength + taken > this.#bytesMax) throw new BodyTooLargeError(this.#bytesAllowed)
    if (this.#state === BODY_OF_LENGTH && this.#bodyLength === 0 && taken === this.#left) {
      this.#body = piece.subarray(at, at + taken)
      this.#bodyLength = taken
    } else {
      this.#append(piece, at, taken)
    }
    this.#left -= taken
    if (this.#left === 0 && this.#state !== BODY_TO_END) this.#state = this.#state === CHUNK_DATA ? CHUNK_END : DONE
    return at + taken
  }

  #append(piece: Uint8Array, at: number, count: number): void {
    const needed = this.#bodyLength + count
    if (needed > this.#body.length) {
      // A length that is only promised reserves nothing beyond this.
      const expected = this.#state === BODY_OF_LENGTH ? Math.min(this.#contentLength, 1 << 20) : BODY_BYTES_INITIAL
      const grown = new Uint8Array(Math.max(needed, expected, this.#body.length * 2))
      grown.set(this.#body.subarray(0, this.#bodyLength))
      this.#body = grown
    }
    this.#body.set(piece.subarray(at, at + count), this.#bodyLength)
    this.#bodyLength = needed
  }

  #readLine(piece: Uint8Array, from: number, length: number): number {
    let end = from
    while (end < length && piece[end] !== LF) end++
    this.#lineBytes += end - from + 1
    if (this.#lineBytes > HEAD_BYTES_MAX) throw malformed('its head is too long')
    if (end === length || this.#lineLength > 0) {
      this.#holdLine(piece, from, end)
      if (end === length) return length
      const held = this.#lineLength
      this.#lineLength = 0
      this.#takeLine(this.#line, 0, held)
    } else {
      this.#takeLine(piece, from, end)
    }
    return end + 1
  }

  #holdLine(piece: Uint8Array, from: number, end: number): void {
    const needed = this.#lineLength + end - from
    if (needed > this.#line.length) {
      const grown = new Uint8Array(Math.max(256, needed * 2))
      grown.set(this.#line.subarray(0, this.#lineLength))
      this.#line = grown
    }
    this.#line.set(piece.subarray(from, end), this.#lineLength)
    this.#lineLength = needed
  }

  #takeLine(bytes: Uint8Array, from: number, lineEnd: number): void {
    const end = lineEnd > from && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd
    switch (this.#state) {
      case STATUS:
        return this.#takeStatus(bytes, from, end)
      case HEADER:
        return end === from ? this.#takeHead() : this.#takeHeader(bytes, from, end)
      case CHUNK_SIZE:
        return this.#takeChunkSize(bytes, from, end)
      case CHUNK_END:
        if (end !== from) throw malformed('a chunk is longer than it says')
        this.#state = CHUNK_SIZE
        return
      default:
        // Headers behind the body say nothing about it.
        if (end === from) this.#state = DONE
    }
  }

  #takeStatus(bytes: Uint8Array, from: number, end: number): void {
    const minor = isVersion1(bytes, from, end) ? bytes[from + 7]! - 48 : -1
    const status = minor >= 0 ? digits(bytes, from + 9, Math.min(end, from + 12)) : -1
    const isEnded = end === from + 12 || bytes[from + 12] === 32
    if (minor > 9 || status < 100 || !isEnded) throw malformed('it does not begin with a status line')
    this.status = status
    this.keepsAlive = minor > 0
    this.#state = HEADER
  }

  #takeHeader(bytes: Uint8Array, from: number, end: number): void {
    let colon = from
    while (colon < end && bytes[colon] !== COLON) colon++
    if (colon === from || colon === end || isBlank(bytes[from]!)) throw malformed('a header has no name')
    let start = colon + 1
    while (start < end && isBlank(bytes[start]!)) start++
    while (end > start && isBlank(bytes[end - 1]!)) end--
    switch (colon - from) {
      case 8:
        if (isName(bytes, from, 'location')) this.location = latin1(bytes, start, end)
        break
      case 10:
        if (isName(bytes, from, 'connection')) this.#takeConnection(bytes, start, end)
        break
      case 12:
        if (isName(bytes, from, 'content-type')) this.#takeContentType(bytes, start, end)
        break
      case 14:
        if (isName(bytes, from, 'content-length')) this.#takeContentLength(bytes, start, end)
        break
      case 16:
        if (isName(bytes, from, 'content-encoding')) this.#takeEncoding(bytes, start, end)
        break
      case 17:
        if (isName(bytes, from, 'transfer-encoding')) this.#takeTransferEncoding(latin1(bytes, start, end))
        break
    }
  }

  #takeConnection(bytes: Uint8Array, start: number, end: number): void {
    if (end - start === 10 && isName(bytes, start, 'keep-alive')) {
      this.keepsAlive = true
      return
    }
    const options = latin1(bytes, start, end).toLowerCase().split(',')
    if (options.some((option) => option.trim() === 'close')) this.keepsAlive = false
    else if (options.some((option) => option.trim() === 'keep-alive')) this.keepsAlive = true
  }

  #takeContentLength(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start > 15 ? -1 : digits(bytes, start, end)
    if (length < 0 || (this.#contentLength >= 0 && this.#contentLength !== length)) {
      throw malformed('its Content-Length is no length')
    }
    this.#contentLength = length
  }

  #takeEncoding(bytes: Uint8Array, start: number, end: number): void {
    const value = end - start === 4 && isName(bytes, start, 'gzip') ? 'gzip' : latin1(bytes, start, end).toLowerCase()
    this.contentEncoding = this.contentEncoding === '' ? value : `${this.contentEncoding},${value}`
  }

  #takeTransferEncoding(value: string): void {
    if (value.toLowerCase() !== 'chunked' || this.#isChunked) throw malformed('its Transfer-Encoding is not known')
    this.#isChunked = true
  }

  /** The empty line has come. */
  #takeHead(): void {
    if (this.status < 200) {
      // Word from on the way; the answer itself follows.
      if (this.status === 101) throw malformed('it changes the protocol')
      this.#forgetHead()
      this.#state = STATUS
      return
    }
    if (this.status === 204 || this.status === 304) this.#state = DONE
    else if (this.#isChunked) {
      // Two statements about the end: the one that counts is clear, what comes after it is not.
      if (this.#contentLength >= 0) this.keepsAlive = false
      this.#lineBytes = 0
      this.#state = CHUNK_SIZE
    } else if (this.#contentLength >= 0) {
      if (this.#contentLength > this.#bytesMax) throw new BodyTooLargeError(this.#bytesAllowed)
      this.#left = this.#contentLength
      this.#state = this.#left === 0 ? DONE : BODY_OF_LENGTH
    } else {
      this.keepsAlive = false
      this.#state = BODY_TO_END
    }
  }

  #takeChunkSize(bytes: Uint8Array, from: number, end: number): void {
    let size = 0
    let at = from
    for (; at < end; at++) {
      const digit = hexDigit(bytes[at]!)
      if (digit < 0) break
      size = size * 16 + digit
      if (size > this.#bytesMax) throw new BodyTooLargeError(this.#bytesAllowed)
    }
    const behind = bytes[at]!
    if (at === from || (at < end && behind !== 59 && !isBlank(behind))) throw malformed('a chunk has no size')
    this.#lineBytes = 0
    this.#left = size
    this.#state = size === 0 ? TRAILER : CHUNK_DATA
  }

  #forgetHead(): void {
    this.contentEncoding = ''
    this.location = ''
    this.#isChunked = false
    this.#contentLength = -1
    this.contentType = ''
  }

  #takeContentType(bytes: Uint8Array, start: number, end: number): void {
    const known = this.#knownType
    let same = known.length === end - start
    for (let i = 0; same && i < known.length; i++) same = bytes[start + i] === known.charCodeAt(i)
    this.contentType = same ? known : latin1(bytes, start, end)
    this.#knownType = this.contentType
  }
}

const malformed = (why: string): HttpRequestError => new HttpRequestError(`malformed HTTP answer: ${why}`, false)

const isBlank = (byte: number): boolean => byte === 32 || byte === 9

function isVersion1(bytes: Uint8Array, from: number, end: number): boolean {
  // "HTTP/1.x 200"
  if (end - from < 12 || bytes[from + 8] !== 32) return false
  for (let i = 0; i < 7; i++) if (bytes[from + i] !== 'HTTP/1.'.charCodeAt(i)) return false
  return true
}

/** @param name in lower case; letters and hyphens only, of which the bit for lower case is always set */
function isName(bytes: Uint8Array, from: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[from + i]! | 32) !== name.charCodeAt(i)) return false
  return true
}

/** -1 for anything but digits. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
