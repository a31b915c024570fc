import type { HeadMemory } from '../memory/head-memory.ts'
import { GROUP_WORDS, GROUPS_PER_EXTENT, Root, TABLE_DIRECTORY_ENTRIES } from '../memory/layout.ts'

/** The group records readers start from. A group's id is its index; records of dropped groups stay, empty. */
export class GroupTable {
  readonly #memory: HeadMemory
  readonly #directory: number

  constructor(memory: HeadMemory) {
    this.#memory = memory
    this.#directory = memory.allocateZeroed(TABLE_DIRECTORY_ENTRIES * 4)
    memory.setRoot(Root.GROUP_DIRECTORY, this.#directory)
  }

  /** Word index of the record of group `id`, which it makes room for. */
  wordsOf(id: number): number {
    const slot = (this.#directory >>> 2) + Math.floor(id / GROUPS_PER_EXTENT)
    if (this.#memory.views.u32[slot] === 0) {
      const extent = this.#memory.allocateZeroed(GROUPS_PER_EXTENT * GROUP_WORDS * 4)
      Atomics.store(this.#memory.views.u32, slot, extent)
    }
    if (id >= this.#memory.root(Root.GROUP_COUNT)) {
      // Ids between may never be used; readers follow every extent up to the count.
      for (let other = this.#memory.root(Root.GROUP_COUNT); other < id; other += GROUPS_PER_EXTENT) this.#fill(other)
      this.#memory.setRoot(Root.GROUP_COUNT, id + 1)
    }
    return (this.#memory.views.u32[slot]! >>> 2) + (id % GROUPS_PER_EXTENT) * GROUP_WORDS
  }

  #fill(id: number): void {
    const slot = (this.#directory >>> 2) + Math.floor(id / GROUPS_PER_EXTENT)
    if (this.#memory.views.u32[slot] !== 0) return
    this.#memory.views.u32[slot] = this.#memory.allocateZeroed(GROUPS_PER_EXTENT * GROUP_WORDS * 4)
  }
}
