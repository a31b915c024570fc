import { randomBytes } from 'node:crypto'
import type { SeriesRef } from '../../model/index.ts'

const SLOTS_MIN = 1024
/** What a series that must not be stored has in place of a handle. */
export const INVALID_SERIES = -1
const UNNAMED_SERIES = -2

/**
 * A 96-bit hash of label bytes, in three parts. Seeded anew in each process: nobody outside can make two series meet, and by
 * chance a million series do so less often than once in 10^16 stores.
 */
export class LabelHash {
  a = 0
  b = 0
  c = 0
  readonly #seeds = new Int32Array(new Uint8Array(randomBytes(12)).buffer)

  reset(): void {
    this.a = this.#seeds[0]!
    this.b = this.#seeds[1]!
    this.c = this.#seeds[2]!
  }

  addBytes(view: DataView, start: number, end: number): void {
    let { a, b, c } = this
    let at = start
    for (; at + 4 <= end; at += 4) {
      const word = view.getInt32(at, true)
      a = Math.imul(a ^ word, 0x9e3779b1)
      a ^= a >>> 15
      b = Math.imul(b + word, 0x85ebca77) ^ (b >>> 13)
      c = Math.imul((c << 7) ^ (c >>> 25) ^ word, 0xc2b2ae3d)
    }
    let rest = end - start
    for (; at < end; at++) rest = (rest << 8) | view.getUint8(at)
    this.a = a
    this.b = b
    this.c = c
    this.addWord(rest)
  }

  /** Adds the hash of a part. */
  addHash(a: number, b: number, c: number): void {
    this.a = Math.imul(this.a ^ a, 0x9e3779b1)
    this.a ^= this.a >>> 15
    this.b = Math.imul(this.b + b, 0x85ebca77) ^ (this.b >>> 13)
    this.c = Math.imul((this.c << 7) ^ (this.c >>> 25) ^ c, 0xc2b2ae3d)
  }

  /** Spreads the last word over all bits; ends every part. */
  addWord(word: number): void {
    this.a = Math.imul(this.a ^ word, 0x27d4eb2f)
    this.a ^= this.a >>> 16
    this.b = Math.imul(this.b + word, 0x165667b1)
    this.b ^= this.b >>> 15
    this.c = Math.imul(this.c ^ Math.imul(word, 0x9e3779b1), 0x85ebca77)
    this.c ^= this.c >>> 14
  }
}

/** Finds the store's handle of a series by the hash of its label bytes: 36 bytes a series, nothing on the heap. */
export class SeriesTable {
  #slots = new Int32Array(SLOTS_MIN)
  #hashes = new Int32Array(3 * (SLOTS_MIN / 2))
  #refs = new Float64Array(SLOTS_MIN / 2)
  #usedAt = new Uint32Array(SLOTS_MIN / 2)
  #notes = new Int32Array(SLOTS_MIN / 2)
  #count = 0
  /** Found last: senders name series in the same order each time. */
  #last = -1

  get count(): number {
    return this.#count
  }

  /** @returns an index for `refAt`, or -1 */
  find(hash: LabelHash, now: number): number {
    let index = this.#last + 1
    if (index >= this.#count || !this.#isAt(index, hash)) {
      const mask = this.#slots.length - 1
      let slot = hash.a & mask
      do {
        index = this.#slots[slot]! - 1
        slot = (slot + 1) & mask
      } while (index >= 0 && !this.#isAt(index, hash))
      if (index < 0) return -1
    }
    this.#last = index
    this.#usedAt[index] = now
    return index
  }

  #isAt(index: number, { a, b, c }: LabelHash): boolean {
    const at = 3 * index
    return this.#hashes[at] === a && this.#hashes[at + 1] === b && this.#hashes[at + 2] === c
  }

  /** @returns a `SeriesRef`, `INVALID_SERIES`, or `undefined` as long as the store has not named it */
  refAt(index: number): number | undefined {
    const ref = this.#refs[index]!
    return ref === UNNAMED_SERIES ? undefined : ref
  }

  setRef(index: number, ref: SeriesRef): void {
    this.#refs[index] = ref
  }

  /** Remembers a number for the series. @returns whether it is another one than before */
  note(index: number, note: number): boolean {
    const isNew = this.#notes[index] !== note
    this.#notes[index] = note
    return isNew
  }

  /** @param now counts in any unit that grows; see `forget` */
  add(hash: LabelHash, ref: typeof INVALID_SERIES | undefined, now: number): number {
    if ((this.#count + 1) * 2 > this.#slots.length) this.#resize(this.#slots.length * 2)
    const index = this.#count++
    this.#last = index
    this.#hashes[3 * index] = hash.a
    this.#hashes[3 * index + 1] = hash.b
    this.#hashes[3 * index + 2] = hash.c
    this.#refs[index] = ref ?? UNNAMED_SERIES
    this.#usedAt[index] = now
    this.#notes[index] = 0
    this.#place(index)
    return index
  }

  /** Drops what has not been looked up since `before`. */
  forget(before: number): void {
    let kept = 0
    for (let index = 0; index < this.#count; index++) {
      if (this.#usedAt[index]! < before) continue
      this.#hashes.copyWithin(3 * kept, 3 * index, 3 * index + 3)
      this.#refs[kept] = this.#refs[index]!
      this.#notes[kept] = this.#notes[index]!
      this.#usedAt[kept++] = this.#usedAt[index]!
    }
    if (kept === this.#count) return
    this.#count = kept
    let slots = SLOTS_MIN
    while (slots < kept * 2) slots *= 2
    this.#resize(slots)
  }

  #resize(slots: number): void {
    const capacity = slots / 2
    this.#hashes = resized(this.#hashes, new Int32Array(3 * capacity), 3 * this.#count)
    this.#refs = resized(this.#refs, new Float64Array(capacity), this.#count)
    this.#usedAt = resized(this.#usedAt, new Uint32Array(capacity), this.#count)
    this.#notes = resized(this.#notes, new Int32Array(capacity), this.#count)
    this.#slots = new Int32Array(slots)
    for (let index = 0; index < this.#count; index++) this.#place(index)
  }

  #place(index: number): void {
    const mask = this.#slots.length - 1
    let slot = this.#hashes[3 * index]! & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = index + 1
  }
}

function resized<T extends Int32Array | Uint32Array | Float64Array>(from: T, to: T, count: number): T {
  to.set(from.subarray(0, count))
  return to
}
