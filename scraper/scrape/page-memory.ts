import {
  createKernelMemory,
  KERNEL_RESERVED_BYTES,
  LOCKSTEP_EVENT_BYTES,
  LOCKSTEP_PADDING_BYTES,
  LOCKSTEP_PARAM_BYTES,
  LOCKSTEP_TABLE_BYTES,
  type LockstepKernel,
  LockstepParam,
  type PagePartsKernel,
  wasmPageParts,
} from '../../kernels/index.ts'
import { ROW_ENTRY_BYTES } from '../../model/index.ts'
import { PageGaps } from './page-gaps.ts'

/** A piece of the memory that its holder owns until it frees it. */
export interface Region {
  readonly at: number
  readonly capacity: number
}

/** A page with a newline at its end, counted in `length`, and readable memory behind it. */
export interface LoadedPage {
  readonly at: number
  readonly length: number
  /** `undefined`: it is not its holder's, and stands there until the next one is received. */
  readonly region: Region | undefined
}

/** What the kernel has made of a page, and where: out of the way of the pages that come in between. */
export interface SetAside {
  readonly scratch: Map<string, Region>
  readonly params: Uint32Array
  readonly outputLines: number
  readonly outputEntries: number
}

/** Entries the writer may put before the kernel's, for the series about the scrape itself. */
export const FRONT_ENTRIES = 8

const PAGE_BYTES = 65_536
const NEWLINE = 10
// A page in one piece is compared where it was received.
const RECEIVE_BYTES = 256 * 1024

/**
 * The scraper's own kernel memory: what is kept of each target's last page, its line table, and one scratch area that the
 * scrape being processed uses. Pages are processed one at a time, start to end, without a pause in between, unless one is set
 * aside.
 */
export class PageMemory {
  readonly memory: WebAssembly.Memory
  readonly kernel: LockstepKernel
  readonly parts: PagePartsKernel
  readonly gaps = new PageGaps(this)
  #nextAt: number
  readonly #free = new Map<number, Region[]>()
  #scratch = new Map<string, Region>()
  /** What the kernel's outputs have room for. */
  #outputLines = -1
  #outputEntries = -1
  /** What the memory was when they were handed out: growing makes another object of it, at the same place. */
  readonly #receivers: ArrayBufferLike[] = []
  #params: Uint32Array
  #bytes: Uint8Array
  #words: Int32Array
  #floats: Float64Array

  constructor(createKernel: (memory: WebAssembly.Memory, paramsAt: number) => LockstepKernel) {
    this.memory = createKernelMemory({ initialBytes: 1 << 20, maximumBytes: 2 ** 32 - PAGE_BYTES })
    this.kernel = createKernel(this.memory, KERNEL_RESERVED_BYTES)
    this.parts = wasmPageParts(this.memory)
    this.#nextAt = align(KERNEL_RESERVED_BYTES + LOCKSTEP_PARAM_BYTES)
    this.#params = new Uint32Array(this.memory.buffer, KERNEL_RESERVED_BYTES, LOCKSTEP_PARAM_BYTES / 4)
    this.#bytes = new Uint8Array(this.memory.buffer)
    this.#words = new Int32Array(this.memory.buffer)
    this.#floats = new Float64Array(this.memory.buffer)
  }

  /** Views of the whole memory; taken anew after anything that may allocate. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  get words(): Int32Array {
    return this.#words
  }

  get floats(): Float64Array {
    return this.#floats
  }

  get params(): Uint32Array {
    return this.#params
  }

  get reservedBytes(): number {
    return this.#nextAt
  }

  allocate(byteCount: number): Region {
    const capacity = sizeClass(byteCount)
    const reused = this.#free.get(capacity)?.pop()
    if (reused) return reused
    const region = { at: this.#nextAt, capacity }
    this.#nextAt += capacity
    const missing = this.#nextAt - this.#bytes.length
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES))
      const { buffer } = this.memory
      this.#bytes = new Uint8Array(buffer)
      this.#words = new Int32Array(buffer)
      this.#floats = new Float64Array(buffer)
      this.#params = new Uint32Array(buffer, KERNEL_RESERVED_BYTES, LOCKSTEP_PARAM_BYTES / 4)
    }
    return region
  }

  free(region: Region): void {
    const list = this.#free.get(region.capacity)
    if (list) list.push(region)
    else this.#free.set(region.capacity, [region])
  }

  /** Scratch by name, at least so big; its content does not survive the next request for more. */
  scratch(name: string, byteCount: number): number {
    const held = this.#scratch.get(name)
    if (held && held.capacity >= byteCount) return held.at
    if (held) this.free(held)
    const region = this.allocate(byteCount)
    this.#scratch.set(name, region)
    return region.at
  }

  /** Lets other pages be processed before this one is. Must be taken up again, or freed. */
  setAside(): SetAside {
    const aside = {
      scratch: this.#scratch,
      params: this.#params.slice(),
      outputLines: this.#outputLines,
      outputEntries: this.#outputEntries,
    }
    this.#startAnew(new Map())
    return aside
  }

  /** Goes on with the page that was set aside. */
  takeUp(aside: SetAside): void {
    for (const region of this.#scratch.values()) this.free(region)
    this.#startAnew(aside.scratch, aside.outputLines, aside.outputEntries)
    this.#params.set(aside.params)
  }

  freeAside({ scratch }: SetAside): void {
    for (const region of scratch.values()) this.free(region)
  }

  #startAnew(scratch: Map<string, Region>, outputLines = -1, outputEntries = -1): void {
    this.#scratch = scratch
    this.#outputLines = outputLines
    this.#outputEntries = outputEntries
  }

  /** Copies a page in, unless it was received here, and ends it with a newline. The caller owns what comes back. */
  loadPage(body: Uint8Array): LoadedPage {
    const endsWell = body.length === 0 || body[body.length - 1] === NEWLINE
    const length = body.length + (endsWell ? 0 : 1)
    const isHere = this.#receivers.includes(body.buffer)
    const region = isHere ? undefined : this.allocate(length + LOCKSTEP_PADDING_BYTES)
    const at = region?.at ?? body.byteOffset
    if (region) this.#bytes.set(body, at)
    if (!endsWell) this.#bytes[at + body.length] = NEWLINE
    return { at, length, region }
  }

  /** The page as one that lasts, in the place of `old` where it fits there. */
  keepPage(page: LoadedPage, old: LoadedPage | undefined): LoadedPage {
    if (page.region) {
      if (old) this.freePage(old)
      return page
    }
    const { at, length } = page
    const bytes = length + LOCKSTEP_PADDING_BYTES
    let region = old?.region
    if (region === undefined || region.capacity < bytes) {
      if (region) this.free(region)
      region = this.allocate(bytes)
    }
    // Unless it is the old one, lent.
    if (region.at !== at) this.kernel.copy(region.at, at, length)
    return { at: region.at, length, region }
  }

  freePage({ region }: LoadedPage): void {
    if (region) this.free(region)
  }

  /** Room to receive pages in: `loadPage` takes views of it as they are. */
  receiver(): Uint8Array {
    const { at } = this.allocate(RECEIVE_BYTES + LOCKSTEP_PADDING_BYTES)
    const { buffer } = this.memory
    this.#receivers.push(buffer)
    return new Uint8Array(buffer, at, RECEIVE_BYTES)
  }

  /** Points the kernel's outputs at scratch that fits a page of so many lines, and so many entries besides. */
  prepareOutput(lineCountMax: number, extraEntries: number): void {
    if (lineCountMax <= this.#outputLines && lineCountMax + extraEntries <= this.#outputEntries) return
    this.#outputLines = lineCountMax
    this.#outputEntries = lineCountMax + extraEntries
    const entries = this.scratch('entries', (FRONT_ENTRIES + lineCountMax + extraEntries) * ROW_ENTRY_BYTES)
    const events = this.scratch('events', lineCountMax * LOCKSTEP_EVENT_BYTES)
    const lengths = this.scratch('lengths', lineCountMax * 8)
    this.#params[LockstepParam.ENTRIES] = entries + FRONT_ENTRIES * ROW_ENTRY_BYTES
    this.#params[LockstepParam.EVENTS] = events
    this.#params[LockstepParam.LENGTHS] = lengths
  }

  /** As `prepareOutput`, and what `rematch` needs besides. */
  prepareRematch(lineCountMax: number, oldLineCount: number, extraEntries: number): void {
    this.prepareOutput(lineCountMax, extraEntries)
    const newTable = this.scratch('newTable', lineCountMax * LOCKSTEP_TABLE_BYTES)
    const newMap = this.scratch('newMap', lineCountMax * 4)
    const starts = this.scratch('starts', oldLineCount * 4)
    const matched = this.scratch('matched', oldLineCount)
    let hashCount = 16
    while (hashCount < oldLineCount * 2) hashCount *= 2
    const hashes = this.scratch('hashes', hashCount * 4)
    const params = this.#params
    params[LockstepParam.NEW_TABLE] = newTable
    params[LockstepParam.NEW_MAP] = newMap
    params[LockstepParam.STARTS] = starts
    params[LockstepParam.MATCHED] = matched
    params[LockstepParam.HASHES] = hashes
    params[LockstepParam.HASH_MASK] = hashCount - 1
  }
}

const align = (byteCount: number): number => (byteCount + 15) & ~15

/** Powers of two in four steps each: at most a quarter is lost, and a page that grows a little fits where it was. */
function sizeClass(byteCount: number): number {
  const wanted = Math.max(256, byteCount)
  const power = 2 ** Math.floor(Math.log2(wanted))
  return power + Math.ceil((wanted - power) / (power / 4)) * (power / 4)
}
