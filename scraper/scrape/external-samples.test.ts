import { expect, test } from 'vitest'
import type { TargetRowsRules } from './target-rules.ts'
import { REPORT, targetRig } from './testing.ts'

function rig(rules: Partial<TargetRowsRules> = {}) {
  const { rows, store, appendable } = targetRig({ trackTimestampsStaleness: true, ...rules })
  const scrape = async (timeMs: number, text: string): Promise<string[]> => {
    rows.read(Buffer.from(text), 'text')
    await rows.write(timeMs, REPORT)
    return appendable.committed.splice(0)
  }
  const lastRow = (): string[] =>
    [...store.groups[0]!.rows.at(-1)!.samples]
      .filter(([key]) => /^__name__.[abc]\b/.test(key))
      .map(([key, value]) => `${key[9]} ${value}`)
  return { rows, scrape, lastRow }
}

test('samples with their own time are appended one by one, the rest goes into the row', async () => {
  const { rows, scrape, lastRow } = rig()
  expect(await scrape(10_000, 'a 1 9000\nb 2\n')).toEqual(['a{job="j"} 1 @9000'])
  expect(lastRow()).toEqual(['b 2'])
  // The same time again is refused and counted; the row is not touched by that.
  expect(await scrape(11_000, 'a 5 9000\nb 3\n')).toEqual([])
  expect(rows.refused.duplicateTimestamp).toBe(1)
  expect(lastRow()).toEqual(['b 3'])
  expect(await scrape(12_000, 'a 6 9500\nb 3\n')).toEqual(['a{job="j"} 6 @9500'])
  expect(await scrape(13_000, 'a 7 8000\nc 1 9999999999\nb 3\n')).toEqual([])
  expect(rows.refused).toEqual({ outOfOrder: 1, duplicateTimestamp: 1, outOfBounds: 1 })
  // Gone: marked at the time of the scrape. Without a time of its own a sample takes the scrape's.
  expect(await scrape(14_000, 'b 3\n')).toEqual(['a{job="j"} stale @14000', 'c{job="j"} stale @14000'])
  expect(await scrape(15_000, 'a 8 14500\nb 3\n')).toEqual(['a{job="j"} 8 @14500'])
  expect(await scrape(16_000, 'a 9\nb 3\n')).toEqual(['a{job="j"} 9 @16000'])
})

test('a series that begins to carry times leaves the row with a stale marker', async () => {
  const { scrape, lastRow } = rig()
  await scrape(10_000, 'a 1\nb 2\n')
  expect(lastRow()).toEqual(['a 1', 'b 2'])
  expect(await scrape(11_000, 'a 1 10500\nb 2\n')).toEqual(['a{job="j"} 1 @10500'])
  expect(lastRow()).toEqual(['a stale', 'b 2'])
})

test('without honor_timestamps all samples get the time of the scrape', async () => {
  const { scrape, lastRow } = rig({ honorTimestamps: false })
  expect(await scrape(10_000, 'a 1 9000\nb 2\n')).toEqual([])
  expect(await scrape(11_000, 'a 5 9000\nb 2\n')).toEqual([])
  expect(lastRow()).toEqual(['a 5', 'b 2'])
})
