import { createServer, type ServerResponse } from 'node:http'
import { mkdtempSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createScrapeManager, type ScrapeConfig } from '../index.ts'
import { RecordingStore } from './recording-store.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const TEXT = { 'content-type': 'text/plain; version=0.0.4' }

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => {
    response.on('error', () => undefined)
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Says exactly these bytes to whoever connects, and closes. */
async function serveBytes(bytes: string): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(bytes))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Repeats a piece until the other side has had enough. */
function pour(response: ServerResponse, piece: Buffer): void {
  response.writeHead(200, TEXT)
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', more)
  more()
}

const LINES = Buffer.from(Array.from({ length: 500 }, (_, i) => `a{i="${i}"} ${i}\n`).join(''))

/** Scrapes a liar beside an honest target; returns what is said of the liar, once the honest one has had a few good scrapes. */
async function lastErrorOf(
  liar: string,
  more: Partial<ScrapeConfig> = {},
): Promise<{ lastError: string; health: string }> {
  const honest = await serve((response) => response.writeHead(200, TEXT).end('fine 1\n'))
  const store = new RecordingStore()
  const parts = { store, clock: systemClock, logger: silentLogger, registry: new Registry(), inProcess: new Map() }
  const manager = createScrapeManager({ ...parts, version: '0' })
  cleanups.push(() => manager.stop())
  const job = { scrapeIntervalMs: 300, scrapeTimeoutMs: 280 }
  await manager.apply({
    global: { externalLabels: [] },
    scrapeConfigs: [
      { ...job, ...more, jobName: 'liar', staticConfigs: [{ targets: [liar] }] },
      { jobName: 'honest', scrapeIntervalMs: 500, scrapeTimeoutMs: 500, staticConfigs: [{ targets: [honest] }] },
    ],
  })
  const target = (pool: string) => manager.targets().find(({ scrapePool }) => scrapePool === pool)!
  const honestRows = () => store.groups.find(({ labels }) => labels.includes('honest'))?.rows.length ?? 0
  const isDone = (): boolean =>
    target('liar').health !== 'unknown' && target('honest').health === 'up' && honestRows() >= 3
  for (let i = 0; i < 2000 && !isDone(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(target('honest')).toMatchObject({ health: 'up', lastError: '' })
  const { lastError, health } = target('liar')
  return { lastError, health }
}

test('a body over the limit, however it is packed', async () => {
  const bodyBytesMax = 100_000
  const endless = await serve((response) => pour(response, LINES))
  expect((await lastErrorOf(endless, { bodyBytesMax })).lastError).toBe('body size limit exceeded')
  const bomb = gzipSync(Buffer.alloc(50 << 20, 'a 1\n'))
  const packed = await serve((response) => response.writeHead(200, { ...TEXT, 'content-encoding': 'gzip' }).end(bomb))
  expect((await lastErrorOf(packed, { bodyBytesMax })).lastError).toBe('body size limit exceeded')
})

test('a body that drips, and one that never ends, run into the timeout', async () => {
  const drip = await serve((response) => {
    response.writeHead(200, TEXT)
    const timer = setInterval(() => response.write('a'), 20)
    response.on('close', () => clearInterval(timer))
  })
  expect((await lastErrorOf(drip)).lastError).toMatch(/deadline of 0.28s exceeded/)
  const silent = await serve(() => undefined)
  expect((await lastErrorOf(silent)).lastError).toMatch(/deadline of 0.28s exceeded/)
})

test('a length that is not kept, an answer that is no HTTP', async () => {
  const short = await serveBytes('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\na 1\n')
  expect((await lastErrorOf(short)).lastError).toMatch(/closed before the answer was complete/)
  const garbage = await serveBytes('SSH-2.0-OpenSSH_9.2\r\n')
  expect((await lastErrorOf(garbage)).lastError).toMatch(/malformed HTTP answer/)
  const broken = await serve((response) =>
    response.writeHead(200, { ...TEXT, 'content-encoding': 'gzip' }).end('this is not gzip'),
  )
  expect((await lastErrorOf(broken)).lastError).toMatch(/does not unpack as gzip/)
})

test('lines that break the format are named', async () => {
  const nul = await serve((response) => response.writeHead(200, TEXT).end('a\0b 1\n'))
  expect(await lastErrorOf(nul)).toMatchObject({ health: 'down', lastError: expect.stringMatching(/^line 1: /) })
  const binary = await serve((response) => response.writeHead(200, TEXT).end(Buffer.from([97, 0xff, 0xfe, 32, 49, 10])))
  expect((await lastErrorOf(binary)).lastError).toMatch(/^line 1: invalid UTF-8/)
})

test('NUL inside a label, and two types for one name, are allowed, as Prometheus allows them', async () => {
  const page = '# TYPE a counter\na{x="\0"} 1\n# TYPE a gauge\na{x="2"} 2\n'
  const odd = await serve((response) => response.writeHead(200, TEXT).end(page))
  expect(await lastErrorOf(odd)).toEqual({ health: 'up', lastError: '' })
})

test('a flood of new series stops at the sample limit; the file of failed scrapes says so', async () => {
  const flood = Array.from({ length: 50_000 }, (_, i) => `a{i="${i}"} 1\n`).join('')
  const address = await serve((response) => response.writeHead(200, TEXT).end(flood))
  const file = join(mkdtempSync(join(tmpdir(), 'belltower-failures-')), 'failed.log')
  const more = { sampleLimit: 1000, scrapeFailureLogFile: file, scrapeIntervalMs: 3000, scrapeTimeoutMs: 3000 }
  expect((await lastErrorOf(address, more)).lastError).toBe('sample limit exceeded')
  await Promise.all(
    cleanups
      .splice(0)
      .reverse()
      .map((cleanup) => cleanup()),
  )
  const [line] = readFileSync(file, 'utf8').split('\n')
  expect(JSON.parse(line!)).toMatchObject({
    level: 'ERROR',
    msg: 'sample limit exceeded',
    job_name: 'liar',
    target: `http://${address}/metrics`,
  })
})
