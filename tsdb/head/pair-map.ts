const LOAD_MAX = 0.8

/** A hash table from two u32 to a u32, in typed arrays: nothing per entry on the JavaScript heap. */
export class PairMap {
  #slots = new Uint32Array(3 * 64)
  #size = 0

  /** The value, or -1. */
  get(a: number, b: number): number {
    const at = this.#find(a, b)
    const stored = this.#slots[at + 2]!
    return stored === 0 ? -1 : stored - 1
  }

  /** `value` below 2^32 - 1. */
  set(a: number, b: number, value: number): void {
    let at = this.#find(a, b)
    if (this.#slots[at + 2] === 0) {
      if (this.#size * 3 >= this.#slots.length * LOAD_MAX) {
        this.#grow()
        at = this.#find(a, b)
      }
      this.#size++
    }
    this.#slots[at] = a
    this.#slots[at + 1] = b
    this.#slots[at + 2] = value + 1
  }

  clear(): void {
    this.#slots = new Uint32Array(3 * 64)
    this.#size = 0
  }

  /** Keeps only the entries for which `isKept` says so. */
  retain(isKept: (a: number, b: number, value: number) => boolean): void {
    const old = this.#slots
    this.clear()
    for (let at = 0; at < old.length; at += 3) {
      const stored = old[at + 2]!
      if (stored !== 0 && isKept(old[at]!, old[at + 1]!, stored - 1)) this.set(old[at]!, old[at + 1]!, stored - 1)
    }
  }

  #find(a: number, b: number): number {
    const slots = this.#slots
    const count = slots.length / 3
    const mixed = Math.imul(Math.imul(a, 0x9e3779b1) ^ b, 0x85ebca6b) >>> 0
    let slot = ((mixed ^ (mixed >>> 15)) >>> 0) & (count - 1)
    for (;;) {
      const at = slot * 3
      if (slots[at + 2] === 0 || (slots[at] === a && slots[at + 1] === b)) return at
      slot = (slot + 1) & (count - 1)
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Uint32Array(old.length * 2)
    for (let at = 0; at < old.length; at += 3) {
      if (old[at + 2] === 0) continue
      const to = this.#find(old[at]!, old[at + 1]!)
      this.#slots.set(old.subarray(at, at + 3), to)
    }
  }
}
