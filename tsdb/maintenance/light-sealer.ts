import { Scratch } from '../memory/scratch.ts'
import type { MemoryViews } from '../memory/views.ts'
import { appendChunks } from './append-chunks.ts'
import type { SealAnswer, SealGroup, SealRequest } from './protocol.ts'
import { sealRows } from './seal.ts'

// A turn of the event loop each: 1 to 2 ms.
const GROUP_CELLS_MAX = 1 << 17
// All together take some 10 ms of CPU; the worker takes six times that to start, and ten megabytes while it waits for more.
const BATCH_CELLS_MAX = 1 << 20

/**
 * Seals on the main thread what is not worth a worker. With groups of a few hundred series, closed one after the other, that
 * is all there is to do for most of the time.
 */
export class LightSealer {
  readonly #views: MemoryViews
  #scratch: Scratch | undefined

  constructor(views: MemoryViews) {
    this.#views = views
  }

  isLight(groups: readonly SealGroup[]): boolean {
    let cells = 0
    for (const { rowCount, positionCount } of groups) {
      if (rowCount * positionCount > GROUP_CELLS_MAX) return false
      cells += rowCount * positionCount
    }
    return cells <= BATCH_CELLS_MAX
  }

  /** Closed rows stay as they are until the answer is taken, so that the main thread may go on between groups. */
  async seal(request: SealRequest): Promise<SealAnswer> {
    const scratch = (this.#scratch ??= new Scratch())
    const chunks: (Uint8Array<ArrayBuffer> | undefined)[] = []
    for (const rows of request.groups) {
      if (chunks.length > 0) await new Promise<void>((resolve) => setImmediate(resolve))
      chunks.push(sealRows(this.#views, scratch, rows))
    }
    await appendChunks(request, { chunks })
    return { chunks }
  }
}
