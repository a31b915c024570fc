import { LOCKSTEP_TABLE_BYTES, LockstepParam } from '../../kernels/index.ts'
import type { PackedPage, PageLines } from './page-gaps.ts'
import type { LoadedPage, PageMemory, Region } from './page-memory.ts'

// Packing needs as much working memory again as the longest page, which is then held for good.
const PACKED_BYTES_MAX = 1 << 20

/** Regions belong to whoever takes it. */
export interface FinishedLayout {
  readonly page: LoadedPage
  readonly table: Region
  readonly map: Region
  readonly lineCount: number
  /** Every line fits the table. */
  readonly fits: boolean
  readonly comparable: boolean
}

/**
 * The last accepted page of one target and what each of its lines means: the input of the next comparison. Results of
 * `compare` and `rematch` stand in the memory's scratch until the next page of any target.
 */
export class PageLayout {
  readonly #memory: PageMemory
  /** Whole, where its lines do not fit the table, or it has only been learnt; else packed. */
  #page: LoadedPage | undefined
  #packed: PackedPage | undefined
  #table: Region | undefined
  #map: Region | undefined
  #lineCount = 0
  /** The table describes the page. */
  #matchable = false
  /** And no line has anything behind its value. */
  #comparable = false

  constructor(memory: PageMemory) {
    this.#memory = memory
  }

  get lineCount(): number {
    return this.#lineCount
  }

  /** True when the page differs from the last one at most in values; the entries then stand in scratch. */
  compare(page: LoadedPage, extraEntries: number): boolean {
    if (!this.#comparable) return false
    this.#memory.prepareOutput(this.#lineCount, extraEntries)
    this.#setInput(page, this.#lineCount)
    this.#memory.kernel.compare()
    return this.#memory.params[LockstepParam.COMPLETE] === 1
  }

  /**
   * @param force entries for all lines found, not only for changed ones
   * @returns number of lines, -1 for a malformed page
   */
  rematch(page: LoadedPage, force: boolean, extraEntries: number): number {
    const lineCountMax = this.#memory.kernel.countLines(page.at, page.length)
    // A page that did not fit the table cannot be compared with: every line is new then.
    const oldLineCount = this.#matchable ? this.#lineCount : 0
    this.#memory.prepareRematch(lineCountMax, oldLineCount, extraEntries)
    this.#setInput(page, oldLineCount)
    this.#memory.params[LockstepParam.FORCE] = force ? 1 : 0
    return this.#memory.kernel.rematch()
  }

  /** Takes the page over after a complete `compare`. */
  acceptSame(page: LoadedPage): void {
    this.#memory.kernel.apply()
    if (this.#packed) {
      this.#packed = this.#memory.gaps.repack(page, this.#lines, this.#packed)
      this.#memory.freePage(page)
    } else this.#keep(page)
  }

  /**
   * Takes the page over after `rematch`, with the map as it now stands in scratch.
   *
   * @param comparable whether the next page may be compared line by line (no timestamps, no exemplars)
   */
  acceptNew(page: LoadedPage, lineCount: number, comparable: boolean): void {
    const { params } = this.#memory
    const fits = params[LockstepParam.IRREGULAR] === 0
    const newTable = params[LockstepParam.NEW_TABLE]!
    const newMap = params[LockstepParam.NEW_MAP]!
    this.#table = this.#resize(this.#table, lineCount * LOCKSTEP_TABLE_BYTES)
    this.#map = this.#resize(this.#map, lineCount * 4)
    const { bytes } = this.#memory
    bytes.copyWithin(this.#table.at, newTable, newTable + lineCount * LOCKSTEP_TABLE_BYTES)
    bytes.copyWithin(this.#map.at, newMap, newMap + lineCount * 4)
    this.#lineCount = lineCount
    this.#matchable = fits
    this.#comparable = fits && comparable
    this.#keep(page)
  }

  /** Takes over a layout that was put together piece by piece. */
  adopt({ page, table, map, lineCount, fits, comparable }: FinishedLayout): void {
    for (const region of [this.#table, this.#map]) if (region) this.#memory.free(region)
    this.#table = table
    this.#map = map
    this.#lineCount = lineCount
    this.#matchable = fits
    this.#comparable = fits && comparable
    this.#keepWhole(page)
  }

  /** The page that was adopted, to be read once more as if it came again. */
  lendPage(): LoadedPage {
    return { ...this.#page!, region: undefined }
  }

  /** A copy of the accepted page, empty before there is one. */
  pageCopy(): Uint8Array {
    const page = this.#wholePage()
    if (!page) return new Uint8Array(0)
    const { at, length } = page
    return Uint8Array.from(this.#memory.bytes.subarray(at, at + length))
  }

  /** Lines mean something else from now on (other relabelling): every line of the next page counts as new. */
  forgetLines(): void {
    this.#matchable = false
    this.#comparable = false
  }

  free(): void {
    this.#freePage()
    for (const region of [this.#table, this.#map]) if (region) this.#memory.free(region)
    this.#table = undefined
    this.#map = undefined
    this.#lineCount = 0
    this.forgetLines()
  }

  #setInput(page: LoadedPage, lineCount: number): void {
    const previous = this.#matchable ? this.#wholePage() : undefined
    const { params } = this.#memory
    params[LockstepParam.CUR] = page.at
    params[LockstepParam.CUR_LENGTH] = page.length
    params[LockstepParam.PREV] = previous?.at ?? 0
    params[LockstepParam.PREV_LENGTH] = previous?.length ?? 0
    params[LockstepParam.TABLE] = this.#table?.at ?? 0
    params[LockstepParam.LINE_COUNT] = lineCount
    params[LockstepParam.MAP] = this.#map?.at ?? 0
  }

  get #lines(): PageLines {
    return { table: this.#table!.at, lineCount: this.#lineCount }
  }

  #wholePage(): LoadedPage | undefined {
    return this.#packed ? this.#memory.gaps.unpack(this.#packed, this.#lines) : this.#page
  }

  /** Instead of the page before. */
  #keep(page: LoadedPage): void {
    if (!this.#matchable || page.length > PACKED_BYTES_MAX) return this.#keepWhole(page)
    const packed = this.#memory.gaps.pack(page, this.#lines)
    this.#memory.freePage(page)
    this.#freePage()
    this.#packed = packed
  }

  #keepWhole(page: LoadedPage): void {
    const old = this.#page
    if (this.#packed) this.#freePage()
    this.#page = this.#memory.keepPage(page, old)
  }

  #freePage(): void {
    if (this.#page) this.#memory.freePage(this.#page)
    if (this.#packed) this.#memory.gaps.free(this.#packed)
    this.#page = undefined
    this.#packed = undefined
  }

  #resize(held: Region | undefined, byteCount: number): Region {
    if (held && held.capacity >= byteCount) return held
    if (held) this.#memory.free(held)
    return this.#memory.allocate(byteCount)
  }
}
