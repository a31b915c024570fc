import type { RowKernels } from '../../kernels/index.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import type { Catalogue } from './catalogue.ts'

/** Where row records go before they are visible. */
export interface RowLog {
  /** Number of the segment that takes the next record. */
  readonly segment: number
  /** Room for a payload in head memory. */
  reserve(bytesMax: number): number
  /** @param sequence number of the row since the key row */
  commit(type: number, group: number, positionCount: number, payloadBytes: number, sequence: number): void
}

/** What all groups of a head have in common. */
export interface GroupShared {
  readonly memory: HeadMemory
  readonly catalogue: Catalogue
  readonly kernels: RowKernels
  readonly log: () => RowLog
  /** Working memory for the kernels, at least this long. */
  work(bytes: number): number
  /** Called when so many bytes of rows were closed and wait for their seal. */
  onClosed(bytes: number): void
  readonly windowMs: number
  /** Told the time of each row. */
  onRow(timestampMs: number): void
  /** Told when chunks with late samples go. */
  onLateGone(): void
}
