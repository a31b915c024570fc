// Goal: after a kill a batch of several times is there as a whole or not at all, however much of it had come to the log.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Tsdb } from '../index.ts'
import { replayFolder } from '../testing/replay.ts'
import { type Dump, dump, openStore, temporaryFolder } from '../testing/store.ts'
import { readSegment } from './wal-reader.ts'

const FIRST_MS = 1_700_000_000_000
const TIMES = 3
const BATCHES = 4

/** Each series at each of some times; series that come together share a group, the first batch makes it. */
async function appendBatch(store: Tsdb, batch: number): Promise<void> {
  const appender = store.appender({ stream: 'test' })
  for (const i of ['a', 'b', 'c']) {
    for (let time = 0; time < TIMES; time++) {
      const step = batch * TIMES + time
      appender.append(undefined, ['__name__', 'n', 'i', i], FIRST_MS + step * 1000, step)
    }
  }
  await appender.commit()
}

/** The log of some batches, and what is in the store after each. */
async function makeLog(folder: string): Promise<{ file: Buffer; states: Dump[] }> {
  const store = await openStore(join(folder, 'live'))
  const states: Dump[] = [{}]
  for (let batch = 0; batch < BATCHES; batch++) {
    await appendBatch(store, batch)
    states.push(dump(store))
  }
  const wal = join(folder, 'live/wal')
  copyFileSync(join(wal, readdirSync(wal)[0]!), join(folder, 'copy'))
  await store.close()
  return { file: readFileSync(join(folder, 'copy')), states }
}

function writeLog(folder: string, bytes: Uint8Array): string {
  const wal = join(folder, 'wal')
  mkdirSync(wal, { recursive: true })
  writeFileSync(join(wal, '00000001'), bytes)
  return wal
}

/** Ends of the records of a segment, after the header. */
function recordEnds(file: Buffer): { end: number; type: number }[] {
  const ends: { end: number; type: number }[] = []
  readSegment(file, ({ type, payload }) =>
    ends.push({ type, end: payload.byteOffset - file.byteOffset + payload.length }),
  )
  return ends
}

test('batch: a log cut at any byte holds whole batches', async () => {
  const { folder, remove } = temporaryFolder()
  const { file, states } = await makeLog(folder)
  let complete = 0
  for (let cut = 16; cut <= file.length; cut++) {
    const wal = writeLog(folder, file.subarray(0, cut))
    const { dump: got, result } = await replayFolder(wal, join(folder, 'quarantine'))
    const state = states.findIndex((one) => Object.keys(one).length === Object.keys(got).length && isSame(one, got))
    expect(state, `cut at ${cut}`).toBeGreaterThanOrEqual(complete)
    expect(result).toMatchObject({ damagedRanges: 0, rowsLost: 0 })
    complete = state
    // What was left out is gone from the file, too: a second replay has nothing to cut.
    const left = readFileSync(join(wal, '00000001'))
    expect((await replayFolder(wal, join(folder, 'quarantine'))).dump).toEqual(got)
    expect(readFileSync(join(wal, '00000001')).equals(left), `cut at ${cut}`).toBe(true)
  }
  expect(complete).toBe(BATCHES)
  remove()
})

test('batch: one that was cut off can be sent again, and the store goes on', async () => {
  const { folder, remove } = temporaryFolder()
  const { file, states } = await makeLog(folder)
  // From the begin of the last batch but one on.
  for (const { end, type } of recordEnds(file).slice(-2 * (TIMES + 2))) {
    const data = join(folder, `cut-${end}`)
    mkdirSync(data)
    writeLog(data, file.subarray(0, end))
    let store = await openStore(data)
    const state = states.findIndex((one) => isSame(one, dump(store)))
    expect(state, `cut at ${end}, behind a record of type ${type}`).toBeGreaterThanOrEqual(0)
    for (let batch = state; batch < BATCHES; batch++) await appendBatch(store, batch)
    expect(dump(store)).toEqual(states.at(-1))
    await store.close()
    store = await openStore(data)
    expect(dump(store)).toEqual(states.at(-1))
    await store.close()
  }
  remove()
})

test('batch: when damage took its end, what is there of it counts', async () => {
  const { folder, remove } = temporaryFolder()
  const { file, states } = await makeLog(folder)
  const ends = recordEnds(file)
  const marks = ends.filter(({ type }) => type === 9)
  expect(marks).toHaveLength(2 * BATCHES)
  // The last batch but one loses its end and the last one its begin: all of both is there.
  const bytes = Buffer.from(file)
  for (const mark of marks.slice(-3, -1)) bytes.fill(0x55, mark.end - 12, mark.end)
  const { dump: got, result } = await replayFolder(writeLog(folder, bytes), join(folder, 'quarantine'))
  expect(got).toEqual(states.at(-1))
  expect(result.damagedRanges).toBe(1)
  // The last one alone loses a row: it is known to be damaged, and what is left of it is not taken away.
  const other = Buffer.from(file)
  other.fill(0x55, ends.at(-3)!.end - 4, ends.at(-3)!.end)
  const rest = await replayFolder(writeLog(folder, other), join(folder, 'quarantine'))
  expect(Object.keys(rest.dump)).toHaveLength(3)
  expect(rest.result.damagedRanges).toBe(1)
  remove()
})

test('batch: larger than a buffer and a segment, it lies in one segment', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, { walSegmentBytesMax: 4096 })
  for (const batch of [0, 1]) {
    const appender = store.appender({ stream: 'test' })
    for (let series = 0; series < 3000; series++) {
      for (let time = 0; time < 20; time++) {
        const value = Math.sin(series * 20 + time)
        appender.append(undefined, ['__name__', 'n', 'i', String(series)], FIRST_MS + (batch * 20 + time) * 1000, value)
      }
    }
    await appender.commit()
  }
  const wal = join(folder, 'wal')
  const found = readdirSync(wal).map((name) => {
    const marks: number[] = []
    const file = readFileSync(join(wal, name))
    readSegment(file, ({ type, aux }) => type === 9 && marks.push(aux))
    return { marks, bytes: file.length }
  })
  expect(found.flatMap(({ marks }) => marks)).toEqual([1, 0, 1, 0])
  for (const { marks } of found) expect(marks.length % 2).toBe(0)
  expect(Math.max(...found.map(({ bytes }) => bytes))).toBeGreaterThan(256 * 1024)
  await store.close()
  remove()
})

function isSame(a: Dump, b: Dump): boolean {
  const text = (one: Dump): string =>
    JSON.stringify(Object.entries(one).sort(), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
  return text(a) === text(b)
}
