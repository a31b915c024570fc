// Hot: every scrape's entries go through here. Covered by bench/load/ingest.ts.
import { LockstepParam } from '../../kernels/index.ts'
import { ROW_ENTRY_BYTES, SampleKind } from '../../model/index.ts'
import { writeRawPayload } from './line-events.ts'
import type { LoadedPage, PageMemory } from './page-memory.ts'

/** Entries of the row to come, in the memory's scratch, and the page they came from. */
export interface StagedRow {
  readonly page: LoadedPage | undefined
  /** Lines of a page of new layout, `undefined` where only values changed. */
  readonly lineCount: number | undefined
  readonly comparable: boolean
  /** By position, 1 where a line of the page owns it; `undefined` where nothing came or went. */
  readonly claimed: Uint8Array | undefined
  entryCount: number
  ordered: boolean
}

/** Where the entries of a row stand. */
export interface RowEntries {
  readonly at: number
  readonly count: number
}

/** Takes note of what the kernel has made of a page that differs from the last one only in values. */
export function stageSame({ params }: PageMemory, page: LoadedPage): StagedRow {
  const entryCount = params[LockstepParam.ENTRY_COUNT]!
  const ordered = params[LockstepParam.ORDERED] === 1
  return { page, lineCount: undefined, comparable: true, claimed: undefined, entryCount, ordered }
}

/** As `stageSame`, of a page of another layout. */
export function stageNew(
  { params }: PageMemory,
  of: Pick<StagedRow, 'page' | 'lineCount' | 'comparable' | 'claimed'>,
): StagedRow {
  const entryCount = params[LockstepParam.ENTRY_COUNT]!
  return { ...of, entryCount, ordered: params[LockstepParam.ORDERED] === 1 }
}

/** A row that no page stands behind, with room for an entry per position. */
export function stageNothing(memory: PageMemory, positionCount: number): StagedRow {
  memory.prepareOutput(0, positionCount)
  return { page: undefined, lineCount: undefined, comparable: true, claimed: undefined, entryCount: 0, ordered: true }
}

/** Room was made for an entry per line and one per position. Returns the entry's address. */
export function addEntry(memory: PageMemory, staged: StagedRow, position: number, kind: SampleKind): number {
  const at = memory.params[LockstepParam.ENTRIES]! + staged.entryCount * ROW_ENTRY_BYTES
  memory.words.fill(0, at / 4, at / 4 + 4)
  memory.words[at / 4] = position
  memory.words[at / 4 + 1] = kind
  staged.entryCount++
  staged.ordered = false
  return at
}

export function addValue(memory: PageMemory, staged: StagedRow, position: number, value: number): void {
  const whole = Number.isSafeInteger(value) && !Object.is(value, -0)
  const at = addEntry(memory, staged, position, whole ? SampleKind.DECIMAL : SampleKind.RAW)
  if (!whole) return writeRawPayload(memory, at, value)
  memory.words[at / 4 + 2] = value
  memory.words[at / 4 + 3] = Math.floor(value / 2 ** 32)
}

/**
 * The entries in the order of their positions.
 *
 * @param front number of entries that were put before the staged ones
 * @param frontEnd position behind those of the entries in front
 */
export function orderedEntries(
  memory: PageMemory,
  staged: StagedRow,
  { front, frontEnd, positionCount }: { front: number; frontEnd: number; positionCount: number },
): RowEntries {
  const entries = memory.params[LockstepParam.ENTRIES]!
  const at = entries - front * ROW_ENTRY_BYTES
  const count = staged.entryCount + front
  // The kernel's entries ascend on their own, but a series named like one of the report's would stand behind the front.
  if (staged.ordered && memory.words[entries / 4]! >= frontEnd) return { at, count }
  const slots = memory.scratch('slots', positionCount * 4)
  const sorted = memory.scratch('sorted', count * ROW_ENTRY_BYTES)
  return { at: sorted, count: memory.kernel.order(at, count, slots, positionCount, sorted) }
}
