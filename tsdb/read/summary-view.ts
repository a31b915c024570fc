import type { SelectHints, SelectWindows, TimeRange } from '../../model/index.ts'
import type { SummaryKind } from '../block/summary-kinds.ts'

/** What is asked of a part of the store. */
export type Wanted = TimeRange &
  Pick<SelectHints, 'windows' | 'functionName'> & {
    /** The labels of the series only, whatever is kept of their samples. */
    readonly labelsOnly?: boolean
  }

/** Which summaries answer a function, in the place of samples. */
export interface SummaryView {
  /** Absent: the samples that are kept, the first and the last of each stretch. */
  readonly kind: SummaryKind | undefined
  readonly side: { readonly kind: SummaryKind; readonly as: 'counts' | 'resets' } | undefined
  readonly isThin: boolean
}

const SAMPLES: SummaryView = { kind: undefined, side: undefined, isThin: false }
const SUMS: SummaryView = { kind: 'sum', side: { kind: 'count', as: 'counts' }, isThin: false }
const COUNTERS: SummaryView = { kind: undefined, side: { kind: 'resets', as: 'resets' }, isThin: false }

/** Functions whose windows may be made of summaries even where the samples are at hand: no answer changes but by rounding. */
const OVER_TIME: Readonly<Record<string, SummaryView>> = {
  avg_over_time: SUMS,
  count_over_time: SUMS,
  first_over_time: SAMPLES,
  last_over_time: SAMPLES,
  max_over_time: { kind: 'max', side: undefined, isThin: false },
  min_over_time: { kind: 'min', side: undefined, isThin: false },
  present_over_time: SAMPLES,
  sum_over_time: { kind: 'sum', side: undefined, isThin: false },
}

/** Whether every window begins and ends where a stretch does. */
function isAligned({ firstEndMs, lastEndMs, stepMs, rangeMs }: SelectWindows, resolutionMs: number): boolean {
  const hasSteps = firstEndMs !== lastEndMs
  return firstEndMs % resolutionMs === 0 && rangeMs % resolutionMs === 0 && (!hasSteps || stepMs % resolutionMs === 0)
}

/**
 * How summaries of a resolution answer in the place of samples that are gone; `undefined` where they are too coarse. A window
 * must hold one whole stretch, wherever it begins; steps must be no shorter than a stretch for what looks at one time.
 */
export function tierView({ windows, functionName }: Wanted, resolutionMs: number): SummaryView | undefined {
  if (windows === undefined) return undefined
  const { rangeMs, stepMs } = windows
  if (rangeMs === 0) return stepMs === 0 || stepMs >= resolutionMs ? SAMPLES : undefined
  const aligned = isAligned(windows, resolutionMs)
  if (rangeMs < (aligned ? resolutionMs : 2 * resolutionMs)) return undefined
  // Of windows that begin anywhere the first sample of a stretch would be the last but one of its neighbour: rates go by
  // samples at equal distances, as they do with scrapes.
  if (functionName === 'rate' || functionName === 'increase') return { ...COUNTERS, isThin: !aligned }
  return OVER_TIME[functionName ?? ''] ?? SAMPLES
}

/**
 * How summaries answer beside samples that are at hand, and for what part of the range: whole stretches that no window cuts.
 *
 * @param block whose samples they summarise
 */
export function sectionView(
  { windows, functionName = '', minTimeMs, maxTimeMs }: Wanted,
  resolutionMs: number,
  block: { readonly minTime: number; readonly maxTime: number },
): { readonly view: SummaryView; readonly whole: TimeRange } | undefined {
  const view = OVER_TIME[functionName]
  if (windows === undefined || view === undefined || windows.rangeMs === 0) return undefined
  const isOneWindow = windows.stepMs === 0 && windows.firstEndMs === windows.lastEndMs
  if (!isOneWindow && !isAligned(windows, resolutionMs)) return undefined
  const from = Math.max(minTimeMs, block.minTime)
  const to = Math.min(maxTimeMs, block.maxTime - 1)
  // What lies beyond the block is in another one: its first and its last stretch are whole for it.
  const first = from === block.minTime ? from : Math.ceil((from - 1) / resolutionMs) * resolutionMs + 1
  const last = to === block.maxTime - 1 ? to : Math.floor(to / resolutionMs) * resolutionMs
  if (last - first < STRETCHES_MIN * resolutionMs) return undefined
  return { view, whole: { minTimeMs: first, maxTimeMs: last } }
}

// For fewer it does not pay to open one more file.
const STRETCHES_MIN = 3

/** The parts of a range that none of the others covers. */
export function uncovered(range: TimeRange, others: readonly TimeRange[]): TimeRange[] {
  let parts = [range]
  for (const { minTimeMs, maxTimeMs } of others) {
    parts = parts.flatMap((part) =>
      maxTimeMs < part.minTimeMs || minTimeMs > part.maxTimeMs
        ? [part]
        : [
            { minTimeMs: part.minTimeMs, maxTimeMs: minTimeMs - 1 },
            { minTimeMs: maxTimeMs + 1, maxTimeMs: part.maxTimeMs },
          ].filter((left) => left.minTimeMs <= left.maxTimeMs),
    )
  }
  return parts
}
