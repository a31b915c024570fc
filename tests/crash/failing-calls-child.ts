// Works with a store while single calls to the file system fail, and says on stdout what was lost: one line of JSON a round.
// Arguments: main or worker (whose calls fail) or full (the disk, from row n on, for ten rows), the first n, the step to the next, how many at most: it ends before when no
// call fails any more, because the work is done with fewer.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMatcher } from '../../model/index.ts'
import { openStore, type Store, verifyStore } from '../../tsdb/library.ts'
import { arm } from './failing-calls.ts'

const ROWS = 45
const FIRST_MS = 1_700_000_000_000
const OPTIONS = { blockDurationMs: 10_000, checkpointLogBytes: 1000, walSegmentBytesMax: 3000 } as const
const LABELS = ['a', 'b'].map((name) => ['__name__', name])
const DELETED_TO = 3
const FULL_ROWS = 10

const [, , where = 'main', first = '1', step = '1', count = '10'] = process.argv
// The number of calls differs a little from round to round.
const ROUNDS_WITHOUT_FAILURE = 3
let unharmed = 0
for (let n = Number(first), rounds = 0; rounds < Number(count); n += Number(step), rounds++) {
  const result = await round(n)
  process.stdout.write(`${JSON.stringify({ where, n, ...result })}\n`)
  unharmed = result.failedCall ? 0 : unharmed + 1
  if (unharmed === ROUNDS_WITHOUT_FAILURE) break
}
process.exit(0)

interface Round {
  /** Whether there was an n-th call at all. */
  readonly failedCall: boolean
  readonly failed: readonly string[]
  readonly acknowledged: number
  readonly faults: readonly string[]
}

async function round(n: number): Promise<Round> {
  const dataDir = mkdtempSync(join(tmpdir(), 'belltower-failing-'))
  const failed: string[] = []
  const acknowledged = new Set<number>()
  let isDeleted: boolean | undefined = false
  /** @returns whether it went well */
  const attempt = async (job: () => Promise<unknown>): Promise<boolean> => {
    try {
      await job()
      return true
    } catch (error) {
      failed.push((error as Error).message)
      return false
    }
  }
  const failedCalls = `${dataDir}.failed`
  process.env.FAILED_CALLS = failedCalls
  if (where === 'worker') process.env.FAILING_CALL = String(n)
  else if (where === 'main') arm(n)
  let store: Store | undefined
  for (let tries = 0; store === undefined && tries < 2; tries++) {
    await attempt(async () => {
      store = await openStore({ dataDir, ...OPTIONS })
    })
    // A process that could not open it would have ended.
    if (store === undefined) rmSync(join(dataDir, 'lock'), { force: true })
  }
  const { tsdb } = store!
  const appender = tsdb.appender()
  for (let row = 0; row < ROWS; row++) {
    if (where === 'full' && row === n) writeFileSync(process.env.FULL_DISK!, '')
    if (where === 'full' && row === n + FULL_ROWS) rmSync(process.env.FULL_DISK!)
    for (const labels of LABELS) appender.append(undefined, labels, FIRST_MS + row * 1000, row)
    if (await attempt(() => appender.commit())) acknowledged.add(row)
    if (row % 15 === 14) await attempt(() => tsdb.maintain())
    if (row === 20) {
      const range = { minTimeMs: FIRST_MS, maxTimeMs: FIRST_MS + DELETED_TO * 1000 }
      const done = await attempt(() => tsdb.deleteSeries([createMatcher('=', '__name__', 'b')], range))
      isDeleted = done ? true : undefined
    }
  }
  // Where the last row still met a full disk.
  if (where === 'full') rmSync(process.env.FULL_DISK!, { force: true })
  await attempt(() => tsdb.snapshot())
  await attempt(() => store!.close())
  const calls = arm(0)
  delete process.env.FAILING_CALL
  const failedInWorker = existsSync(failedCalls) ? readFileSync(failedCalls, 'utf8').trim().split('\n') : []
  failed.push(...failedInWorker.map((name) => `in a worker: ${name}`))
  const failedCall = where === 'worker' ? failedInWorker.length > 0 : where === 'main' ? calls >= n : failed.length > 0
  rmSync(join(dataDir, 'lock'), { force: true })
  const faults = (await verifyStore(dataDir)).faults.map(({ place, why }) => `${place}: ${why}`)
  faults.push(...(await lost(dataDir, acknowledged, isDeleted)))
  for (const path of [dataDir, failedCalls]) rmSync(path, { recursive: true, force: true })
  return { failedCall, failed, acknowledged: acknowledged.size, faults }
}

async function lost(
  dataDir: string,
  acknowledged: ReadonlySet<number>,
  isDeleted: boolean | undefined,
): Promise<string[]> {
  const faults: string[] = []
  const { reader, close } = await openStore({ dataDir, ...OPTIONS })
  const range = { minTimeMs: 0, maxTimeMs: 2e12 }
  const querier = reader.querier(range)
  const found = new Map<string, number[]>()
  for (const { labels, timestampsMs, values, length } of querier.select([], range)) {
    const rows = Array.from(values.slice(0, length))
    const isRight = rows.every((row, i) => timestampsMs[i] === FIRST_MS + row * 1000 && (i === 0 || row > rows[i - 1]!))
    if (!isRight) faults.push(`${labels[1]}: wrong or twice: ${rows.join()}`)
    found.set(labels[1]!, rows)
  }
  querier.close()
  await close()
  for (const row of acknowledged) {
    if (!found.get('a')?.includes(row)) faults.push(`a at row ${row} is lost`)
    const mayBeDeleted = isDeleted !== false && row <= DELETED_TO
    if (!mayBeDeleted && !found.get('b')?.includes(row)) faults.push(`b at row ${row} is lost`)
    if (isDeleted === true && row <= DELETED_TO && found.get('b')?.includes(row)) faults.push(`b at row ${row} is back`)
  }
  return faults
}
