import type { HeadMemory } from './head-memory.ts'
import { ROOT, Root, TABLE_DIRECTORY_ENTRIES, TABLE_EXTENT_ENTRIES } from './layout.ts'
import type { MemoryViews } from './views.ts'

/**
 * Writer's side of a table of u32 that grows without moving; its directory and its count stand in the root. An index that
 * was freed is given out again once no reader can hold what it meant before.
 */
export class SharedTable {
  readonly #memory: HeadMemory
  readonly #countWord: number
  readonly #directory: number
  #count = 0
  readonly #isFree = new Set<number>()
  #reusable: number[] = []
  #waiting: { readonly epoch: number; readonly indexes: readonly number[] }[] = []

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

  isFree(index: number): boolean {
    return this.#isFree.has(index)
  }

  /** Of the indexes below `count`, those in use. */
  get usedCount(): number {
    return this.#count - this.#isFree.size
  }

  /** Gives indexes back; what they stood for must have been unlinked. */
  free(indexes: readonly number[]): void {
    if (indexes.length === 0) return
    for (const index of indexes) this.#isFree.add(index)
    this.#waiting.push({ epoch: this.#memory.root(Root.EPOCH), indexes })
  }

  /** Puts a value at a free index or at the end, and publishes it; returns the index. */
  push(value: number): number {
    const freed = this.#takeFree()
    if (freed === undefined) return this.#append(value)
    const { u32 } = this.#memory.views
    const slot = (this.#directory >>> 2) + Math.floor(freed / TABLE_EXTENT_ENTRIES)
    Atomics.store(u32, (u32[slot]! >>> 2) + (freed % TABLE_EXTENT_ENTRIES), value)
    return freed
  }

  #takeFree(): number | undefined {
    if (this.#reusable.length === 0) {
      const oldest = this.#waiting[0]
      if (oldest === undefined || this.#memory.isPinned(oldest.epoch)) return undefined
      this.#waiting.shift()
      this.#reusable = [...oldest.indexes]
    }
    const index = this.#reusable.pop()!
    this.#isFree.delete(index)
    return index
  }

  #append(value: number): number {
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
