// Real senders: what they have is what we have, samples and staleness markers alike.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort, hasProgram, startProgram } from '../../tests/support/programs.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'

const hasPrometheus = hasProgram('prometheus')
if (!hasPrometheus) console.log('skipped: needs prometheus on PATH (Debian: apt install prometheus)')
const hasAgent = hasProgram('vmagent')
if (!hasAgent) console.log('skipped: needs vmagent on PATH (Debian: apt install victoria-metrics)')

let server: TestServer
let folder: string
let target: Server
let page = ''
let closers: (() => Promise<void>)[] = []

beforeEach(async () => {
  server = await startTestServer({ 'web.enable-remote-write-receiver': 'true' })
  folder = mkdtempSync(join(tmpdir(), 'belltower-peers-'))
  target = createServer((_request, response) =>
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(page),
  )
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  page = Array.from({ length: 300 }, (_, i) => `m{i="${i}",path="/ü/${i}"} ${i / 8}\n`).join('')
})

afterEach(async () => {
  for (const close of closers) await close()
  closers = []
  target.close()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Values of an instant query by series. */
async function valuesOf(url: string, query: string, timeSeconds: number): Promise<Record<string, string>> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}&time=${timeSeconds}`)
  const { data } = (await answer.json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string]; values?: unknown }[] }
  }
  return Object.fromEntries(
    data.result.map(({ metric, value, values }) => [
      JSON.stringify(Object.entries(metric).sort()),
      values === undefined ? value[1] : JSON.stringify(values),
    ]),
  )
}

const countOf = async (query: string): Promise<number> =>
  Object.keys(await valuesOf(server.url, query, Date.now() / 1000)).length

test.skipIf(!hasPrometheus)('a real Prometheus sends us what it has', { timeout: 90_000 }, async () => {
  const port = await freePort()
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `
global: { scrape_interval: 1s, external_labels: { from: prometheus } }
remote_write: [{ url: '${server.url}/api/v1/write', send_exemplars: true, queue_config: { batch_send_deadline: 1s } }]
scrape_configs:
  - job_name: page
    static_configs: [{ targets: ['127.0.0.1:${(target.address() as AddressInfo).port}'] }]
`,
  )
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`]
  closers.push(startProgram('prometheus', args, folder).stop)
  const url = `http://127.0.0.1:${port}`
  await expect.poll(() => countOf('count_over_time(m[1m]) > 3'), { timeout: 60_000 }).toBe(300)
  // Series that vanish get staleness markers, and those arrive as well.
  page = page.split('\n').slice(0, 100).join('\n') + '\n'
  await expect.poll(() => countOf('m'), { timeout: 20_000 }).toBe(100)
  const untilSeconds = Date.now() / 1000 - 3
  const theirs = await valuesOf(url, '{job="page"}[1m]', untilSeconds)
  expect(Object.keys(theirs).length).toBeGreaterThan(300)
  const expected = Object.fromEntries(
    Object.entries(theirs).map(([labels, values]) => [
      JSON.stringify([...JSON.parse(labels), ['from', 'prometheus']].sort()),
      values,
    ]),
  )
  await expect.poll(() => valuesOf(server.url, '{job="page"}[1m]', untilSeconds), { timeout: 10_000 }).toEqual(expected)
})

test.skipIf(!hasAgent)('vmagent sends to us', { timeout: 60_000 }, async () => {
  const port = await freePort()
  writeFileSync(
    join(folder, 'scrape.yml'),
    `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: page
    static_configs: [{ targets: ['127.0.0.1:${(target.address() as AddressInfo).port}'] }]
`,
  )
  const args = [
    '-promscrape.config=scrape.yml',
    `-remoteWrite.url=${server.url}/api/v1/write`,
    '-remoteWrite.tmpDataPath=tmp',
    `-httpListenAddr=127.0.0.1:${port}`,
  ]
  closers.push(startProgram('vmagent', args, folder).stop)
  await expect.poll(() => countOf('count_over_time(m[1m]) > 2'), { timeout: 40_000 }).toBe(300)
  expect(await countOf('up == 1')).toBe(1)
})
