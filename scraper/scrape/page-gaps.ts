import type { LoadedPage, PageMemory, Region } from './page-memory.ts'
import { LOCKSTEP_PADDING_BYTES } from '../../kernels/index.ts'

/** What stands between the values of a page, and behind the last. */
interface Gaps {
  readonly region: Region
  readonly length: number
  readonly hash: number
  /** Pages that are kept with it. */
  users: number
}

/** A page that is kept as its values and the gaps between them. */
export interface PackedPage {
  readonly gaps: Gaps
  readonly values: Region
  /** Of the whole page. */
  readonly length: number
}

/** The lines of a page, as the table of the kernel tells them. */
export interface PageLines {
  readonly table: number
  readonly lineCount: number
}

/**
 * Keeps pages with little memory: those of targets that show the same series differ in their values alone, so that names,
 * labels and comments are held once for all of them. A page is put together again to be compared with the next one, which
 * takes no longer than fetching a whole one from memory that nobody has looked at since the last scrape.
 */
export class PageGaps {
  readonly #memory: PageMemory
  readonly #known = new Map<number, Gaps[]>()

  constructor(memory: PageMemory) {
    this.#memory = memory
  }

  /** @param page stays its holder's */
  pack(page: LoadedPage, lines: PageLines): PackedPage {
    const { parts } = this.#memory
    const at = this.#memory.scratch('gaps', page.length + LOCKSTEP_PADDING_BYTES)
    const length = parts.takeGaps(page.at, page.length, lines.table, lines.lineCount, at)
    const gaps = this.#known.get(parts.hash(at, length))?.find((one) => this.#isAt(one, at, length))
    return this.#withValues(page, lines, gaps ?? this.#add(at, length), undefined)
  }

  /** As `pack` for a page that differs from `old` in its values alone, in the place of that. */
  repack(page: LoadedPage, lines: PageLines, old: PackedPage): PackedPage {
    return this.#withValues(page, lines, old.gaps, old.values)
  }

  /** The page in scratch, until the next page of any target. @param lines those that it was packed with */
  unpack({ gaps, values, length }: PackedPage, { table, lineCount }: PageLines): LoadedPage {
    const at = this.#memory.scratch('unpacked', length + LOCKSTEP_PADDING_BYTES)
    this.#memory.parts.join(gaps.region.at, gaps.length, values.at, table, lineCount, at)
    return { at, length, region: undefined }
  }

  free({ gaps, values }: PackedPage): void {
    this.#memory.free(values)
    if (--gaps.users > 0) return
    this.#memory.free(gaps.region)
    const others = this.#known.get(gaps.hash)!.filter((one) => one !== gaps)
    if (others.length > 0) this.#known.set(gaps.hash, others)
    else this.#known.delete(gaps.hash)
  }

  #isAt(gaps: Gaps, at: number, length: number): boolean {
    return gaps.length === length && this.#memory.parts.equal(gaps.region.at, at, length)
  }

  #add(at: number, length: number): Gaps {
    const { parts, kernel } = this.#memory
    const hash = parts.hash(at, length)
    const region = this.#memory.allocate(length + LOCKSTEP_PADDING_BYTES)
    kernel.copy(region.at, at, length)
    const gaps: Gaps = { region, length, hash, users: 0 }
    const others = this.#known.get(hash)
    if (others) others.push(gaps)
    else this.#known.set(hash, [gaps])
    return gaps
  }

  #withValues(page: LoadedPage, lines: PageLines, gaps: Gaps, old: Region | undefined): PackedPage {
    const bytes = page.length - gaps.length + LOCKSTEP_PADDING_BYTES
    let values = old
    if (values === undefined || values.capacity < bytes) {
      if (values) this.#memory.free(values)
      else gaps.users++
      values = this.#memory.allocate(bytes)
    }
    this.#memory.parts.takeValues(page.at, lines.table, lines.lineCount, values.at)
    return { gaps, values, length: page.length }
  }
}
