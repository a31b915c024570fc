// Goal: kill -9 at any moment of appending, sealing, block writing, merging, checkpoints, retention and deletion loses nothing
// acknowledged, doubles nothing, and leaves a folder that verifies.
// Method: the real server with short blocks and small log segments, written to over HTTP without a pause; killed after a random
// while; its folder verified; started again and asked for everything. Two such lives go on beside each other.
// BELLTOWER_KILLS sets how often: 200 and more is a soak. BELLTOWER_KILL_SEED chooses the same lives again, as far as time allows.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { randomOf } from '../../lib/seeded-random.ts'
import { verifyStore } from '../../tsdb/index.ts'
import { type Belltower, startBelltower, temporaryFolder } from '../support/belltower.ts'
import { Expectation, type Found } from './expectation.ts'
import { SERIES, STEP_MS, writeRequest } from './remote-writer.ts'

const KILLS = Number(process.env.BELLTOWER_KILLS ?? 20)
const SEED = Number(process.env.BELLTOWER_KILL_SEED ?? Date.now() % 100_000)
const random = randomOf(SEED)
const LANES = 2
const LIFE_MS_MAX = KILLS > 20 ? 5000 : 2500
/** So much longer a life may be until everything has been seen at work once, on a machine that is slow too. */
const PATIENCE_MS = 60_000
const RETENTION_MS = 5 * 60_000
const BATCH_STEPS = 8
const FLAGS = [
  '--web.enable-remote-write-receiver',
  '--web.enable-admin-api',
  '--storage.tsdb.min-block-duration=8s',
  '--storage.tsdb.wal-segment-size=8KB',
  `--storage.tsdb.retention.time=${RETENTION_MS}ms`,
  '--query.workers=1',
]

/** How often the server was seen at what must not be disturbed. */
interface Seen {
  built: number
  merged: number
  expired: number
  checkpoints: number
  deleted: number
  acknowledged: number
}

const folders = Array.from({ length: LANES }, () => temporaryFolder())
afterAll(() => {
  for (const folder of folders) folder.remove()
})

test(`nothing is lost or doubled by ${KILLS} kills`, {
  timeout: 120_000 + KILLS * 60_000,
}, async () => {
  const seen: Seen = { built: 0, merged: 0, expired: 0, checkpoints: 0, deleted: 0, acknowledged: 0 }
  console.log(`kills with seed ${SEED}`)
  let kills = 0
  const takeKill = (): boolean => ++kills <= KILLS
  await Promise.all(folders.map(({ path }) => liveAndDie(path, takeKill, seen)))
  // Otherwise it was not about anything.
  expect(seen.acknowledged).toBeGreaterThan(KILLS * 20)
  for (const [phase, times] of Object.entries(seen)) expect(times, phase).toBeGreaterThan(0)
})

async function liveAndDie(folder: string, takeKill: () => boolean, seen: Seen): Promise<void> {
  writeFileSync(join(folder, 'belltower.yml'), 'scrape_configs: []\n')
  const baseMs = Math.floor(Date.now() / STEP_MS) * STEP_MS - 10 * 24 * 3_600_000
  const expectation = new Expectation(baseMs, RETENTION_MS)
  const data = join(folder, 'data')
  for (let kill = 0; ; kill++) {
    const isLast = !takeKill()
    const server = await startBelltower(folder, FLAGS)
    try {
      const faults = expectation.check(await readAll(server, baseMs, expectation))
      expect(faults.slice(0, 5), `after kill ${kill}`).toEqual([])
      const isEnough = (): boolean => hasSeenAll(withLife(seen, server, data))
      if (!isLast) await writeUntilKilled(server, baseMs, expectation, isEnough)
    } finally {
      await server.kill()
    }
    // Nothing is damaged by a kill, and nothing is said to be.
    expect(server.lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    expect(readdirSync(data).includes('quarantine'), server.lines.join('\n')).toBe(false)
    if (isLast) break
    const { faults } = await verifyStore(data)
    expect(faults, `after kill ${kill}`).toEqual([])
    Object.assign(seen, withLife(seen, server, data))
  }
  seen.acknowledged += expectation.acknowledged
  seen.deleted += expectation.deletionCount
}

/** What was seen, and what the server was at in this life. */
function withLife(seen: Seen, { lines }: Belltower, data: string): Seen {
  const logged = lines.join('\n')
  return {
    ...seen,
    built: seen.built + count(logged, 'block built'),
    merged: seen.merged + count(logged, 'blocks merged'),
    expired: seen.expired + count(logged, 'its time is over'),
    checkpoints: seen.checkpoints + Number(readdirSync(data).includes('checkpoint')),
  }
}

/** Deletions and acknowledged writes are counted at the end only. */
const hasSeenAll = ({ built, merged, expired, checkpoints }: Seen): boolean =>
  built > 0 && merged > 0 && expired > 0 && checkpoints > 0

const count = (text: string, what: string): number => text.split(what).length - 1

/** Every sample of every series, by series. */
async function readAll(server: Belltower, baseMs: number, { acknowledged, writing }: Expectation): Promise<Found> {
  const to = Math.max(acknowledged, writing?.to ?? 0)
  const expr = encodeURIComponent(`kill[${to + 1}s]`)
  const { result } = await server.api<{ result: { metric: { i: string }; values: [number, string][] }[] }>(
    `/api/v1/query?query=${expr}&time=${(baseMs + to * STEP_MS) / 1000}`,
  )
  return Array.from({ length: SERIES }, (_, i) => result.find(({ metric }) => metric.i === String(i))?.values ?? [])
}

async function writeUntilKilled(
  server: Belltower,
  baseMs: number,
  expectation: Expectation,
  isEnough: () => boolean,
): Promise<void> {
  const life = new AbortController()
  const lifeMs = random() * LIFE_MS_MAX
  const end = async (): Promise<void> => {
    await pause(lifeMs)
    const patientUntilMs = Date.now() + PATIENCE_MS
    while (!life.signal.aborted && !isEnough() && Date.now() < patientUntilMs) await pause(random() * 100)
    life.abort()
    server.process.kill('SIGKILL')
  }
  const post = async (path: string, body?: Uint8Array): Promise<boolean> => {
    try {
      const headers = { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' }
      const answer = await fetch(`${server.url}${path}`, {
        method: 'POST',
        ...(body === undefined ? {} : { body: new Uint8Array(body), headers }),
      })
      const text = await answer.text()
      if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${text}`)
      return true
    } catch (error) {
      // Killed meanwhile.
      if (life.signal.aborted) return false
      throw error
    }
  }
  const write = async (): Promise<void> => {
    while (!life.signal.aborted) {
      const from = expectation.acknowledged
      const to = from + BATCH_STEPS
      expectation.writing = { from, to }
      if (!(await post('/api/v1/write', writeRequest(baseMs, from, to)))) return
      expectation.written()
      await pause(10)
    }
  }
  const disturb = async (): Promise<void> => {
    while (!life.signal.aborted) {
      await pause(100 + random() * 400)
      const to = expectation.acknowledged - Math.floor(random() * 60)
      const from = to - Math.ceil(random() * 30)
      if (life.signal.aborted || from < 0) continue
      const series = Math.floor(random() * SERIES)
      const seconds = (step: number): number => (baseMs + step * STEP_MS) / 1000
      expectation.deleting = { series, from, to }
      const query = `match[]=kill{i="${series}"}&start=${seconds(from)}&end=${seconds(to - 1)}`
      if (!(await post(`/api/v1/admin/tsdb/delete_series?${encodeURI(query)}`))) return
      expectation.deleted()
      if (random() < 0.3) await post('/api/v1/admin/tsdb/clean_tombstones')
    }
  }
  try {
    await Promise.all([write(), disturb(), end()])
  } finally {
    life.abort()
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
