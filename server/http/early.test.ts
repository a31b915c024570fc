// What the server answers while its store is still being read back, held there for as long as the test wants.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { HeldTurns } from '../../lib/held-turns.ts'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { openTsdb } from '../../tsdb/index.ts'
import { startTestServer, type TestServer } from '../testing/server.ts'

const HOUR_S = 3600
const FIRST_S = 1_700_006_400 // On the hour.
const STEP_S = 300
const ROWS = 64
const LAST_S = FIRST_S + (ROWS - 1) * STEP_S
/** Of the newest block; the rest is in the log. */
const BLOCKS_END_S = FIRST_S + 4 * HOUR_S
const BLOCK_ROWS = (BLOCKS_END_S - FIRST_S) / STEP_S

interface Answer {
  readonly status: number
  readonly text: string
  readonly json: {
    readonly data: { readonly result: { readonly values: unknown[]; readonly value: [number, string] }[] }
    readonly warnings?: readonly string[]
    readonly errorType?: string
    readonly error?: string
  }
}

const base = mkdtempSync(join(tmpdir(), 'belltower-early-'))
let url: string
let turns: HeldTurns
let starting: Promise<TestServer>

async function writeStore(dataDir: string): Promise<void> {
  const store = await openTsdb({
    dataDir: `${dataDir}-live`,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    retentionMs: 1e15,
    // Two hours would have an end that depends on the first hour.
    blockDurationMs: HOUR_S * 1000,
  })
  for (let row = 0; row < ROWS; row++) {
    const appender = store.appender()
    const timeMs = (FIRST_S + row * STEP_S) * 1000
    appender.append(undefined, ['__name__', 'n', 'job', 'old'], timeMs, row)
    if (row >= BLOCK_ROWS) appender.append(undefined, ['__name__', 'n', 'job', 'young'], timeMs, row)
    await appender.commit()
    if (row < BLOCK_ROWS + 8) await store.maintain()
  }
  await store.flushed()
  expect(Math.max(...store.blocks().map(({ maxTime }) => maxTime))).toBe(BLOCKS_END_S * 1000)
  cpSync(`${dataDir}-live`, dataDir, { recursive: true, filter: (path) => !path.endsWith('lock') })
  await store.close()
}

beforeAll(() => writeStore(join(base, 'data')))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let tests = 0
beforeEach(async () => {
  const dataDir = join(base, `data-${++tests}`)
  cpSync(join(base, 'data'), dataDir, { recursive: true })
  turns = new HeldTurns(2)
  const flags = { 'storage.tsdb.path': dataDir, 'storage.tsdb.min-block-duration': '1h' }
  starting = startTestServer(flags, 'scrape_configs: []\n', { turns, onListening: (listening) => (url = listening) })
  await Promise.race([turns.held, starting])
  return async () => {
    turns.goOn()
    await (await starting).stop()
  }
})

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, init)
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true
  return { status: answer.status, text, json: (isJson ? JSON.parse(text) : {}) as Answer['json'] }
}

const range = (expr: string, startS: number, endS: number): string =>
  `/api/v1/query_range?query=${encodeURIComponent(expr)}&start=${startS}&end=${endS}&step=${STEP_S}`
const instant = (expr: string, timeS: number): string => `/api/v1/query?query=${encodeURIComponent(expr)}&time=${timeS}`
const WARNING = /newest samples are still being read back/

test('it lives, is not ready, and answers nothing but queries', async () => {
  expect(await ask('/-/healthy')).toMatchObject({ status: 200, text: 'Prometheus Server is Healthy.\n' })
  for (const path of ['/-/ready', '/metrics', '/', '/api/v1/targets', '/api/v1/rules', '/api/v1/label/a/b/values']) {
    expect(await ask(path), path).toMatchObject({ status: 503, text: 'Service Unavailable' })
  }
  expect(await ask('/api/v1/write', { method: 'POST' })).toMatchObject({ status: 503, text: 'Service Unavailable' })
  turns.goOn()
  await starting
  expect(await ask('/-/ready')).toMatchObject({ status: 200 })
  expect((await ask('/metrics')).text).toContain('prometheus_http_requests_total{handler="/-/healthy",code="200"} 1')
})

test('queries of what is in blocks are whole, and say nothing', async () => {
  const old = await ask(range('n', FIRST_S, BLOCKS_END_S - 1))
  expect(old).toMatchObject({ status: 200 })
  expect(old.json.warnings).toBeUndefined()
  expect(old.json.data.result[0]!.values.length).toBe(BLOCK_ROWS)
  expect((await ask(instant('n', FIRST_S))).json.data.result[0]!.value).toEqual([FIRST_S, '0'])
  // Whatever the time of the question: what counts is what is looked at.
  const back = await ask(instant(`n @ ${FIRST_S + STEP_S}`, LAST_S))
  expect(back.json.data.result[0]!.value).toEqual([LAST_S, '1'])
  expect(back.json.warnings).toBeUndefined()
  const form = { method: 'POST', body: new URLSearchParams({ query: 'n', time: String(FIRST_S) }) }
  expect((await ask('/api/v1/query', form)).json.data.result.length).toBe(1)
  for (const path of ['/series?match[]=n&', '/labels?', '/label/job/values?', '/label/U__job/values?']) {
    const { status, json } = await ask(`/api/v1${path}start=${FIRST_S}&end=${BLOCKS_END_S - 1}`)
    expect(status, path).toBe(200)
    expect(json.warnings, path).toBeUndefined()
  }
  expect(await ask('/api/v1/query?query=(')).toMatchObject({ status: 400, json: { errorType: 'bad_data' } })
  expect(await ask('/api/v1/label/%ff/values')).toMatchObject({ status: 400, json: { errorType: 'bad_data' } })
})

test('queries that go on behind the blocks say that they are short, and are not kept', async () => {
  const whole = range('n', FIRST_S, LAST_S)
  const short = await ask(whole)
  expect(short.json.warnings).toEqual([expect.stringMatching(WARNING)])
  expect(short.json.data.result.map(({ values }) => values.length)).toEqual([BLOCK_ROWS])
  for (const path of ['/series?match[]=n', '/labels', '/label/job/values']) {
    const { json } = await ask(`/api/v1${path}`)
    expect(json.warnings, path).toEqual([expect.stringMatching(WARNING)])
  }
  expect((await ask('/api/v1/label/job/values')).json.data).toEqual(['old'])
  turns.goOn()
  const server = await starting
  const after = await ask(whole)
  expect(after.json.warnings).toBeUndefined()
  expect(after.json.data.result.map(({ values }) => values.length)).toEqual([ROWS, ROWS - BLOCK_ROWS])
  expect((await ask('/api/v1/label/job/values')).json).toEqual({ status: 'success', data: ['old', 'young'] })
  // The worker that has answered before answers now.
  expect(server.stack.pool.runningWorkers).toBe(1)
})

test('an answer that would have nothing but what is missing is refused', async () => {
  const refused = {
    status: 503,
    json: { errorType: 'unavailable', error: expect.stringMatching(/^Service Unavailable/) },
  }
  expect(await ask(instant('n', LAST_S))).toMatchObject(refused)
  expect(await ask(instant('absent(n)', LAST_S))).toMatchObject(refused)
  expect(await ask(instant('sum_over_time(n[4h])', LAST_S))).toMatchObject(refused)
  expect(await ask(range('n', BLOCKS_END_S, LAST_S))).toMatchObject(refused)
  expect(await ask(`/api/v1/labels?start=${BLOCKS_END_S}`)).toMatchObject(refused)
  // A refusal leaves nothing behind.
  expect((await ask(instant('n', FIRST_S))).json.warnings).toBeUndefined()
  turns.goOn()
  await starting
  expect((await ask(instant('n', LAST_S))).json.data.result.length).toBe(2)
})
