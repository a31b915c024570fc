import { expect, test } from 'vitest'
import { readExposition } from '../../model/index.ts'
import { isAlertmanagerHere, runAlertsBench } from './alerts.ts'
import { startFakeTargets } from './fake-targets.ts'
import { runHistoryBench } from './history.ts'
import { runIngestBench } from './ingest.ts'
import { PauseWatch, runMemoryBench } from './memory.ts'
import { NodePage } from './node-page.ts'
import { runQueryBench } from './query.ts'
import { runRemoteWriteBench } from './remote-write.ts'
import { runRestartBench } from './restart.ts'
import { isInstalled } from './systems.ts'

const values = (page: string): string[] => page.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('the page has 507 series, of which a quarter to a third change; equal seeds give equal pages', () => {
  const page = new NodePage({ seed: 1, withHistograms: false })
  const again = new NodePage({ seed: 1, withHistograms: false })
  let before = values(page.next())
  again.next()
  expect(before).toHaveLength(507)
  for (let version = 0; version < 20; version++) {
    const after = values(page.next())
    expect(values(again.next())).toEqual(after)
    const changed = after.filter((line, i) => line !== before[i]).length / after.length
    expect(changed).toBeGreaterThan(0.25)
    expect(changed).toBeLessThan(0.33)
    before = after
  }
})

test('fake targets serve pages that parse, packed when asked, different from target to target', async () => {
  const targets = await startFakeTargets({ intervalMs: 60_000, withHistograms: true })
  try {
    const get = async (index: number): Promise<string> => {
      const { host, path } = targets.address(index)
      return (await fetch(`http://${host}${path}`)).text() // fetch asks for gzip.
    }
    const [first, second] = [await get(0), await get(1)]
    expect(first).not.toBe(second)
    const families = readExposition(Buffer.from(first), 'text')
    const count = families.reduce((sum, family) => sum + family.samples.length, 0)
    expect(count).toBe(targets.seriesPerTarget)
    expect(families.find(({ name }) => name === 'http_request_duration_seconds')?.type).toBe('histogram')
  } finally {
    await targets.close()
  }
})

const canMeasure = process.platform === 'linux' && isInstalled('prometheus')
if (!canMeasure)
  console.log('skipped: the load benchmarks need Linux and prometheus on PATH (Debian: apt install prometheus)')

const hasAlertmanager = process.platform === 'linux' && isAlertmanagerHere()
if (!hasAlertmanager)
  console.log('skipped: needs prometheus-alertmanager on PATH (Debian: apt install prometheus-alertmanager)')

test.skipIf(!canMeasure)('the harness measures a real Prometheus', async () => {
  const results = await runIngestBench({
    systems: ['prometheus'],
    targets: 3,
    intervalMs: 500,
    warmupSeconds: 0.5,
    seconds: 2,
  })
  expect(results).toHaveLength(1)
  const [prometheus] = results
  expect(prometheus!.samplesPerSecond).toBeGreaterThan(500)
  expect(prometheus!.residentBytes).toBeGreaterThan(1e6)
  expect(prometheus!.diskBytesPerSample).toBeGreaterThan(0)
})

test.skipIf(!canMeasure)('the ten queries find data', async () => {
  const results = await runQueryBench({ systems: ['prometheus'], targets: 2, intervalMs: 500, seconds: 5, rounds: 1 })
  expect(results).toHaveLength(10)
  for (const { query, answers } of results) expect(answers.prometheus!.series, query).toBeGreaterThan(0)
})

test.skipIf(!canMeasure)('the same requests can be written to a real Prometheus', async () => {
  const results = await runRemoteWriteBench({ systems: ['prometheus'], targets: 1, samples: 3, batch: 200 })
  expect(results).toMatchObject([{ name: 'prometheus', samples: 3 * 507 }])
})

test.skipIf(!canMeasure)('the queries over a history find data', async () => {
  const sizes = { targets: 4, samples: 30, manySeries: 100, rounds: 1, warmupMs: 0, settleSeconds: 0 }
  const results = await runHistoryBench({ systems: ['prometheus'], ...sizes })
  expect(results).toHaveLength(35)
  for (const { query, answers } of results) expect(answers.prometheus!.series, query).toBeGreaterThan(0)
})

test.skipIf(!canMeasure)('a killed Prometheus is started again and answers', { timeout: 60_000 }, async () => {
  const results = await runRestartBench({
    systems: ['prometheus'],
    targets: 2,
    intervalMs: 500,
    seconds: 3,
    rounds: 1,
  })
  expect(results).toMatchObject([{ name: 'prometheus' }])
  expect(results[0]!.allSeriesMs).toBeGreaterThanOrEqual(results[0]!.readyMs)
})

test.skipIf(!canMeasure)('the memory of a real Prometheus is measured', async () => {
  const results = await runMemoryBench({ systems: ['prometheus'], targets: 2, intervalMs: 500, seconds: 1 })
  expect(results).toMatchObject([{ name: 'prometheus', pauses: undefined }])
  expect(results[0]!.peakBytes).toBeGreaterThanOrEqual(results[0]!.residentBytes)
})

test('pauses of the main thread are read from what Node prints', () => {
  const watch = new PauseWatch()
  watch.read(
    '[7:0x2d3e]   43 ms: Scavenge 4.3 (4.5) -> 3.9 (5.5) MB, 3.91 / 0.00 ms  (average mu = 1.000) allocation failure; ',
  )
  watch.read('[7:0x7f9c]   50 ms: Mark-Compact 3.2 (3.2) -> 2.8 (4.2) MB, 99.50 / 0.00 ms  task; ')
  watch.read('{"level":"info"}')
  watch.read(
    '[7:0x2d3e]  390 ms: Mark-Compact (reduce) 56.4 (87.9) -> 41.4 (74.7) MB, 2.25 / 0.00 ms  (+ 2.0 ms in 3 steps)',
  )
  expect(watch.pauses).toEqual({ fullCount: 1, fullMs: 2.25, anyMs: 3.91, workersFullMs: 99.5 })
})

test.skipIf(!hasAlertmanager)(
  'alerts are given to a real Alertmanager, and it tells of every group',
  { timeout: 60_000 },
  async () => {
    const results = await runAlertsBench({ alerts: 40, groups: 4, groupWaitSeconds: 1 })
    const real = results.find(({ name }) => name === 'alertmanager')!
    expect(real.notifications).toBe(4)
    expect(real.calls).toHaveLength(5)
    for (const { call, bytes } of real.calls) if (call.startsWith('GET')) expect(bytes, call).toBeGreaterThan(1000)
  },
)
