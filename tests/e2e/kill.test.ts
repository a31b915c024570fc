// Goal: kill -9 in the middle of scraping loses no sample that was acknowledged more than a second before.
// Method: scrape a target that counts each scrape, ask for the values, kill later than a second, reopen, and look for each of them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

test('every sample older than a second survives kill -9, three times in a row', async () => {
  let scrapes = 0
  const target = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(`# TYPE scrapes_total counter\nscrapes_total ${++scrapes}\n`)
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  const { port } = target.address() as AddressInfo
  writeFileSync(
    join(folder.path, 'belltower.yml'),
    `global: { scrape_interval: 100ms }\nscrape_configs: [{ job_name: t, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]\n`,
  )
  let server: Belltower | undefined
  try {
    const safe = new Set<string>()
    for (let round = 1; round <= 3; round++) {
      server = await startBelltower(folder.path)
      const { api } = server
      // A busy machine may be too late for some.
      const acknowledged = await waitFor('samples', async () => {
        const values = await valuesOf(api)
        return values.size >= 15 * round ? values : undefined
      })
      const [from, fromMs] = [scrapes, Date.now()]
      await waitFor(
        'a second and ten scrapes',
        async () => (scrapes >= from + 10 && Date.now() > fromMs + 1000) || undefined,
      )
      for (const value of acknowledged) safe.add(value)
      await server.kill()

      server = await startBelltower(folder.path)
      const kept = await valuesOf(server.api)
      expect([...safe].filter((value) => !kept.has(value))).toEqual([])
      await server.kill()
    }
  } finally {
    await server?.kill()
    target.closeAllConnections()
    target.close()
  }
})

async function valuesOf(api: Belltower['api']): Promise<ReadonlySet<string>> {
  const { result } = await api<{ result: { values: [number, string][] }[] }>(
    `/api/v1/query?query=${encodeURIComponent('scrapes_total[1h]')}`,
  )
  return new Set(result.flatMap(({ values }) => values.map(([, value]) => value)))
}
