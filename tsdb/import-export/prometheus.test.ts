// Goal: what leaves as blocks of Prometheus is what the store holds, for Prometheus' own tools and for ourselves.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLogger } from '../../lib/log.ts'
import { CounterResetHint, CUSTOM_BUCKETS_SCHEMA, type NativeHistogram } from '../../model/index.ts'
import { exportPrometheus, importPrometheus, openOfflineStore, type Tsdb } from '../index.ts'
import { type CellValue, dump, openStore, temporaryFolder, writeRow } from '../testing/store.ts'

const HOUR_MS = 3_600_000
const START_MS = 1_700_006_400_000

const hasPromtool = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'promtool')))
const promtool = (...args: string[]): string => execFileSync('promtool', args, { encoding: 'utf8' })

const histogram = (count: number, changes: Partial<NativeHistogram> = {}): NativeHistogram => ({
  integer: true,
  counterResetHint: CounterResetHint.UNKNOWN,
  schema: 1,
  zeroThreshold: 2 ** -128,
  zeroCount: 1,
  count: 6 * count + 1,
  sum: count * 1.25,
  positiveSpans: [
    { offset: -3, length: 2 },
    { offset: 4, length: 1 },
  ],
  positiveBuckets: Float64Array.of(count, 2 * count, count),
  negativeSpans: [{ offset: 0, length: 1 }],
  negativeBuckets: Float64Array.of(2 * count),
  customBounds: new Float64Array(),
  ...changes,
})

/** Three hours of targets with gaps, markers and odd numbers, and of histograms of every kind. */
async function fill(store: Tsdb): Promise<void> {
  const appender = store.appender({ stream: 'test' })
  for (let i = 0; i < 240; i++) {
    const timeMs = START_MS + i * 45_000
    const kinds: [string, NativeHistogram][] = [
      ['h_int', histogram(i < 100 ? i : i - 100)],
      ['h_gauge', histogram(500 - i, { counterResetHint: CounterResetHint.GAUGE })],
      ['h_float', histogram(i + 0.5, { integer: false, sum: i / 3, zeroThreshold: 0.001 })],
      ['h_custom', histogram(i, CUSTOM)],
    ]
    for (const [name, sample] of kinds) {
      if (name === 'h_int' && i % 50 === 49) appender.appendStale(undefined, ['__name__', name], timeMs)
      else appender.appendHistogram(undefined, ['__name__', name], timeMs, sample)
    }
    appender.append(undefined, ['__name__', 'rule', 'über', 'ß\n"'], timeMs + 7, i % 7 === 0 ? Number.NaN : i / 7)
    await appender.commit()
  }
  for (const instance of ['a:1', 'b:2']) {
    const writer = store.openGroup(['instance', instance, 'job', 'node'])
    writer.addSeries([
      ['__name__', 'counter'],
      ['__name__', 'gauge', 'mode', 'x'],
      ['__name__', 'gone'],
      ['__name__', 'odd'],
    ])
    for (let i = 0; i < 700; i++) {
      writeRow(writer, START_MS + i * 15_000 + (instance === 'a:1' ? 0 : 3), [
        [0, i * 3],
        [1, Math.round(Math.sin(i) * 1000) / 10],
        [2, i === 400 ? 'stale' : i > 400 && i < 600 ? 'absent' : 1],
        [3, ODD[i % ODD.length]!],
      ])
    }
  }
  await store.flushed()
}

const CUSTOM: Partial<NativeHistogram> = {
  schema: CUSTOM_BUCKETS_SCHEMA,
  zeroThreshold: 0,
  zeroCount: 0,
  positiveSpans: [{ offset: 0, length: 3 }],
  negativeSpans: [],
  negativeBuckets: new Float64Array(),
  customBounds: Float64Array.of(0.005, 1 / 3, 25),
}

// The stale marker is written as a marker; these are other NaNs, negative zero, denormals, the largest numbers.
const ODD: readonly CellValue[] = [
  0x7ff8000000000001n,
  0x8000000000000000n,
  1n,
  0x7fefffffffffffffn,
  0xfff0000000000000n,
  0x7ff8dead0000beefn,
  0x3fb999999999999an,
]

/** Everything that the blocks in a folder hold but their names. */
const contents = (folder: string): Buffer[] =>
  readdirSync(folder)
    .sort()
    .flatMap((ulid) => {
      const chunks = readdirSync(join(folder, ulid, 'chunks')).map((name) => join('chunks', name))
      return ['index', 'tombstones', ...chunks].map((file) => readFileSync(join(folder, ulid, file)))
    })

test('export, import, export: the same samples bit for bit, and the same bytes', { timeout: 60_000 }, async () => {
  const { folder, remove } = temporaryFolder()
  const source = await openStore(join(folder, 'source'))
  await fill(source)
  const first = join(folder, 'first')
  const summary = await exportPrometheus(source, first)
  expect(summary).toMatchObject({ blocks: 2 })
  const before = dump(source)
  expect(summary.samples).toBe(Object.values(before).reduce((sum, samples) => sum + samples.length, 0))
  await source.close()

  const target = join(folder, 'target')
  const progress: number[] = []
  const options = { logger: silentLogger, onProgress: (done: number) => progress.push(done) }
  expect(await importPrometheus(target, first, options)).toMatchObject({ samples: summary.samples })
  expect(progress.at(-1)).toBe(2)
  const store = await openOfflineStore(target, silentLogger)
  expect(dump(store)).toEqual(before)
  const second = join(folder, 'second')
  await exportPrometheus(store, second)
  await store.close()
  const [a, b] = [contents(first), contents(second)]
  expect(b.map(({ length }) => length)).toEqual(a.map(({ length }) => length))
  expect(b.every((bytes, i) => bytes.equals(a[i]!))).toBe(true)
  remove()
})

test.skipIf(!hasPromtool)(
  'promtool accepts what is exported and counts the same series',
  { timeout: 60_000 },
  async () => {
    const { folder, remove } = temporaryFolder()
    const source = await openStore(join(folder, 'source'))
    await fill(source)
    const out = join(folder, 'out')
    const { samples } = await exportPrometheus(source, out)
    await source.close()
    const listed = promtool('tsdb', 'list', out)
    const numbers = listed
      .split('\n')
      .slice(1, 3)
      .map((line) => line.split(/\s+/))
    expect(
      numbers.reduce((sum, cells) => sum + Number(cells[4]), 0),
      listed,
    ).toBe(samples)
    expect(promtool('tsdb', 'analyze', out)).toMatch(/Series: 13\n/)
    mkdirSync(join(out, 'wal')) // It reads a log, too.
    const dumped = promtool('tsdb', 'dump', '--match={__name__=~"counter|gauge"}', out)
    expect(dumped.split('\n').filter((line) => line.startsWith('{'))).toHaveLength(4 * 700)
    expect(dumped).toContain(`{__name__="counter", instance="b:2", job="node"} 2097 ${START_MS + 699 * 15_000 + 3}`)
    remove()
  },
)

test.skipIf(!hasPromtool)(
  'blocks that promtool made are imported, behind and amid what the store has',
  { timeout: 60_000 },
  async () => {
    const { folder, remove } = temporaryFolder()
    const lines = ['# TYPE made gauge']
    for (let i = 0; i < 500; i++)
      lines.push(`made{job="j",instance="${i % 2}"} ${i / 8} ${START_MS / 1000 + (i >> 1) * 30}`)
    writeFileSync(join(folder, 'page.om'), `${lines.join('\n')}\n# EOF\n`)
    const blocks = join(folder, 'blocks')
    mkdirSync(blocks)
    promtool('tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'page.om'), blocks)

    const target = join(folder, 'target')
    const own = await openStore(target)
    const appender = own.appender()
    appender.append(undefined, ['__name__', 'own'], START_MS + HOUR_MS / 2, 7)
    appender.append(undefined, ['__name__', 'own'], START_MS + HOUR_MS, 8)
    await appender.commit()
    await own.close()
    expect(await importPrometheus(target, blocks, { logger: silentLogger })).toEqual({ blocks: 2, samples: 500 })
    const store = await openOfflineStore(target, silentLogger)
    const all = dump(store)
    expect(Object.keys(all).sort()).toEqual(['made{instance="0", job="j"}', 'made{instance="1", job="j"}', 'own'])
    expect(all['own']).toHaveLength(2)
    expect(all['made{instance="1", job="j"}']).toHaveLength(250)
    expect(all['made{instance="1", job="j"}']![3]![0]).toBe(START_MS + 90_000)
    await store.close()
    remove()
  },
)
