import type { HeadMemory } from './head-memory.ts'
import { ROOT, TABLE_DIRECTORY_ENTRIES, TABLE_EXTENT_ENTRIES } from './layout.ts'
import type { MemoryViews } from './views.ts'

/** Writer's side of a table of u32 that only grows; its directory and its count stand in the root. */
export class SharedTable {
  readonly #memory: HeadMemory
  readonly #countWord: number
  readonly #directory: number
  #count = 0

  constructor(memory: HeadMemory, directoryWord: number, countWord: number) {
    this.#memory = memory
    this.#countWord = countWord
    this.#directory = memory.allocateZeroed(TABLE_DIRECTORY_ENTRIES * 4)
    memory.setRoot(directoryWord, this.#directory)
  }

  get count(): number {
    return this.#count
  }

  at(index: number): number {
    return tableEntry(this.#memory.views, this.#directory, index)
  }

  /** Appends and publishes; returns the index. */
  push(value: number): number {
    const index = this.#count
    const slot = (this.#directory >>> 2) + Math.floor(index / TABLE_EXTENT_ENTRIES)
    if (index % TABLE_EXTENT_ENTRIES === 0) {
      const extent = this.#memory.allocate(TABLE_EXTENT_ENTRIES * 4)
      this.#memory.views.u32[slot] = extent
    }
    const { u32 } = this.#memory.views
    u32[(u32[slot]! >>> 2) + (index % TABLE_EXTENT_ENTRIES)] = value
    this.#count = index + 1
    this.#memory.setRoot(this.#countWord, this.#count)
    return index
  }
}

/** Reader's side: the entry at `index`, below the published count. */
export function tableEntry(views: MemoryViews, directory: number, index: number): number {
  const extent = views.u32[(directory >>> 2) + Math.floor(index / TABLE_EXTENT_ENTRIES)]!
  return views.u32[(extent >>> 2) + (index % TABLE_EXTENT_ENTRIES)]!
}

export const rootWord = (views: MemoryViews, word: number): number => Atomics.load(views.u32, (ROOT >>> 2) + word)
