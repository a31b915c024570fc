import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inventPages, withoutJitter } from './storage-pages.ts'
import { loadBelltower } from './storage-stores.ts'

const START_MS = 1_699_963_200_000

test('storage: invented pages are stored, read back, and take less than half a byte a sample', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-storage-test-'))
  try {
    const pages = withoutJitter(inventPages(START_MS, 2, 500))
    const [first, second] = pages.targets
    expect(first!.timesMs[499]).toBe(START_MS + 499 * 15_000)
    expect([...first!.series.keys()]).toEqual([...second!.series.keys()])
    const samples = 2 * 500 * first!.series.size
    const sizes = await loadBelltower(pages, folder)
    expect(sizes.totalBytes / samples).toBeLessThan(0.5)
    expect(sizes.valueBytes + sizes.timestampBytes! + sizes.indexBytes).toBe(sizes.totalBytes)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
