import { goText } from './go-format.ts'
import type { GoValue } from './values.ts'

/** Where the output goes. */
export interface Writer {
  /** Template text. */
  text(text: string): void
  /** What an action yields. */
  value(value: GoValue): void
  result(): string
  /** Of the output so far, in UTF-16 units. */
  readonly length: number
}

/** Output as it is. */
export class TextWriter implements Writer {
  #out = ''

  get length(): number {
    return this.#out.length
  }

  text(text: string): void {
    this.#out += text
  }

  value(value: GoValue): void {
    this.#out += value === undefined || value === null ? '<no value>' : goText(value)
  }

  result(): string {
    return this.#out
  }
}
