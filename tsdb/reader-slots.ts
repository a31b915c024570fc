import type { HeadMemory } from './memory/head-memory.ts'
import { Root } from './memory/layout.ts'
import type { ReaderHandle } from './read/reader.ts'

/** Gives each reader its place in the head's memory. */
export class ReaderSlots {
  readonly #memory: HeadMemory
  readonly #dataDir: string
  readonly #taken = new Set<number>()

  constructor(memory: HeadMemory, dataDir: string) {
    this.#memory = memory
    this.#dataDir = dataDir
  }

  /** @throws {HeadMemoryFullError} when all are taken */
  take(): number {
    const slot = this.#memory.takeReaderSlot(this.#taken)
    this.#taken.add(slot)
    return slot
  }

  attachReader(): { handle: ReaderHandle; detach(): void } {
    const slot = this.take()
    return {
      handle: { memory: this.#memory.memory, slot, dataDir: this.#dataDir },
      detach: () => {
        this.#memory.setRoot(Root.READER_SLOTS + slot, 0)
        this.#taken.delete(slot)
      },
    }
  }
}
