// Goal: kill -9 in the middle of scraping loses no sample that was acknowledged more than a second before.
// Method: scrape a target that counts each scrape, kill, reopen, and look for every value up to the kill.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

test('every sample older than a second survives kill -9, three times in a row', async () => {
  const scrapes: { value: number; atMs: number }[] = []
  const target = createServer((_request, response) => {
    const value = scrapes.length + 1
    scrapes.push({ value, atMs: Date.now() })
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(`# TYPE scrapes_total counter\nscrapes_total ${value}\n`)
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  const { port } = target.address() as AddressInfo
  writeFileSync(
    join(folder.path, 'belltower.yml'),
    `global: { scrape_interval: 100ms }\nscrape_configs: [{ job_name: t, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]\n`,
  )
  let server: Belltower | undefined
  try {
    const safe = new Set<number>()
    for (let round = 1; round <= 3; round++) {
      const first = scrapes.length
      server = await startBelltower(folder.path)
      // The program must have had that second: it has scraped ten times since.
      const settled = () => scrapes.slice(first, -10).filter(({ atMs }) => atMs < Date.now() - 1000)
      await waitFor('scrapes', async () => (settled().length >= 15 ? true : undefined))
      for (const { value } of settled()) safe.add(value)
      await server.kill()

      server = await startBelltower(folder.path)
      const data = await server.api<{ result: { values: [number, string][] }[] }>(
        `/api/v1/query?query=${encodeURIComponent('scrapes_total[1h]')}`,
      )
      const kept = new Set(data.result.flatMap((series) => series.values.map(([, value]) => Number(value))))
      expect(safe.size).toBeGreaterThanOrEqual(15 * round)
      expect([...safe].filter((value) => !kept.has(value))).toEqual([])
      await server.kill()
    }
  } finally {
    await server?.kill()
    target.closeAllConnections()
    target.close()
  }
})
