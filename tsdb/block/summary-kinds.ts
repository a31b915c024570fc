import type { Labels } from '../../model/index.ts'

// Format: docs/formats/summary.md.
/** Stands before the labels of a target whose group holds summaries instead of samples; no series can have it. */
const KIND_LABEL = '\u0000'

/** What is kept of the samples of one series in one stretch of time, besides its first and last sample. */
export const SUMMARY_KINDS = ['count', 'max', 'min', 'resets', 'sum'] as const
export type SummaryKind = (typeof SUMMARY_KINDS)[number]

/** Labels of the group that holds one kind for a target. */
export const labelsWithKind = (target: Labels, kind: SummaryKind): Labels => [KIND_LABEL, kind, ...target]

/** The kind that a group holds, and its target's labels. */
export function splitKind(labels: Labels): { readonly kind: string | undefined; readonly target: Labels } {
  return labels[0] === KIND_LABEL ? { kind: labels[1]!, target: labels.slice(2) } : { kind: undefined, target: labels }
}

/** Stretches begin right behind a multiple of the resolution and end at the next one, as the windows of queries do. */
export const stretchEnd = (timeMs: number, resolutionMs: number): number =>
  Math.ceil(timeMs / resolutionMs) * resolutionMs
