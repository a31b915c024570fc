// Hot: asked for each text of an alert. Covered by bench/load/alerts.ts.
/** Longer texts are not remembered. */
const LONGEST = 512
const UNUSED = ''

/**
 * What texts of JSON mean, by their bytes: most come again and again, and need not be made again. As many as there are
 * places; one that is asked for often keeps its place.
 */
export class TextTable<T> {
  readonly #make: (text: string) => T
  readonly #raw: string[]
  readonly #values: (T | undefined)[]
  readonly #uses: Uint8Array
  readonly #mask: number

  /** @param places a power of two */
  constructor(places: number, make: (text: string) => T) {
    this.#make = make
    this.#raw = Array.from({ length: places }, () => UNUSED)
    this.#values = Array.from({ length: places }, () => undefined)
    this.#uses = new Uint8Array(places)
    this.#mask = places - 1
  }

  /**
   * @param isPlain neither escapes nor anything but ASCII
   * @throws what `make` throws @throws {SyntaxError}
   */
  of(bytes: Buffer, from: number, to: number, isPlain: boolean): T {
    const place = hashOf(bytes, from, to) & this.#mask
    const known = this.#raw[place]!
    if (known !== UNUSED && isText(bytes, from, to, known)) {
      if (this.#uses[place]! < 3) this.#uses[place]!++
      return this.#values[place]!
    }
    const raw = bytes.toString('latin1', from, to)
    const value = this.#make(isPlain ? raw : (JSON.parse(`"${bytes.toString('utf8', from, to)}"`) as string))
    if (this.#uses[place]! > 0) this.#uses[place]!--
    else if (raw.length <= LONGEST) {
      this.#raw[place] = raw
      this.#values[place] = value
      this.#uses[place] = 1
    }
    return value
  }
}

/** Whether the bytes are the characters of the text, one for one. */
export function isText(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (text.length !== to - from) return false
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false
  return true
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}
