import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  DuplicateSampleError,
  type GroupWriter,
  type Labels,
  labelsText,
  OutOfBoundsError,
  OutOfOrderSampleError,
  withLabels,
} from '../model/index.ts'
import type { Tsdb } from './index.ts'
import {
  copyAsKilled,
  bitsOf,
  type CellValue,
  type Dump,
  dump,
  openStore,
  STALE_BITS,
  temporaryFolder,
  writeRow,
} from './testing/store.ts'

const MINUTE = 60_000
// Short, so that a run of a few hundred rows cuts blocks.
const BLOCK_MS = 20 * MINUTE
const START = 1_699_999_200_000 // A multiple of two hours.

const TARGETS: Labels[] = [['instance', 'a:1', 'job', 'x'], ['instance', 'b:1', 'job', 'x'], []]
// The third takes a label of the target away, the fourth sets it.
const SERIES: Labels[] = [
  ['__name__', 'up'],
  ['__name__', 'cpu', 'mode', 'idle'],
  ['__name__', 'cpu', 'instance', '', 'mode', 'user'],
  ['__name__', 'cpu', 'instance', 'z', 'mode', 'user'],
  ['__name__', 'temp_celsius', 'room', 'küche'],
  // On any target this is the first target's `up`: one series out of several groups.
  ['__name__', 'up', 'instance', 'a:1', 'job', 'x'],
]
const FREE_SERIES: Labels[] = [
  ['__name__', 'rule:a'],
  ['__name__', 'rule:b', 'x', 'y'],
  ['__name__', 'up', 'job', 'w'],
]

const value: fc.Arbitrary<CellValue> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -50, max: 50 }) },
  { weight: 2, arbitrary: fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((v) => v / 10) },
  { weight: 2, arbitrary: fc.constantFrom<CellValue>('stale', 'absent') },
  {
    weight: 2,
    arbitrary: fc.constantFrom<CellValue>(
      0x7ff8000000000001n,
      0x7ff00000deadbeefn,
      0xfff0000000000000n,
      0x8000000000000000n,
      1n,
      bitsOf(Math.PI),
    ),
  },
)

type Step =
  | { kind: 'row'; target: number; gapMs: number; cells: [number, CellValue][] }
  | { kind: 'append'; samples: { series: number; backMs: number; value: number }[] }
  | { kind: 'maintain' | 'reopen' | 'kill' | 'retake' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('row' as const),
      target: fc.nat({ max: TARGETS.length - 1 }),
      gapMs: fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 5 * MINUTE })),
      cells: fc.uniqueArray(fc.tuple(fc.nat({ max: SERIES.length - 1 }), value), { selector: ([s]) => s }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      samples: fc.array(
        fc.record({
          series: fc.nat({ max: FREE_SERIES.length - 1 }),
          backMs: fc.oneof(fc.constant(0), fc.nat({ max: 10 * MINUTE })),
          value: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double()),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom('maintain', 'reopen', 'kill', 'retake').map((kind): Step => ({ kind })) },
)

/** What the store must hold: plain maps. */
class Model {
  readonly samples = new Map<string, Map<number, bigint>>()

  put(labels: Labels, timeMs: number, bits: bigint): void {
    const name = labelsText(labels)
    const series = this.samples.get(name) ?? new Map<number, bigint>()
    this.samples.set(name, series.set(timeMs, bits))
  }

  dump(): Dump {
    const entries = [...this.samples].map(([name, series]): [string, [number, bigint][]] => [
      name,
      [...series].sort(([a], [b]) => a - b),
    ])
    return Object.fromEntries(entries)
  }
}

/** A target as a scraper would hold it: positions in order of first appearance, values carried over. */
class Target {
  readonly labels: Labels
  writer: GroupWriter | undefined
  positions: number[] = []
  current: CellValue[] = []

  constructor(labels: Labels) {
    this.labels = labels
  }

  write(store: Tsdb, model: Model, timeMs: number, wanted: [number, CellValue][]): void {
    // One target must not send a series twice.
    const own = effectiveName(this.labels, 0) === effectiveName(this.labels, 5) ? 5 : -1
    const cells = wanted.filter(([series]) => series !== own)
    if (this.writer === undefined) {
      this.writer = store.openGroup(this.labels)
      this.positions = []
      this.current = []
    }
    const added = cells.map(([series]) => series).filter((series) => !this.positions.includes(series))
    this.writer.addSeries(added.map((series) => SERIES[series]!))
    for (const series of added) this.positions.push(series)
    const row = cells
      .map(([series, cell]): [number, CellValue] => [this.positions.indexOf(series), cell])
      .sort(([a], [b]) => a - b)
    writeRow(this.writer, timeMs, row)
    for (const [position, cell] of row) this.current[position] = cell
    for (const [position, series] of this.positions.entries()) {
      const cell = this.current[position] ?? 'absent'
      if (cell === 'absent') continue
      const bits = cell === 'stale' ? STALE_BITS : typeof cell === 'bigint' ? cell : bitsOf(Math.round(cell * 10) / 10)
      model.put(effective(this.labels, SERIES[series]!), timeMs, bits)
    }
  }
}

const effectiveName = (target: Labels, series: number): string => labelsText(effective(target, SERIES[series]!))

function effective(target: Labels, series: Labels): Labels {
  const changes = Array.from({ length: series.length / 2 }, (_, i) => [series[2 * i]!, series[2 * i + 1]!] as const)
  return withLabels(target, changes)
}

async function append(store: Tsdb, model: Model, nowMs: number, samples: (Step & { kind: 'append' })['samples']) {
  const appender = store.appender({ stream: 'rules' })
  const timesOf = (labels: Labels): Map<number, bigint> => model.samples.get(labelsText(labels)) ?? new Map()
  const newestOf = (labels: Labels): number => Math.max(Number.NEGATIVE_INFINITY, ...timesOf(labels).keys())
  const storedMs = FREE_SERIES.map(newestOf)
  for (const sample of samples) {
    const labels = FREE_SERIES[sample.series]!
    const timeMs = nowMs - sample.backMs
    const known = timesOf(labels)
    const newestMs = storedMs[sample.series]!
    const bits = bitsOf(sample.value)
    try {
      appender.append(undefined, labels, timeMs, sample.value)
      expect(timeMs === newestMs ? known.get(timeMs) : undefined).toBe(timeMs === newestMs ? bits : undefined)
      expect(timeMs).toBeGreaterThanOrEqual(newestMs)
      // What comes behind another sample of its batch, or at its time, is left out.
      if (timeMs > newestOf(labels)) model.put(labels, timeMs, bits)
    } catch (error) {
      if (error instanceof OutOfOrderSampleError) expect(timeMs).toBeLessThan(newestMs)
      else if (error instanceof DuplicateSampleError) expect(known.get(timeMs)).not.toBe(bits)
      else if (!(error instanceof OutOfBoundsError)) throw error
    }
  }
  await appender.commit()
}

test('store: whatever was written is read back, bit for bit, across seal, block and reopen', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }), async (steps) => {
      const { folder, remove } = temporaryFolder()
      let dataDir = join(folder, '0')
      let kills = 0
      let store = await openStore(dataDir, { blockDurationMs: BLOCK_MS })
      try {
        const model = new Model()
        const targets = TARGETS.map((labels) => new Target(labels))
        let nowMs = START
        for (const one of steps) {
          if (one.kind === 'row') {
            nowMs += one.gapMs
            targets[one.target]!.write(store, model, nowMs, one.cells)
          } else if (one.kind === 'append') await append(store, model, nowMs, one.samples)
          else if (one.kind === 'maintain') await store.maintain()
          else {
            // What a kill leaves behind: the files as they are once everything is flushed.
            const left = join(folder, String(++kills))
            await store.flushed()
            if (one.kind === 'kill') copyAsKilled(dataDir, left)
            if (one.kind !== 'retake') {
              await store.close()
              if (one.kind === 'kill') dataDir = left
              store = await openStore(dataDir, { blockDurationMs: BLOCK_MS })
            }
            for (const target of targets) target.writer = undefined
          }
          if (one.kind === 'row') continue
          expect(dump(store)).toEqual(model.dump())
          expectNewest(store, model, nowMs)
        }
        expect(dump(store)).toEqual(model.dump())
        // A narrow range comes from another path.
        const range = { minTimeMs: nowMs - 5 * MINUTE, maxTimeMs: nowMs - MINUTE }
        expect(dump(store, [], range)).toEqual(cut(model.dump(), range.minTimeMs, range.maxTimeMs))
        expectNewest(store, model, nowMs)
      } finally {
        await store.close()
        remove()
      }
    }),
    // A counterexample is made smaller for so long, and then told as it is.
    { numRuns: 8, interruptAfterTimeLimit: 180_000, markInterruptAsFailure: true },
  )
})

/** The newest samples alone come from the last values, where those tell all; also of groups that were read back. */
function expectNewest(store: Tsdb, model: Model, nowMs: number): void {
  const lastOnly = (all: Dump): Dump =>
    Object.fromEntries(Object.entries(all).map(([name, samples]) => [name, samples.slice(-1)]))
  for (const maxTimeMs of [nowMs, nowMs - MINUTE]) {
    const lookback = { minTimeMs: maxTimeMs - 5 * MINUTE, maxTimeMs }
    const newest = dump(store, [], { ...lookback, newestOnly: true })
    expect(lastOnly(newest)).toEqual(lastOnly(cut(model.dump(), lookback.minTimeMs, maxTimeMs)))
  }
}

function cut(all: Dump, minMs: number, maxMs: number): Dump {
  const entries = Object.entries(all)
    .map(([name, samples]): [string, [number, bigint][]] => [name, samples.filter(([t]) => t >= minMs && t <= maxMs)])
    .filter(([, samples]) => samples.length > 0)
  return Object.fromEntries(entries)
}
