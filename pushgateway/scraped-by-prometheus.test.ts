import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../lib/index.ts'
import { freePort, hasProgram, startProgram } from '../tests/support/programs.ts'
import { folder, start } from '../tests/support/push-client.ts'

const isHere = hasProgram('prometheus')
if (!isHere) console.log('skipped: prometheus is not on PATH (Debian: apt-get install prometheus)')

const ATTEMPTS_MAX = 200

/** Asks until there is something, at most 20 s. */
async function untilFound(url: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const answer = (await (await fetch(url)).json()) as { data: { result: never[] } }
      if (answer.data.result.length > 0) return answer.data.result
    } catch {
      // It is still starting.
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`nothing at ${url}`)
}

test.skipIf(!isHere)(
  'a real Prometheus scrapes the page with honor_labels: the pushed labels stay',
  async () => {
    const { app, send } = await start({ clock: systemClock })
    const page = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    await send('PUT', '/metrics/job/nightly/instance/db-1', '# TYPE rows_total counter\nrows_total{table="t"} 42\n')
    await send('PUT', '/metrics/job/weekly', 'size_bytes 7\n')

    const dir = await folder()
    const config = join(dir, 'prometheus.yml')
    const job = { job_name: 'push', honor_labels: true, static_configs: [{ targets: [page.host] }] }
    // JSON is YAML.
    await writeFile(config, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [job] }))
    const address = `127.0.0.1:${await freePort()}`
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=${address}`,
    ]
    const prometheus = startProgram('prometheus', args, dir)
    try {
      const ask = (query: string) => untilFound(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`)
      const [rows] = await ask('rows_total')
      expect(rows!.metric).toEqual({ __name__: 'rows_total', instance: 'db-1', job: 'nightly', table: 't' })
      expect(rows!.value[1]).toBe('42')
      const [size] = await ask('size_bytes')
      // An empty instance on the page keeps the scraper from adding its own.
      expect(size!.metric).toEqual({ __name__: 'size_bytes', job: 'weekly' })
      const [up] = await ask('up{job="push"}')
      expect(up!.value[1]).toBe('1')
    } finally {
      await prometheus.stop()
    }
  },
  60_000,
)
