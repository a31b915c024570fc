import type { HeadMemory } from '../memory/head-memory.ts'
import { GROUP_WORDS, GROUPS_PER_EXTENT, Root, TABLE_DIRECTORY_ENTRIES } from '../memory/layout.ts'

/** The group records readers start from. Those of dropped groups are used again. */
export class GroupTable {
  readonly #memory: HeadMemory
  readonly #directory: number
  readonly #free: number[] = []

  constructor(memory: HeadMemory) {
    this.#memory = memory
    this.#directory = memory.allocateZeroed(TABLE_DIRECTORY_ENTRIES * 4)
    memory.setRoot(Root.GROUP_DIRECTORY, this.#directory)
  }

  /** A record that holds no group: its number, and the index of its first word. */
  take(): { slot: number; words: number } {
    const slot = this.#free.pop() ?? this.#add()
    const extent = this.#memory.views.u32[(this.#directory >>> 2) + Math.floor(slot / GROUPS_PER_EXTENT)]!
    return { slot, words: (extent >>> 2) + (slot % GROUPS_PER_EXTENT) * GROUP_WORDS }
  }

  /** Gives a record back that says that it holds no group. */
  give(slot: number): void {
    this.#free.push(slot)
  }

  #add(): number {
    const slot = this.#memory.root(Root.GROUP_COUNT)
    if (slot % GROUPS_PER_EXTENT === 0) {
      const extent = this.#memory.allocateZeroed(GROUPS_PER_EXTENT * GROUP_WORDS * 4)
      Atomics.store(this.#memory.views.u32, (this.#directory >>> 2) + slot / GROUPS_PER_EXTENT, extent)
    }
    this.#memory.setRoot(Root.GROUP_COUNT, slot + 1)
    return slot
  }
}
