import type { Labels } from '../../model/index.ts'

/**
 * Finds the position of a label set by a 64-bit hash; 16 bytes a series at most load, none of them on the heap of objects.
 * Label sets are told apart by the hash alone: with a million series the chance of one wrong match is about 3 in 10^8.
 */
export class LabelIndex {
  #mask = 15
  #count = 0
  /** Low word, high word, position + 1 (0 = free) of each slot. */
  #slots = new Uint32Array(16 * 3)
  #low = 0
  #high = 0

  /** -1 where there is none. */
  find(labels: Labels): number {
    this.#hash(labels)
    return this.#slots[this.#slotOf(this.#low, this.#high) + 2]! - 1
  }

  /** Labels must not be in the index yet. */
  add(labels: Labels, position: number): void {
    if (this.#count * 4 >= this.#mask * 3) this.#grow()
    this.#hash(labels)
    this.#put(this.#low, this.#high, position + 1)
    this.#count++
  }

  #slotOf(low: number, high: number): number {
    let slot = (low & this.#mask) * 3
    while (this.#slots[slot + 2] !== 0 && (this.#slots[slot] !== low || this.#slots[slot + 1] !== high)) {
      slot += 3
      if (slot === this.#slots.length) slot = 0
    }
    return slot
  }

  #put(low: number, high: number, mark: number): void {
    const slot = this.#slotOf(low, high)
    this.#slots[slot] = low
    this.#slots[slot + 1] = high
    this.#slots[slot + 2] = mark
  }

  #grow(): void {
    const old = this.#slots
    this.#mask = this.#mask * 2 + 1
    this.#slots = new Uint32Array((this.#mask + 1) * 3)
    for (let i = 0; i < old.length; i += 3) {
      if (old[i + 2] !== 0) this.#put(old[i]!, old[i + 1]!, old[i + 2]!)
    }
  }

  /** Two multiplicative hashes over the UTF-16 units; the unit 0xffff stands between strings. */
  #hash(labels: Labels): void {
    let low = 0x811c9dc5
    let high = 0x9747b28c
    for (let i = 0; i < labels.length; i++) {
      const text = labels[i]!
      for (let j = 0; j < text.length; j++) {
        const unit = text.charCodeAt(j)
        low = Math.imul(low ^ unit, 0x01000193)
        high = Math.imul(high ^ unit, 0x5bd1e995)
        high ^= high >>> 15
      }
      low = Math.imul(low ^ 0xffff, 0x01000193)
      high = Math.imul(high ^ 0xffff, 0x5bd1e995)
    }
    this.#low = (low ^ (low >>> 16)) >>> 0
    this.#high = (high ^ (high >>> 13)) >>> 0
  }
}
