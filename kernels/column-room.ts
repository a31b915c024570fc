/** A part of a kernels' memory where columns may be kept: kernels take them where they are. */
export interface ColumnRoom {
  readonly buffer: ArrayBufferLike
  readonly bytes: number
  /** @returns where a piece begins in the buffer, 8-byte aligned, with anything in it; `undefined` where none is left */
  take(bytes: number): number | undefined
  /** Gives a piece back. */
  release(at: number): void
}

interface Piece {
  readonly at: number
  readonly bytes: number
}

/** First fit; neighbours that are free become one. For some hundred pieces. */
export class FreeListRoom implements ColumnRoom {
  readonly buffer: ArrayBufferLike
  readonly bytes: number
  /** By place; no two touch. */
  #free: Piece[]
  readonly #taken = new Map<number, number>()

  /** @param at 8-byte aligned */
  constructor(buffer: ArrayBufferLike, at: number, bytes: number) {
    this.buffer = buffer
    this.bytes = bytes
    this.#free = [{ at, bytes }]
  }

  take(bytes: number): number | undefined {
    const wanted = Math.ceil(bytes / 8) * 8
    const index = this.#free.findIndex((piece) => piece.bytes >= wanted)
    const found = this.#free[index]
    if (found === undefined || wanted === 0) return undefined
    const left = { at: found.at + wanted, bytes: found.bytes - wanted }
    this.#free.splice(index, 1, ...(left.bytes > 0 ? [left] : []))
    this.#taken.set(found.at, wanted)
    return found.at
  }

  release(at: number): void {
    const bytes = this.#taken.get(at)
    if (bytes === undefined) return
    this.#taken.delete(at)
    const all = [...this.#free, { at, bytes }].sort((a, b) => a.at - b.at)
    const joined: Piece[] = []
    for (const piece of all) {
      const last = joined.at(-1)
      if (last === undefined || last.at + last.bytes < piece.at) joined.push(piece)
      else joined[joined.length - 1] = { at: last.at, bytes: last.bytes + piece.bytes }
    }
    this.#free = joined
  }
}
