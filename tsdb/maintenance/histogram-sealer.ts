import type { Head } from '../head/head.ts'
import type { HistogramPageInfo } from '../histogram/head-histograms.ts'
import { removeHistogramFile } from '../histogram/head-histogram-file.ts'
import type { HistogramPagesRequest, SealHistogramsRequest } from './protocol.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Puts the histograms of the head into files of their own, and takes those away that are in blocks. */
export class HistogramSealer {
  readonly #head: Head
  readonly #folder: string
  readonly #worker: WorkerHandle

  constructor(head: Head, folder: string, worker: WorkerHandle) {
    this.#head = head
    this.#folder = folder
    this.#worker = worker
  }

  /** Resolves when all that is in the head now is in files: then the log before may go. */
  async seal(): Promise<void> {
    const { histograms } = this.#head
    const unsealed = histograms.takeUnsealed()
    if (unsealed.length === 0) return
    const windows = new Map<number, typeof unsealed>()
    for (const item of unsealed) {
      const startMs = histograms.windowOf(item.page)
      const items = windows.get(startMs)
      if (items) items.push(item)
      else windows.set(startMs, [item])
    }
    const request: SealHistogramsRequest = {
      folder: this.#folder,
      windows: Array.from(windows, ([windowStartMs, items]) => ({
        windowStartMs,
        series: items.map(({ labelSet, page }) => ({ labelSet, pages: [pageRequest(page)] })),
      })),
    }
    await this.#worker.call('sealHistograms', request)
    for (const { page } of unsealed) page.isDurable = true
  }

  /** Histograms of windows of which the head holds no rows any more are in blocks. */
  dropBlocked(): void {
    const { histograms, minValidMs, windowMs } = this.#head
    const gone = [...histograms.windows()].filter(
      (startMs) => startMs + windowMs <= minValidMs && !this.#head.hasSamplesIn(startMs, startMs + windowMs),
    )
    if (gone.length === 0) return
    histograms.drop((startMs) => gone.includes(startMs))
    for (const startMs of gone) removeHistogramFile(this.#folder, startMs)
  }

  /** Of one window, for its block. */
  pagesIn(windowStartMs: number): HistogramPagesRequest[] {
    return this.#head.histograms
      .pagesIn(windowStartMs)
      .map(({ labelSet, pages }) => ({ labelSet, pages: pages.map(pageRequest) }))
  }
}

/** A copy: the page may grow meanwhile. */
const pageRequest = ({ pointer, length, count, minTimeMs, maxTimeMs }: HistogramPageInfo) => ({
  pointer,
  length,
  count,
  minTimeMs,
  maxTimeMs,
})
