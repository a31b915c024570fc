import { PAGE_BYTES } from './block-index.ts'

/** The pages of block files that a reader used last. */
export class PageCache {
  readonly #pagesMax: number
  readonly #pages = new Map<string, Uint8Array>()

  constructor(bytesMax: number) {
    this.#pagesMax = Math.max(1, Math.floor(bytesMax / PAGE_BYTES))
  }

  get(ulid: string, page: number, load: () => Uint8Array): Uint8Array {
    const key = `${ulid}:${page}`
    let bytes = this.#pages.get(key)
    if (bytes === undefined) {
      bytes = load()
      if (this.#pages.size >= this.#pagesMax) this.#dropOldest()
    } else this.#pages.delete(key)
    // Insertion order is order of use.
    this.#pages.set(key, bytes)
    return bytes
  }

  /** Drops the pages of a block that is gone. */
  forget(ulid: string): void {
    for (const key of this.#pages.keys()) if (key.startsWith(`${ulid}:`)) this.#pages.delete(key)
  }

  #dropOldest(): void {
    for (const key of this.#pages.keys()) {
      this.#pages.delete(key)
      return
    }
  }
}
