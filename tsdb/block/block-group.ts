import type { Scratch } from '../memory/scratch.ts'
import { packTimesOf } from '../maintenance/seal.ts'
import type { BlockGroup } from './block-index.ts'

/** A group as the index has it. @param timesMs of its rows, ascending, at least one */
export const blockGroupOf = (scratch: Scratch, labelSet: number, timesMs: Float64Array): BlockGroup => ({
  labelSet,
  rowCount: timesMs.length,
  minTimeMs: timesMs[0]!,
  maxTimeMs: timesMs[timesMs.length - 1]!,
  timestamps: packTimesOf(scratch, timesMs),
})
