import { HeadLabels } from '../read/head-labels.ts'
import type { HistogramSeriesPages } from '../histogram/block-histograms.ts'
import { appendHistogramPages } from '../histogram/head-histogram-file.ts'
import { Root } from '../memory/layout.ts'
import { rootWord } from '../memory/shared-table.ts'
import type { MemoryViews } from '../memory/views.ts'
import type { HistogramPagesRequest, SealHistogramsRequest } from './protocol.ts'

/** Writes histogram pages of the head to the files of their windows, synced. */
export async function sealHistograms(views: MemoryViews, { folder, windows }: SealHistogramsRequest): Promise<void> {
  for (const { windowStartMs, series } of windows) {
    const pages = copyHistogramPages(views, series).flatMap(({ labels, pages: own }) =>
      own.map((page) => ({ labels, ...page })),
    )
    await appendHistogramPages(folder, windowStartMs, pages)
  }
}

/** Copies pages out of head memory. */
export function copyHistogramPages(
  views: MemoryViews,
  requests: readonly HistogramPagesRequest[],
): HistogramSeriesPages[] {
  const headLabels = new HeadLabels(views, rootWord(views, Root.LABEL_SET_COUNT))
  return requests.map(({ labelSet, pages }) => ({
    labels: headLabels.labelSet(labelSet),
    pages: pages.map(({ pointer, length, count, minTimeMs, maxTimeMs }) => ({
      bytes: views.u8.slice(pointer, pointer + length),
      count,
      minTimeMs,
      maxTimeMs,
    })),
  }))
}
