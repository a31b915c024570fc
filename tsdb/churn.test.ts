import { expect, test } from 'vitest'
import { ManualClock } from '../lib/index.ts'
import { Registry } from '../lib/metrics.ts'
import { createMatcher, type GroupWriter } from '../model/index.ts'
import { openReader, type Tsdb } from './index.ts'
import { openStore, temporaryFolder, writeRow } from './testing/store.ts'

const MINUTE = 60_000
const START = 1_699_999_200_000
const BLOCK_MS = 30 * MINUTE
const TARGETS = 40
const SERIES_PER_TARGET = 25

/** Targets that come and go; each has series that no other has. */
class Fleet {
  readonly #writers: { writer: GroupWriter; id: number }[] = []
  #nextId = 0

  replace(store: Tsdb, share: number): void {
    for (const { writer } of this.#writers.splice(0, Math.round(this.#writers.length * share))) writer.close()
    while (this.#writers.length < TARGETS) {
      const id = this.#nextId++
      const writer = store.openGroup(['instance', `host-${id}:9100`, 'job', 'fleet'])
      writer.addSeries(
        Array.from({ length: SERIES_PER_TARGET }, (_, i) =>
          i < 5 ? ['__name__', 'own', 'pod', `pod-${id}-${i}`] : ['__name__', 'common', 'n', String(i)],
        ),
      )
      this.#writers.push({ writer, id })
    }
  }

  async write(store: Tsdb, timeMs: number): Promise<void> {
    const appender = store.appender({ stream: 'rules' })
    for (const { writer, id } of this.#writers) {
      writeRow(
        writer,
        timeMs,
        Array.from({ length: SERIES_PER_TARGET }, (_, i): [number, number] => [i, id + i]),
      )
      appender.append(undefined, ['__name__', 'rule', 'target', `t-${id}`], timeMs, id)
    }
    await appender.commit()
  }
}

async function metric(registry: Registry, name: string): Promise<number> {
  const text = await registry.metrics()
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)![1])
}

test('churn: a fifth of the targets anew every ten minutes for hours, and memory does not grow', {
  timeout: 120_000,
}, async () => {
  const { folder, remove } = temporaryFolder()
  const registry = new Registry()
  const clock = new ManualClock(START)
  const store = await openStore(folder, { clock, registry, blockDurationMs: BLOCK_MS, checkpointLogBytes: 200_000 })
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const fleet = new Fleet()
  const bytes: number[] = []
  const strings: number[] = []
  for (let hour = 0; hour < 6; hour++) {
    let most = 0
    for (let minute = 0; minute < 60; minute++) {
      const timeMs = START + (hour * 60 + minute) * MINUTE
      if (minute % 10 === 0) fleet.replace(store, 0.2)
      await fleet.write(store, timeMs)
      if (minute % 10 !== 9) continue
      await clock.advance(10 * MINUTE)
      await store.maintain()
      most = Math.max(most, await metric(registry, 'belltower_tsdb_head_memory_bytes'))
      // The reader follows when numbers of labels come to mean something else.
      const range = { minTimeMs: timeMs - 5 * MINUTE, maxTimeMs: timeMs }
      const querier = reader.querier(range)
      for (const [name, perTarget] of [
        ['own', 5],
        ['common', 20],
        ['rule', 1],
      ] as const) {
        const columns = [...querier.select([createMatcher('=', '__name__', name)], range)]
        expect(columns).toHaveLength(TARGETS * perTarget)
        for (const { labels, length } of columns) {
          expect(length).toBe(6)
          if (name === 'own') {
            const id = /^host-(\d+):9100$/.exec(labels[3]!)![1]
            expect(labels[7]).toMatch(new RegExp(`^pod-${id}-\\d$`))
          }
        }
      }
      querier.close()
    }
    bytes.push(most)
    strings.push(store.stats().numLabelPairs)
  }
  expect(store.blocks().flatMap((block) => block.compaction.sources).length).toBeGreaterThan(10)
  const grownBy = (values: number[]): number => Math.max(...values.slice(4)) / Math.max(...values.slice(1, 4))
  expect(grownBy(bytes)).toBeLessThan(1.1)
  expect(grownBy(strings)).toBeLessThan(1.2)
  reader.close()
  detach()
  await store.close()
  remove()
})
