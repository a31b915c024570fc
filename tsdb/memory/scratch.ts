import {
  type ColumnKernels,
  columnKernels,
  createKernelMemory,
  instantiateKernels,
  KERNEL_RESERVED_BYTES,
  type RowKernels,
  rowKernels,
} from '../../kernels/index.ts'
import { MemoryViews } from './views.ts'

const INITIAL_BYTES = 1 << 20
const MAXIMUM_BYTES = 2 ** 31
// Kernels may read a little beyond the end of what they are given.
const MARGIN_BYTES = 64

/** Working memory of one thread with the kernels on it: a stack of pieces that is emptied as a whole. */
export class Scratch {
  readonly views: MemoryViews
  readonly rows: RowKernels
  readonly columns: ColumnKernels
  readonly #memory: WebAssembly.Memory
  #top = KERNEL_RESERVED_BYTES

  constructor() {
    this.#memory = createKernelMemory({ initialBytes: INITIAL_BYTES, maximumBytes: MAXIMUM_BYTES })
    const kernels = instantiateKernels(this.#memory)
    this.rows = rowKernels(kernels)
    this.columns = columnKernels(kernels)
    this.views = new MemoryViews(this.#memory)
  }

  /** A piece of uninitialised memory, 8-byte aligned; earlier pieces stay where they are. */
  take(bytes: number): number {
    const pointer = this.#top
    this.#top = Math.ceil((pointer + bytes + 8) / 8) * 8
    const missing = this.#top + MARGIN_BYTES - this.views.byteLength
    if (missing > 0) {
      const room = MAXIMUM_BYTES - this.views.byteLength
      const wanted = Math.max(missing, Math.min(this.views.byteLength, room, 64 << 20))
      this.#memory.grow(Math.ceil(wanted / 65_536))
      this.views.refresh()
    }
    return pointer
  }

  /** Remembers how much is taken; hand it to `release`. */
  mark(): number {
    return this.#top
  }

  /** Gives back what was taken since `mark`. */
  release(mark: number): void {
    this.#top = mark
  }
}
