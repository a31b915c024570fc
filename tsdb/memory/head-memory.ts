import { HeadMemoryFullError } from '../errors.ts'
import { READER_SLOTS_MAX, ROOT, ROOT_BYTES, Root } from './layout.ts'
import { MemoryViews } from './views.ts'

const PAGE = 65_536
const GROW_PAGES = 64

/**
 * Hands out pieces of the shared memory. Only the writer (the main thread) holds one. A piece that readers may still follow
 * is not freed but retired: it becomes free when every reader has let go of the epoch it was retired in.
 */
export class HeadMemory {
  readonly views: MemoryViews
  readonly #memory: WebAssembly.Memory
  readonly #maximumBytes: number
  readonly #free = new Map<number, number[]>()
  readonly #retired: { epoch: number; pointer: number; bytes: number }[] = []
  #top = ROOT + ROOT_BYTES
  #usedBytes = 0
  #changeDepth = 0

  constructor(memory: WebAssembly.Memory, maximumBytes: number) {
    this.#memory = memory
    this.#maximumBytes = maximumBytes
    this.views = new MemoryViews(memory)
    this.setRoot(Root.EPOCH, 1)
    this.setRoot(Root.MEMORY_PAGES, memory.buffer.byteLength / PAGE)
  }

  get memory(): WebAssembly.Memory {
    return this.#memory
  }

  /** Bytes handed out and not yet free again. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  get maximumBytes(): number {
    return this.#maximumBytes
  }

  root(word: number): number {
    return Atomics.load(this.views.u32, (ROOT >>> 2) + word)
  }

  setRoot(word: number, value: number): void {
    Atomics.store(this.views.u32, (ROOT >>> 2) + word, value)
  }

  /** Until the matching `endChange` readers wait, so that they see all of it or nothing. Keep it short; nests. */
  beginChange(): void {
    if (this.#changeDepth++ === 0) Atomics.add(this.views.u32, (ROOT >>> 2) + Root.VERSION, 1)
  }

  endChange(): void {
    if (--this.#changeDepth === 0) Atomics.add(this.views.u32, (ROOT >>> 2) + Root.VERSION, 1)
  }

  /** Until `showHead` readers find no groups. @param fromMs no sample before it is in the head */
  hideHead(fromMs: number): void {
    this.change(() => {
      this.views.f64[(ROOT + 4 * Root.HIDDEN_FROM_TIME) >>> 3] = fromMs
      this.setRoot(Root.HEAD_HIDDEN, 1)
    })
  }

  showHead(): void {
    this.change(() => this.setRoot(Root.HEAD_HIDDEN, 0))
  }

  /** Runs `apply` as one change; whatever it throws, readers go on. */
  change(apply: () => void): void {
    this.beginChange()
    try {
      apply()
    } finally {
      this.endChange()
    }
  }

  /** A piece of at least `bytes`, 8-byte aligned, content undefined. @throws {HeadMemoryFullError} */
  allocate(bytes: number): number {
    const size = sizeClass(bytes)
    const reused = this.#free.get(size)?.pop()
    const pointer = reused ?? this.#bump(size)
    this.#usedBytes += size
    return pointer
  }

  /** As `allocate`, filled with zeros. */
  allocateZeroed(bytes: number): number {
    const pointer = this.allocate(bytes)
    this.views.u8.fill(0, pointer, pointer + bytes)
    return pointer
  }

  /** Gives a piece back that no reader has seen. */
  free(pointer: number, bytes: number): void {
    const size = sizeClass(bytes)
    this.#usedBytes -= size
    const list = this.#free.get(size)
    if (list) list.push(pointer)
    else this.#free.set(size, [pointer])
  }

  /** Gives a piece back once no reader can follow it any more. Call after it has been unlinked. */
  retire(pointer: number, bytes: number): void {
    if (pointer === 0) return
    this.#retired.push({ epoch: this.root(Root.EPOCH), pointer, bytes })
  }

  /** Moves the epoch on and frees what no reader holds. Cheap; called from time to time. */
  reclaim(): void {
    if (this.#retired.length === 0) return
    this.setRoot(Root.EPOCH, (this.root(Root.EPOCH) + 1) >>> 0)
    const oldest = this.#oldestPinnedEpoch()
    let kept = 0
    for (const item of this.#retired) {
      if (item.epoch < oldest) this.free(item.pointer, item.bytes)
      else this.#retired[kept++] = item
    }
    this.#retired.length = kept
  }

  /** Whether a reader may still see what was current at `epoch`. */
  isPinned(epoch: number): boolean {
    return this.#oldestPinnedEpoch() <= epoch
  }

  /** A reader slot of its own. @throws {HeadMemoryFullError} when all are taken */
  takeReaderSlot(taken: ReadonlySet<number>): number {
    for (let slot = 0; slot < READER_SLOTS_MAX; slot++) {
      if (!taken.has(slot)) {
        this.setRoot(Root.READER_SLOTS + slot, 0)
        return slot
      }
    }
    throw new HeadMemoryFullError(`more than ${READER_SLOTS_MAX} readers`)
  }

  #oldestPinnedEpoch(): number {
    let oldest = this.root(Root.EPOCH)
    for (let slot = 0; slot < READER_SLOTS_MAX; slot++) {
      const pinned = this.root(Root.READER_SLOTS + slot)
      if (pinned !== 0 && pinned < oldest) oldest = pinned
    }
    return oldest
  }

  #bump(size: number): number {
    const end = this.#top + size
    const have = this.#memory.buffer.byteLength
    if (end > have) {
      if (end > this.#maximumBytes) {
        throw new HeadMemoryFullError(`the head needs more than its ${this.#maximumBytes} bytes of memory`)
      }
      const wanted = Math.ceil((end - have) / PAGE)
      const room = Math.floor(this.#maximumBytes / PAGE) - have / PAGE
      try {
        this.#memory.grow(Math.max(wanted, Math.min(GROW_PAGES, room)))
      } catch (cause) {
        throw new HeadMemoryFullError('the system gives the head no more memory', { cause })
      }
      this.views.refresh()
      this.setRoot(Root.MEMORY_PAGES, this.#memory.buffer.byteLength / PAGE)
    }
    const pointer = this.#top
    this.#top = end
    return pointer
  }
}

/** Sizes are rounded up to quarter steps between powers of two, from 64 KiB on to whole pages. */
function sizeClass(bytes: number): number {
  if (bytes >= PAGE) return Math.ceil(bytes / PAGE) * PAGE
  const quarter = Math.max(16, 2 ** (Math.floor(Math.log2(Math.max(bytes - 1, 1))) - 2))
  return Math.ceil(Math.max(bytes, 16) / quarter) * quarter
}
