import type { Labels } from '../../model/index.ts'
import { RECORD_HEADER_BYTES, Root } from '../memory/layout.ts'
import { rootWord, tableEntry } from '../memory/shared-table.ts'
import type { MemoryViews } from '../memory/views.ts'

/** Strings and label sets of the head by their ids, for a job that goes over many; equal ids give the same object. */
export class HeadLabels {
  readonly #views: MemoryViews
  readonly #decoder = new TextDecoder()
  readonly #symbols = new Map<number, string>()
  readonly #labelSets: (Labels | undefined)[]

  /** @param labelSetCount ids below it are asked for */
  constructor(views: MemoryViews, labelSetCount: number) {
    this.#views = views
    this.#labelSets = Array<Labels | undefined>(labelSetCount).fill(undefined)
    views.refreshTo(rootWord(views, Root.MEMORY_PAGES) * 65_536)
  }

  symbol(id: number): string {
    let text = this.#symbols.get(id)
    if (text === undefined) {
      const { u8, u32 } = this.#views
      const record = tableEntry(this.#views, rootWord(this.#views, Root.SYMBOL_DIRECTORY), id)
      const start = record + RECORD_HEADER_BYTES
      text = this.#decoder.decode(u8.slice(start, start + u32[record >>> 2]!))
      this.#symbols.set(id, text)
    }
    return text
  }

  labelSet(id: number): Labels {
    let labels = this.#labelSets[id]
    if (labels === undefined) {
      const { u32 } = this.#views
      const record = tableEntry(this.#views, rootWord(this.#views, Root.LABEL_SET_DIRECTORY), id) >>> 2
      labels = Array.from({ length: 2 * u32[record]! }, (_, i) => this.symbol(u32[record + 2 + i]!))
      this.#labelSets[id] = labels
    }
    return labels
  }
}
