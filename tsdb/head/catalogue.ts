import type { Labels } from '../../model/index.ts'
import type { HeadMemory } from '../memory/head-memory.ts'
import { LOST_LABEL_SET, RECORD_HEADER_BYTES, Root } from '../memory/layout.ts'
import { SharedTable } from '../memory/shared-table.ts'

const SYMBOL_CACHE_MAX = 8192

/** A list of label sets by position. Shared by all groups of one layout; an owner of its own may extend it in place. */
export interface Template {
  readonly id: number
  readonly hash: number
  pointer: number
  capacity: number
  count: number
  users: number
}

/** What is found to be in use while the catalogue is swept. */
interface CatalogueMarks {
  addLabelSet(id: number): void
  addGroup(labelSet: number, streamSymbol: number): void
}

class Marks implements CatalogueMarks {
  readonly labelSets: Uint8Array
  readonly symbols: Uint8Array

  constructor(labelSetCount: number, symbolCount: number) {
    this.labelSets = new Uint8Array(labelSetCount)
    this.symbols = new Uint8Array(symbolCount)
  }

  addLabelSet(id: number): void {
    if (id !== LOST_LABEL_SET) this.labelSets[id] = 1
  }

  addGroup(labelSet: number, streamSymbol: number): void {
    this.labelSets[labelSet] = 1
    this.symbols[streamSymbol] = 1
  }
}

/**
 * Symbols (label names and values), label sets and templates, each interned, in shared memory. Templates are freed when no
 * group uses them, symbols and label sets by a sweep.
 */
export class Catalogue {
  readonly #memory: HeadMemory
  readonly #symbols: SharedTable
  readonly #labelSets: SharedTable
  readonly #encoder = new TextEncoder()
  readonly #decoder = new TextDecoder()
  readonly #symbolIds = new Map<string, number>()
  readonly #templates = new Map<number, Template[]>()
  #labelSetSlots = new Uint32Array(1024)
  #pairs = new Uint32Array(64)
  #nextTemplateId = 1
  #symbolBytes = 0

  constructor(memory: HeadMemory) {
    this.#memory = memory
    this.#symbols = new SharedTable(memory, Root.SYMBOL_DIRECTORY, Root.SYMBOL_COUNT)
    this.#labelSets = new SharedTable(memory, Root.LABEL_SET_DIRECTORY, Root.LABEL_SET_COUNT)
    memory.setRoot(Root.SYMBOL_HASH, memory.allocateZeroed(1024 * 4))
    memory.setRoot(Root.SYMBOL_HASH_SLOTS, 1024)
    this.symbol('')
  }

  get symbolCount(): number {
    return this.#symbols.usedCount
  }

  get symbolBytes(): number {
    return this.#symbolBytes
  }

  get labelSetCount(): number {
    return this.#labelSets.usedCount
  }

  /** The label sets of templates are in use from the start; the caller adds what it knows of. */
  startSweep(): CatalogueMarks {
    const marks = new Marks(this.#labelSets.count, this.#symbols.count)
    const { u32 } = this.#memory.views
    for (const list of this.#templates.values()) {
      for (const { pointer, count } of list) {
        for (let at = pointer >>> 2; at < (pointer >>> 2) + count; at++) marks.addLabelSet(u32[at]!)
      }
    }
    return marks
  }

  /** Frees what is not marked. */
  endSweep(marks: CatalogueMarks): void {
    const { labelSets, symbols } = marks as Marks
    const { u32 } = this.#memory.views
    symbols[0] = 1
    const goneSets: number[] = []
    for (let id = 0; id < labelSets.length; id++) {
      if (this.#labelSets.isFree(id)) continue
      const record = this.#labelSets.at(id)
      const words = 2 * u32[record >>> 2]!
      if (labelSets[id] === 1) {
        for (let i = 0; i < words; i++) symbols[u32[(record >>> 2) + 2 + i]!] = 1
      } else {
        goneSets.push(id)
        this.#memory.retire(record, RECORD_HEADER_BYTES + words * 4)
      }
    }
    const goneSymbols: number[] = []
    for (let id = 0; id < symbols.length; id++) {
      if (symbols[id] === 1 || this.#symbols.isFree(id)) continue
      goneSymbols.push(id)
      const record = this.#symbols.at(id)
      const bytes = u32[record >>> 2]!
      this.#symbolBytes -= bytes
      this.#memory.retire(record, RECORD_HEADER_BYTES + bytes)
    }
    this.#labelSets.free(goneSets)
    this.#symbols.free(goneSymbols)
    this.#symbolIds.clear()
    this.#fillLabelSetSlots(this.#labelSetSlots.length)
    this.#growSymbolHash(this.#memory.root(Root.SYMBOL_HASH_SLOTS))
    const generation = this.#memory.root(Root.CATALOGUE_GENERATION)
    this.#memory.change(() => this.#memory.setRoot(Root.CATALOGUE_GENERATION, (generation + 1) >>> 0))
  }

  /** The id of a string. */
  symbol(text: string): number {
    const known = this.#symbolIds.get(text)
    if (known !== undefined) return known
    const bytes = this.#encoder.encode(text)
    const id = this.#internSymbol(bytes)
    if (this.#symbolIds.size >= SYMBOL_CACHE_MAX) this.#symbolIds.clear()
    this.#symbolIds.set(text, id)
    return id
  }

  symbolText(id: number): string {
    const { u8, u32 } = this.#memory.views
    const record = this.#symbols.at(id)
    const start = record + RECORD_HEADER_BYTES
    // A copy, because TextDecoder takes no view of shared memory.
    return this.#decoder.decode(u8.slice(start, start + u32[record >>> 2]!))
  }

  /** The id of a label set; `labels` sorted by name, values may be empty. */
  labelSet(labels: Labels): number {
    const pairCount = labels.length >>> 1
    if (this.#pairs.length < labels.length) this.#pairs = new Uint32Array(labels.length * 2)
    for (let i = 0; i < labels.length; i++) this.#pairs[i] = this.symbol(labels[i]!)
    return this.#internLabelSet(pairCount)
  }

  labelSetLabels(id: number): string[] {
    const { u32 } = this.#memory.views
    const record = this.#labelSets.at(id) >>> 2
    const labels: string[] = []
    for (let i = 0; i < 2 * u32[record]!; i++) {
      labels.push(this.symbolText(this.#memory.views.u32[record + 2 + i]!))
    }
    return labels
  }

  /** The template that holds `current`'s label sets up to `count`, then `added`. The caller gives `current` up for it. */
  extendTemplate(current: Template | undefined, count: number, added: ArrayLike<number>): Template {
    let hash = current === undefined ? 0 : this.#hashOf(current, count)
    for (let i = 0; i < added.length; i++) hash = mix(hash, added[i]!)
    const total = count + added.length
    const equal = this.#templates
      .get(hash)
      ?.find((template) => template.count === total && this.#isExtension(template, current, count, added))
    if (equal !== undefined) {
      equal.users++
      if (current !== undefined) this.releaseTemplate(current)
      return equal
    }
    if (current !== undefined && current.users === 1 && current.count === count) {
      this.#forget(current)
      const extended: Template = { ...current, hash, id: this.#nextTemplateId++ }
      if (total > extended.capacity) this.#reserve(extended, total)
      this.#append(extended, added)
      this.#remember(extended)
      return extended
    }
    const template: Template = { id: this.#nextTemplateId++, hash, pointer: 0, capacity: 0, count, users: 1 }
    const from = current?.pointer ?? 0
    template.capacity = total
    template.pointer = this.#memory.allocate(Math.max(total, 1) * 4)
    this.#memory.views.u8.copyWithin(template.pointer, from, from + count * 4)
    this.#append(template, added)
    this.#remember(template)
    if (current !== undefined) this.releaseTemplate(current)
    return template
  }

  releaseTemplate(template: Template): void {
    template.users--
    if (template.users > 0) return
    this.#forget(template)
    this.#memory.retire(template.pointer, Math.max(template.capacity, 1) * 4)
  }

  #append(template: Template, added: ArrayLike<number>): void {
    const { u32 } = this.#memory.views
    const at = (template.pointer >>> 2) + template.count
    for (let i = 0; i < added.length; i++) u32[at + i] = added[i]!
    template.count += added.length
  }

  #reserve(template: Template, total: number): void {
    const capacity = Math.max(total, template.capacity * 2, 16)
    const pointer = this.#memory.allocate(capacity * 4)
    this.#memory.views.u8.copyWithin(pointer, template.pointer, template.pointer + template.count * 4)
    this.#memory.retire(template.pointer, Math.max(template.capacity, 1) * 4)
    template.pointer = pointer
    template.capacity = capacity
  }

  #isExtension(template: Template, current: Template | undefined, count: number, added: ArrayLike<number>): boolean {
    const { u32 } = this.#memory.views
    const at = template.pointer >>> 2
    const from = (current?.pointer ?? 0) >>> 2
    for (let i = 0; i < count; i++) if (u32[at + i] !== u32[from + i]) return false
    for (let i = 0; i < added.length; i++) if (u32[at + count + i] !== added[i]) return false
    return true
  }

  #hashOf(template: Template, count: number): number {
    if (template.count === count) return template.hash
    const { u32 } = this.#memory.views
    let hash = 0
    for (let i = 0; i < count; i++) hash = mix(hash, u32[(template.pointer >>> 2) + i]!)
    return hash
  }

  #remember(template: Template): void {
    const list = this.#templates.get(template.hash)
    if (list) list.push(template)
    else this.#templates.set(template.hash, [template])
  }

  #forget(template: Template): void {
    const rest = (this.#templates.get(template.hash) ?? []).filter((other) => other.id !== template.id)
    if (rest.length > 0) this.#templates.set(template.hash, rest)
    else this.#templates.delete(template.hash)
  }

  #internSymbol(bytes: Uint8Array): number {
    const hash = hashBytes(bytes)
    const memory = this.#memory
    const slots = memory.root(Root.SYMBOL_HASH_SLOTS)
    const table = memory.root(Root.SYMBOL_HASH) >>> 2
    let slot = hash & (slots - 1)
    for (;;) {
      const entry = memory.views.u32[table + slot]!
      if (entry === 0) break
      const record = this.#symbols.at(entry - 1)
      if (memory.views.u32[(record >>> 2) + 1] === hash && this.#hasBytes(record, bytes)) return entry - 1
      slot = (slot + 1) & (slots - 1)
    }
    const record = memory.allocate(RECORD_HEADER_BYTES + bytes.length)
    const { u8, u32 } = memory.views
    u32[record >>> 2] = bytes.length
    u32[(record >>> 2) + 1] = hash
    u8.set(bytes, record + RECORD_HEADER_BYTES)
    this.#symbolBytes += bytes.length
    const id = this.#symbols.push(record)
    Atomics.store(memory.views.u32, table + slot, id + 1)
    if (this.#symbols.usedCount * 2 > slots) this.#growSymbolHash(slots * 2)
    return id
  }

  #hasBytes(record: number, bytes: Uint8Array): boolean {
    const { u8, u32 } = this.#memory.views
    if (u32[record >>> 2] !== bytes.length) return false
    const start = record + RECORD_HEADER_BYTES
    for (let i = 0; i < bytes.length; i++) if (u8[start + i] !== bytes[i]) return false
    return true
  }

  #growSymbolHash(slots: number): void {
    const memory = this.#memory
    const old = memory.root(Root.SYMBOL_HASH)
    const oldSlots = memory.root(Root.SYMBOL_HASH_SLOTS)
    const pointer = memory.allocateZeroed(slots * 4)
    const { u32 } = memory.views
    for (let id = 0; id < this.#symbols.count; id++) {
      if (this.#symbols.isFree(id)) continue
      let slot = u32[(this.#symbols.at(id) >>> 2) + 1]! & (slots - 1)
      while (u32[(pointer >>> 2) + slot] !== 0) slot = (slot + 1) & (slots - 1)
      u32[(pointer >>> 2) + slot] = id + 1
    }
    memory.beginChange()
    memory.setRoot(Root.SYMBOL_HASH, pointer)
    memory.setRoot(Root.SYMBOL_HASH_SLOTS, slots)
    memory.endChange()
    memory.retire(old, oldSlots * 4)
  }

  #internLabelSet(pairCount: number): number {
    const words = pairCount * 2
    let hash = pairCount
    for (let i = 0; i < words; i++) hash = mix(hash, this.#pairs[i]!)
    let slot = hash & (this.#labelSetSlots.length - 1)
    for (;;) {
      const entry = this.#labelSetSlots[slot]!
      if (entry === 0) break
      if (this.#hasPairs(this.#labelSets.at(entry - 1), hash, pairCount)) return entry - 1
      slot = (slot + 1) & (this.#labelSetSlots.length - 1)
    }
    const record = this.#memory.allocate(RECORD_HEADER_BYTES + words * 4)
    const { u32 } = this.#memory.views
    u32[record >>> 2] = pairCount
    u32[(record >>> 2) + 1] = hash
    for (let i = 0; i < words; i++) u32[(record >>> 2) + 2 + i] = this.#pairs[i]!
    const id = this.#labelSets.push(record)
    this.#labelSetSlots[slot] = id + 1
    const slots = this.#labelSetSlots.length
    if (this.#labelSets.usedCount * 2 > slots) this.#fillLabelSetSlots(slots * 2)
    return id
  }

  #hasPairs(record: number, hash: number, pairCount: number): boolean {
    const { u32 } = this.#memory.views
    const at = record >>> 2
    if (u32[at] !== pairCount || u32[at + 1] !== hash) return false
    for (let i = 0; i < pairCount * 2; i++) if (u32[at + 2 + i] !== this.#pairs[i]) return false
    return true
  }

  #fillLabelSetSlots(count: number): void {
    const slots = new Uint32Array(count)
    const { u32 } = this.#memory.views
    for (let id = 0; id < this.#labelSets.count; id++) {
      if (this.#labelSets.isFree(id)) continue
      let slot = u32[(this.#labelSets.at(id) >>> 2) + 1]! & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = id + 1
    }
    this.#labelSetSlots = slots
  }
}

/** FNV-1a, its bits spread once more so that the low ones can index a table. */
function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

function mix(hash: number, value: number): number {
  const mixed = Math.imul((Math.imul(value, 0x9e3779b1) ^ hash) >>> 0, 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
