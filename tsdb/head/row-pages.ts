import type { HeadMemory } from '../memory/head-memory.ts'
import { PAGE_HEADER_BYTES, Page } from '../memory/layout.ts'

const PAGE_BYTES_MIN = 1024
const PAGE_BYTES_MAX = 65_536
const ROWS_PER_PAGE = 8

/** The chain of pages that the open rows of a group are appended to. A row lies whole in one page. */
export class RowPages {
  readonly #memory: HeadMemory
  #first = 0
  #last = 0
  #usualRowBytes = 0
  #bytes = 0

  constructor(memory: HeadMemory) {
    this.#memory = memory
  }

  /** The first page; 0 while there is none. */
  get first(): number {
    return this.#first
  }

  /** Bytes of rows appended. */
  get bytes(): number {
    return this.#bytes
  }

  /** Copies a row behind the others. Readers look no further than the row count they were told. */
  append(row: number, length: number): void {
    let page = this.#last
    const isKey = page === 0
    if (isKey || this.#memory.views.u32[(page >>> 2) + Page.USED]! + length > capacityOf(this.#memory, page)) {
      page = this.#addPage(length)
    }
    const { u8, u32 } = this.#memory.views
    const used = u32[(page >>> 2) + Page.USED]!
    u8.copyWithin(page + PAGE_HEADER_BYTES + used, row, row + length)
    u32[(page >>> 2) + Page.USED] = used + length
    u32[(page >>> 2) + Page.ROWS]! += 1
    // The first row is a key row, ten times as long as others: pages for a dozen of those would stay empty for an hour, and
    // fit nobody later.
    if (!isKey) this.#usualRowBytes = length
    this.#bytes += length
  }

  /** Lets go of the chain, which somebody else holds now, and starts the next. */
  detach(): void {
    this.#first = 0
    this.#last = 0
    this.#bytes = 0
  }

  #addPage(rowBytes: number): number {
    const wanted = Math.max(PAGE_BYTES_MIN, ROWS_PER_PAGE * this.#usualRowBytes, PAGE_HEADER_BYTES + rowBytes)
    // Few sizes, so that every group can use what another has given back.
    const bytes =
      wanted > PAGE_BYTES_MAX / 2 ? Math.max(PAGE_BYTES_MAX, PAGE_HEADER_BYTES + rowBytes) : powerOfTwo(wanted)
    const page = this.#memory.allocate(bytes)
    const { u32 } = this.#memory.views
    const at = page >>> 2
    u32[at + Page.NEXT] = 0
    u32[at + Page.ROWS] = 0
    u32[at + Page.USED] = 0
    u32[at + Page.CAPACITY] = bytes - PAGE_HEADER_BYTES
    if (this.#last === 0) this.#first = page
    else Atomics.store(u32, (this.#last >>> 2) + Page.NEXT, page)
    this.#last = page
    return page
  }
}

/** Retires a whole chain. */
export function retirePages(memory: HeadMemory, first: number): void {
  for (let page = first; page !== 0; ) {
    const next = memory.views.u32[(page >>> 2) + Page.NEXT]!
    memory.retire(page, PAGE_HEADER_BYTES + capacityOf(memory, page))
    page = next
  }
}

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(atLeast))

const capacityOf = (memory: HeadMemory, page: number): number => memory.views.u32[(page >>> 2) + Page.CAPACITY]!
