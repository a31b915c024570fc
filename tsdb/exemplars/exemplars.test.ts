import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Registry } from '../../lib/metrics.ts'
import { createMatcher, type Labels } from '../../model/index.ts'
import type { Tsdb } from '../index.ts'
import { openStore, temporaryFolder } from '../testing/store.ts'
import { AddResult, ExemplarRing } from './exemplar-ring.ts'

const A: Labels = ['__name__', 'requests_total', 'code', '200']
const B: Labels = ['__name__', 'requests_total', 'code', '500']
const trace = (id: number | string): Labels => ['trace_id', String(id)]
const at = (timestampMs: number, value: number, id: number | string = timestampMs) => ({
  labels: trace(id),
  value,
  timestampMs,
})
const ALL = [[createMatcher('=', '__name__', 'requests_total')]]
const EVER = { minTimeMs: 0, maxTimeMs: 1e15 }

test('exemplars: what is known, older or too long is dropped, as the reference does', () => {
  const ring = new ExemplarRing(10)
  expect(ring.add(A, at(1000, 1))).toBe(AddResult.ADDED)
  expect(ring.add(A, at(1000, 1))).toBe(AddResult.DUPLICATE)
  expect(ring.add(A, at(1000, 2))).toBe(AddResult.ADDED)
  expect(ring.add(A, at(1000, 1))).toBe(AddResult.OUT_OF_ORDER)
  expect(ring.add(A, at(999, 5))).toBe(AddResult.OUT_OF_ORDER)
  expect(ring.add(B, at(999, 5))).toBe(AddResult.ADDED)
  expect(ring.add(B, at(2000, 5, 'ü'.repeat(120)))).toBe(AddResult.ADDED)
  expect(ring.add(B, at(3000, 5, 'ü'.repeat(121)))).toBe(AddResult.REFUSED)
  expect(new ExemplarRing(0).add(A, at(1, 1))).toBe(AddResult.REFUSED)
})

test('exemplars: the oldest of all series make room; a resized ring keeps the newest', () => {
  const ring = new ExemplarRing(4)
  ring.add(B, at(500, 0))
  for (let i = 1; i <= 5; i++) ring.add(A, at(i * 1000, i))
  const times = () => ring.select(ALL, EVER).map(({ exemplars }) => exemplars.map((one) => one.timestampMs))
  expect(times()).toEqual([[2000, 3000, 4000, 5000]])
  expect(ring.seriesCount).toBe(1)
  // The newest of a series that has left the ring is forgotten with it.
  expect(ring.add(B, at(400, 0))).toBe(AddResult.ADDED)
  ring.resize(2)
  expect(times()).toEqual([[5000], [400]])
  ring.resize(8)
  ring.add(A, at(6000, 6))
  expect(times()).toEqual([[5000, 6000], [400]])
})

async function append(store: Tsdb, labels: Labels, timeMs: number, id?: number): Promise<void> {
  const appender = store.appender()
  appender.append(undefined, labels, timeMs, timeMs)
  appender.appendExemplar(labels, at(timeMs, 1, id))
  await appender.commit()
}

test('store: exemplars are found by series and time, and are there after a restart and after two', async () => {
  const { folder, remove } = temporaryFolder()
  let registry = new Registry()
  let store = await openStore(folder, { registry })
  await append(store, A, 1000)
  await append(store, B, 1500)
  await append(store, A, 2000)
  const dropped = store.appender()
  dropped.appendExemplar(A, at(9000, 1))
  dropped.rollback()
  for (let round = 0; round < 3; round++) {
    const [first, second] = store.exemplars(ALL, EVER)
    expect(first).toEqual({ seriesLabels: A, exemplars: [at(1000, 1), at(2000, 1)] })
    expect(second).toEqual({ seriesLabels: B, exemplars: [at(1500, 1)] })
    expect(store.exemplars(ALL, { minTimeMs: 1001, maxTimeMs: 1999 })).toEqual([
      { seriesLabels: B, exemplars: [at(1500, 1)] },
    ])
    expect(store.exemplars([[createMatcher('=', 'code', '404')]], EVER)).toEqual([])
    const text = await registry.metrics()
    expect(text).toContain('prometheus_tsdb_exemplar_exemplars_in_storage 3\n')
    expect(text).toContain('prometheus_tsdb_exemplar_series_with_exemplars_in_storage 2\n')
    expect(text).toContain('prometheus_tsdb_exemplar_max_exemplars 100000\n')
    await store.close()
    registry = new Registry()
    store = await openStore(folder, { registry })
  }
  await store.close()
  remove()
})

test('store: the exemplars’ log does not outgrow the ring', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder, { exemplarsMax: 50 })
  const appender = store.appender()
  const long: Labels = ['__name__', 'requests_total', 'path', '/'.repeat(4000)]
  for (let i = 0; i < 4000; i++) {
    appender.appendExemplar(long, at(i, i))
    if (i % 100 === 99) await appender.commit()
  }
  const want = store.exemplars(ALL, EVER)
  expect(want[0]!.exemplars.map(({ timestampMs }) => timestampMs)).toEqual(
    Array.from({ length: 50 }, (_, i) => 3950 + i),
  )
  expect(readdirSync(join(folder, 'exemplars')).length).toBeLessThanOrEqual(2)
  await store.close()
  store = await openStore(folder, { exemplarsMax: 50 })
  expect(store.exemplars(ALL, EVER)).toEqual(want)
  await store.close()
  remove()
})
