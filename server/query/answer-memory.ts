// Hot: every answer of a query worker. Covered by bench/load/history.ts.
import type { AllocateRoom, EvaluationStats } from '../../promql/index.ts'

/** A whole response body. */
export interface JsonAnswer {
  /** Not to be looked at after `release`. */
  readonly body: Uint8Array
  /** Whether `body` is packed already. */
  readonly gzip: boolean
  /** For the query log. */
  readonly stats?: EvaluationStats
  /** To be called once when the body has been sent: its memory is then used for another answer. */
  readonly release?: () => void
}

/** The beginning of an answer that is still being written. */
export interface AnswerPart {
  /** All of it so far. */
  readonly body: Uint8Array
  /** As that of the answer: to be called instead, where that has none. */
  readonly release: () => void
}

/** An answer whose body lies in a room of the worker's. */
export interface PlacedAnswer {
  readonly room: number
  readonly length: number
  /** Comes with the first answer in the room: where it begins in which memory. */
  readonly memory?: SharedArrayBuffer
  readonly offset?: number
  readonly stats?: EvaluationStats
}

/** What the worker sends while it writes: so many bytes of its answer stand in the room for good. */
export interface PlacedPart {
  readonly part: Omit<PlacedAnswer, 'stats'>
}

export const isPart = (value: unknown): value is PlacedPart =>
  typeof value === 'object' && value !== null && 'part' in value

export const isPlaced = (value: unknown): value is PlacedAnswer =>
  typeof value === 'object' && value !== null && 'room' in value

const ROOMS_MAX = 16
const ROOM_BYTES_MIN = 1 << 16
const ROOM_BYTES_MAX = 16 << 20
/** Of all rooms of a worker. */
const TOTAL_BYTES_MAX = 24 << 20

/** One word a room, shared: 1 while an answer in it is not sent yet. */
export const newRoomStates = (): Int32Array => new Int32Array(new SharedArrayBuffer(4 * ROOMS_MAX))

/**
 * Memory that a query worker writes answers into, and the main thread sends them from. Memory of its own for each would be a
 * matter for the garbage collectors of both threads, which take longer over it than most queries.
 */
export class AnswerRooms {
  readonly #states: Int32Array
  readonly #rooms: { readonly bytes: Uint8Array; isKnown: boolean }[] = []
  #totalBytes = 0

  /** @param states as `newRoomStates` made them */
  constructor(states: Int32Array) {
    this.#states = states
  }

  /** A room that is free; it is taken only by `place`. @returns `undefined` where the answer needs memory of its own */
  find(bytes: number, allocate: AllocateRoom): { readonly index: number; readonly bytes: Uint8Array } | undefined {
    let found = -1
    for (const [index, { bytes: own }] of this.#rooms.entries()) {
      if (own.length < bytes || Atomics.load(this.#states, index) !== 0) continue
      if (found < 0 || own.length < this.#rooms[found]!.bytes.length) found = index
    }
    if (found < 0) found = this.#add(bytes, allocate)
    return found < 0 ? undefined : { index: found, bytes: this.#rooms[found]!.bytes }
  }

  /** What is to be sent of an answer that stands at the beginning of the room. */
  place(index: number, length: number, stats: EvaluationStats | undefined): PlacedAnswer {
    const room = this.#rooms[index]!
    Atomics.store(this.#states, index, 1)
    const { buffer, byteOffset } = room.bytes
    const place = room.isKnown ? {} : { memory: buffer as SharedArrayBuffer, offset: byteOffset }
    room.isKnown = true
    return { room: index, length, ...place, ...(stats && { stats }) }
  }

  #add(bytes: number, allocate: AllocateRoom): number {
    const size = Math.max(ROOM_BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes)))
    const isTooMuch = size > ROOM_BYTES_MAX || this.#totalBytes + size > TOTAL_BYTES_MAX
    if (isTooMuch || this.#rooms.length === ROOMS_MAX) return -1
    const room = allocate(size)
    if (room === undefined) return -1
    this.#totalBytes += size
    return this.#rooms.push({ bytes: room, isKnown: false }) - 1
  }
}

/** The main thread's side of a worker's rooms. */
export class RoomsOfWorker {
  readonly states = newRoomStates()
  readonly #places: { readonly memory: SharedArrayBuffer; readonly offset: number }[] = []

  open({ room, length, memory, offset = 0, stats }: PlacedAnswer): JsonAnswer {
    if (memory !== undefined) this.#places[room] = { memory, offset }
    const place = this.#places[room]!
    const body = new Uint8Array(place.memory, place.offset, length)
    const release = (): void => void Atomics.store(this.states, room, 0)
    return { body, gzip: false, release, ...(stats && { stats }) }
  }
}
