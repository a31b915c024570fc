import { expect, test } from 'vitest'
import { createKernelMemory } from '../../kernels/index.ts'
import { HeadMemory } from '../memory/head-memory.ts'
import { Page } from '../memory/layout.ts'
import { RowPages, retirePages } from './row-pages.ts'

const MEMORY_BYTES = 4 << 20

const newMemory = (): HeadMemory =>
  new HeadMemory(createKernelMemory({ initialBytes: MEMORY_BYTES, maximumBytes: MEMORY_BYTES }), MEMORY_BYTES)

/** A key row and others, which are shorter. */
function appendSegment(pages: RowPages, keyBytes: number, rowBytes: number): void {
  pages.append(0, keyBytes)
  for (let row = 1; row < 120; row++) pages.append(0, rowBytes)
}

function pointersOf(memory: HeadMemory, first: number): number[] {
  const pointers: number[] = []
  for (let page = first; page !== 0; page = memory.views.u32[(page >>> 2) + Page.NEXT]!) pointers.push(page)
  return pointers
}

test('rows take little more memory than their bytes, in the first segment, too', () => {
  const memory = newMemory()
  const before = memory.usedBytes
  const pages = new RowPages(memory)
  for (const _ of ['first', 'next']) {
    const used = memory.usedBytes
    appendSegment(pages, 2300, 240)
    expect(memory.usedBytes - used).toBeLessThan(1.2 * pages.bytes)
    pages.detach()
  }
  expect(before).toBeLessThan(memory.usedBytes)
})

test('what one group gives back another uses, whose rows are of another length', () => {
  const memory = newMemory()
  const one = new RowPages(memory)
  const other = new RowPages(memory)
  appendSegment(one, 2300, 240)
  appendSegment(other, 1500, 200)
  const given = pointersOf(memory, one.first)
  retirePages(memory, one.first)
  memory.reclaim()
  other.detach()
  appendSegment(other, 1500, 200)
  const used = pointersOf(memory, other.first)
  expect(used.filter((page) => !given.includes(page)).length).toBeLessThan(0.2 * used.length)
})

test('a row that is longer than the longest page has one of its own', () => {
  const memory = newMemory()
  const pages = new RowPages(memory)
  for (const bytes of [100_000, 40_000, 70_000, 100]) pages.append(0, bytes)
  expect(pages.bytes).toBe(210_100)
  const used = pointersOf(memory, pages.first).map((page) => memory.views.u32[(page >>> 2) + Page.USED]!)
  expect(used.reduce((sum, bytes) => sum + bytes, 0)).toBe(210_100)
})
