// Goal: while a large log is read back after a kill, questions about what is in blocks are answered, and a stop is obeyed.
// Method: a store whose log takes a while, made through the library and copied while open; the built server is asked at once.
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../tsdb/library.ts'
import { temporaryFolder, waitFor } from '../support/belltower.ts'
import { freePort } from '../support/programs.ts'

const CLI = fileURLToPath(new URL('../../dist/server/cli.js', import.meta.url))
const HOUR_S = 3600
const FIRST_S = 1_700_006_400 // On the hour.
const STEP_S = 300
const BLOCK_ROWS = 36
const ROWS = BLOCK_ROWS + 10
const LAST_S = FIRST_S + (ROWS - 1) * STEP_S
const TARGETS = 300
/** No two of them alike: then they take longest. */
const SERIES_OF_TARGET = 1000

const folder = temporaryFolder()
const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
  folder.remove()
})

beforeAll(async () => {
  const live = join(folder.path, 'live')
  const { tsdb, close } = await openStore({ dataDir: live, blockDurationMs: HOUR_S * 1000, checkpointLogBytes: 1e12 })
  for (let row = 0; row < ROWS; row++) {
    const appender = tsdb.appender()
    appender.append(undefined, ['__name__', 'n'], (FIRST_S + row * STEP_S) * 1000, row)
    await appender.commit()
  }
  await tsdb.maintain()
  for (let target = 0; target < TARGETS; target++) {
    const names = Array.from({ length: SERIES_OF_TARGET }, (_, i) => [
      '__name__',
      `m_${target}_${i}`,
      'code',
      String(i),
    ])
    tsdb.openGroup(['instance', `host-${target}`]).addSeries(names)
    await tsdb.flushed()
  }
  cpSync(live, join(folder.path, 'killed'), { recursive: true, filter: (path) => !path.endsWith('lock') })
  await close()
  expect(Math.max(...tsdb.blocks().map(({ maxTime }) => maxTime))).toBe((FIRST_S + BLOCK_ROWS * STEP_S) * 1000)
})

async function start(name: string) {
  cpSync(join(folder.path, 'killed'), join(folder.path, name), { recursive: true })
  const listen = `127.0.0.1:${await freePort()}`
  const flags = [
    `--web.listen-address=${listen}`,
    `--storage.tsdb.path=${name}`,
    '--storage.tsdb.min-block-duration=1h',
  ]
  const child = spawn(process.execPath, [CLI, 'server', ...flags], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => output.push(piece.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  void ended.then(() => running.delete(child))
  return { url: `http://${listen}`, child, output, ended }
}

interface Found {
  readonly warnings: readonly string[]
  readonly rows: number
}

/** `undefined` when it is not answered yet. */
async function ask(url: string, endS: number): Promise<Found | undefined> {
  const answer = await fetch(`${url}/api/v1/query_range?query=n&start=${FIRST_S}&end=${endS}&step=${STEP_S}`)
  if (answer.status !== 200) return undefined
  type Body = { warnings?: string[]; data: { result: { values: unknown[] }[] } }
  const { warnings = [], data } = (await answer.json()) as Body
  return { warnings, rows: data.result[0]!.values.length }
}

/** Asks without a pause: the time that is asked about is short. */
async function firstAnswer(url: string): Promise<Found> {
  for (const deadlineMs = Date.now() + 30_000; Date.now() < deadlineMs; ) {
    const found = await ask(url, LAST_S).catch(() => undefined)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error('no answer')
}

test('blocks are read before the log is; then everything is there', async () => {
  const { url, child, ended } = await start('asked')
  const short = await firstAnswer(url)
  expect(short).toEqual({ rows: BLOCK_ROWS, warnings: [expect.stringContaining('still being read back')] })
  const whole = await waitFor('the log to be read', async () => {
    const { status } = await fetch(`${url}/-/ready`)
    return status === 200 ? ask(url, LAST_S) : undefined
  })
  expect(whole).toEqual({ rows: ROWS, warnings: [] })
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})

test('a stop while the log is being read ends the server at once, and costs nothing', async () => {
  const stopped = await start('stopped')
  await firstAnswer(stopped.url)
  stopped.child.kill('SIGTERM')
  expect(await stopped.ended, stopped.output.join('')).toBe(0)
  const said = stopped.output.join('')
  expect(said).toContain('told to stop')
  expect(said).toContain('"stopped"')
  // It never came to that.
  expect(said).not.toContain('store is open')
  const { reader, tsdb, close } = await openStore({ dataDir: join(folder.path, 'stopped') })
  expect(tsdb.stats()).toMatchObject({ numSeries: TARGETS * SERIES_OF_TARGET + 1, walCorruptions: 0 })
  const range = { minTimeMs: 0, maxTimeMs: 1e15 }
  const querier = reader.querier(range)
  expect([...querier.select([], range)].map(({ length }) => length)).toEqual([ROWS])
  querier.close()
  await close()
})
