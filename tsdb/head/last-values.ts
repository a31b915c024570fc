import { SampleKind } from '../../model/index.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { stateBytes, stateColumns } from '../memory/layout.ts'

/** What every position of a group was last given, in columns of head memory that grow with the group. */
export class LastValues {
  readonly #memory: HeadMemory
  readonly #isSparse: boolean
  #block = 0
  #capacity = 0

  constructor(memory: HeadMemory, isSparse: boolean) {
    this.#memory = memory
    this.#isSparse = isSparse
  }

  /** Where they lie; readers are told, together with the capacity. */
  get block(): number {
    return this.#block
  }

  /** Positions that there is room for. */
  get capacity(): number {
    return this.#capacity
  }

  /** Byte offsets of the columns. */
  get columns(): { m: number; lastTs: number; e: number; k: number } {
    return stateColumns(this.#block, this.#capacity, this.#isSparse)
  }

  /** Moves the first `used` positions to a block with room for `count`; the others are absent. */
  grow(count: number, used: number): void {
    const memory = this.#memory
    const isSparse = this.#isSparse
    const capacity = this.#capacity === 0 ? count : Math.max(count, Math.ceil(this.#capacity * 1.5))
    const old = this.columns
    const block = memory.allocateZeroed(stateBytes(capacity, isSparse))
    const now = stateColumns(block, capacity, isSparse)
    const { u8, f64 } = memory.views
    u8.copyWithin(now.m, old.m, old.m + 8 * used)
    u8.copyWithin(now.e, old.e, old.e + used)
    u8.copyWithin(now.k, old.k, old.k + used)
    if (isSparse) {
      f64.fill(Number.NEGATIVE_INFINITY, (now.lastTs >>> 3) + used, (now.lastTs >>> 3) + capacity)
      u8.copyWithin(now.lastTs, old.lastTs, old.lastTs + 8 * used)
    }
    this.retire()
    this.#block = block
    this.#capacity = capacity
  }

  /** Gives the columns back, as soon as no reader looks at them. */
  retire(): void {
    if (this.#capacity > 0) this.#memory.retire(this.#block, stateBytes(this.#capacity, this.#isSparse))
    this.#capacity = 0
  }

  /** Of the first `count` positions those without a value: when they had their last one at most. */
  raiseBounds(count: number, boundMs: number): void {
    const { u8, u32 } = this.#memory.views
    const { m, k } = this.columns
    for (let position = 0; position < count; position++) {
      if ((u8[k + position]! & 3) !== SampleKind.ABSENT) continue
      const at = (m >>> 2) + 2 * position
      if ((u32[at + 1]! | 0) * 2 ** 32 + u32[at]! >= boundMs) continue
      u32[at] = boundMs >>> 0
      u32[at + 1] = Math.floor(boundMs / 2 ** 32)
    }
  }
}
