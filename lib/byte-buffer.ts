const encoder = new TextEncoder()

/** Bytes that grow at the end. `bytes` is replaced when it grows, so read it anew after `reserve`. */
export class ByteBuffer {
  bytes: Uint8Array
  length = 0
  readonly #given: Uint8Array | undefined

  /** @param given to be written into as far as it goes */
  constructor(capacity: number, given?: Uint8Array) {
    this.#given = given
    this.bytes = given ?? new Uint8Array(capacity)
  }

  /** Whether all of it is in what was given. */
  get isInRoom(): boolean {
    return this.bytes === this.#given
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  /** Text that needs no escapes and has only ASCII characters. */
  ascii(text: string): void {
    this.reserve(text.length)
    const { bytes } = this
    let at = this.length
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.length = at
  }

  /** Any text, as it is. */
  utf8(text: string): void {
    this.reserve(text.length * 3)
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written
  }

  /** A JSON string, quotes included; `<>&` as they are. Escapes as Prometheus' label writer: `\n \r \t \" \\`, else `\u001f`. */
  jsonString(text: string): void {
    // Three bytes are the most that a UTF-16 unit takes in UTF-8.
    this.reserve(text.length * 3 + 2)
    const { bytes } = this
    let at = this.length
    bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (c < 0x20 || c > 0x7e || c === QUOTE || c === BACKSLASH) return this.#jsonStringSlow(text)
      bytes[at++] = c
    }
    bytes[at++] = QUOTE
    this.length = at
  }

  /**
   * What was written, in what was given or in a buffer of its own; write nothing more. Copied only where much of the buffer is
   * left over.
   */
  toBytes(): Uint8Array {
    if (this.isInRoom) return this.bytes.subarray(0, this.length)
    const isFilled = this.length >= UNCOPIED_BYTES_MIN && this.length * 2 >= this.bytes.length
    return isFilled ? this.bytes.subarray(0, this.length) : this.bytes.slice(0, this.length)
  }

  #jsonStringSlow(text: string): void {
    this.utf8(`"${text.replace(ESCAPED, escapeChar)}"`)
  }
}

const UNCOPIED_BYTES_MIN = 1 << 20
const QUOTE = 0x22
const BACKSLASH = 0x5c
// Everything below the space, the quote and the backslash.
const ESCAPED = /[^ !#-[\]-\uffff]/g
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' }

const escapeChar = (c: string): string => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`
