import { LOCKSTEP_TABLE_BYTES, LockstepParam } from '../../kernels/index.ts'
import { type FinishedLayout, PageLayout } from './page-layout.ts'
import type { LoadedPage, PageMemory, Region } from './page-memory.ts'

const NEWLINE = 10
const HASH = 35

/** Where the next slice of about `lineCount` lines ends: behind a sample line, so that comments stay with the line they lead to. */
export function sliceEnd(body: Uint8Array, start: number, lineCount: number): number {
  let at = start
  for (let lines = 0; at < body.length; ) {
    const isSample = body[at] !== HASH && body[at] !== NEWLINE
    const newline = body.indexOf(NEWLINE, at)
    at = newline < 0 ? body.length : newline + 1
    if (++lines >= lineCount && isSample) break
  }
  return at
}

/** The layout of a page that is learnt slice by slice: each slice is a page of its own to the kernel. */
export class LayoutDraft {
  readonly #memory: PageMemory
  readonly #scratch: PageLayout
  #table: Region
  #map: Region
  #lineCount = 0
  #fits = true
  #comparable = true
  /** Bytes behind the last value of the slices so far: they belong to the gap before the next line. */
  #trailing = 0
  #isDone = false

  /** @param lineCountMax of the whole page */
  constructor(memory: PageMemory, lineCountMax: number) {
    this.#memory = memory
    this.#scratch = new PageLayout(memory)
    this.#table = memory.allocate(lineCountMax * LOCKSTEP_TABLE_BYTES)
    this.#map = memory.allocate(lineCountMax * 4)
  }

  /** @returns number of lines, -1 for a malformed slice; map and events stand in scratch, all lines fresh */
  scan(slice: LoadedPage): number {
    return this.#scratch.rematch(slice, false, 0)
  }

  /** Takes the slice that was scanned last, with the map as it now stands in scratch. */
  append(slice: LoadedPage, lineCount: number, comparable: boolean): void {
    const { words, bytes, params } = this.#memory
    const tableAt = params[LockstepParam.NEW_TABLE]!
    const mapAt = params[LockstepParam.NEW_MAP]!
    let end = 0
    for (let i = 0; i < lineCount; i++) {
      const row = (tableAt + i * LOCKSTEP_TABLE_BYTES) / 4
      end += words[row]! + (words[row + 1]! & 255)
    }
    if (lineCount > 0) {
      words[tableAt / 4]! += this.#trailing
      this.#trailing = slice.length - end
    } else this.#trailing += slice.length
    const tableTo = this.#table.at + this.#lineCount * LOCKSTEP_TABLE_BYTES
    bytes.copyWithin(tableTo, tableAt, tableAt + lineCount * LOCKSTEP_TABLE_BYTES)
    bytes.copyWithin(this.#map.at + this.#lineCount * 4, mapAt, mapAt + lineCount * 4)
    this.#lineCount += lineCount
    this.#fits &&= params[LockstepParam.IRREGULAR] === 0
    this.#comparable &&= comparable
  }

  finish(page: LoadedPage): FinishedLayout {
    this.#isDone = true
    return {
      page,
      table: this.#table,
      map: this.#map,
      lineCount: this.#lineCount,
      fits: this.#fits,
      comparable: this.#comparable,
    }
  }

  /** Gives the memory back, unless the layout has been handed over. */
  close(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#memory.free(this.#table)
    this.#memory.free(this.#map)
  }
}
