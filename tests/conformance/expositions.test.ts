// Recorded pages of real programs: what is stored of them is what the real Prometheus stores of the same page.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { normalizeBucketBound } from '../../model/index.ts'
import { hasProgram } from '../support/programs.ts'
import { scrapedByBoth } from '../support/scraped-by-both.ts'

const yardsticks =
  process.env.BELLTOWER_YARDSTICKS ?? fileURLToPath(new URL('../../../shared/yardsticks', import.meta.url))
const folder = join(yardsticks, 'expositions')
const hasPeer = hasProgram('prometheus')
if (!existsSync(folder) || !hasPeer) console.log(`skipped: no pages in ${folder}, or no prometheus on PATH`)

/** Version 3 writes bounds as numbers with a point; 2.42 keeps them as they came. */
const withBounds = (key: string): string =>
  JSON.stringify(
    (JSON.parse(key) as [string, string][]).map(([name, text]) => [
      name,
      name === 'le' || name === 'quantile' ? normalizeBucketBound(text) : text,
    ]),
  )

describe.skipIf(!existsSync(folder) || !hasPeer)('recorded pages', () => {
  test('the same series with the same bits', { timeout: 120_000 }, async () => {
    const names = readdirSync(folder).sort()
    expect(names.length).toBeGreaterThan(5)
    const pages = names.map((name) => ({
      contentType: name.includes('.om.') ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4',
      body: readFileSync(join(folder, name)),
    }))
    const { theirs, ours } = await scrapedByBoth(pages)
    for (const [i, name] of names.entries()) {
      expect([name, ours[i]!.up]).toEqual([name, theirs[i]!.up])
      const want = new Map([...theirs[i]!.series].map(([key, value]) => [withBounds(key), value]))
      const got = new Map([...ours[i]!.series].map(([key, value]) => [withBounds(key), value]))
      expect([name, got.size]).toEqual([name, want.size])
      const different = [...want].filter(([key, value]) => !Object.is(value, got.get(key)))
      expect([name, different.slice(0, 5)]).toEqual([name, []])
    }
  })
})
