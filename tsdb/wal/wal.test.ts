import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Clock, type Logger, systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { copyAsKilled, bitsOf, type Dump, dump, openStore, temporaryFolder, writeRow } from '../testing/store.ts'
import { replayFolder } from '../testing/replay.ts'
import { readSegment } from './wal-reader.ts'

const FIRST_MS = 1_700_000_000_000

/** The log of two targets that write in turn, as a kill would leave it. */
async function makeLog(folder: string, rows: number): Promise<{ file: Buffer; want: Dump }> {
  const store = await openStore(join(folder, 'live'))
  const writers = ['a', 'b'].map((instance) => store.openGroup(['instance', instance]))
  const want: Dump = {}
  for (const writer of writers) writer.addSeries([['__name__', 'n']])
  for (let row = 0; row < rows; row++) {
    const timeMs = FIRST_MS + row * 1000
    for (const [i, writer] of writers.entries()) {
      writeRow(writer, timeMs, [[0, row * row + i]])
      const samples = (want[`n{instance="${'ab'[i]}"}`] ??= [])
      samples.push([timeMs, bitsOf(row * row + i)])
    }
  }
  await store.flushed()
  const name = readdirSync(join(folder, 'live/wal'))[0]!
  copyFileSync(join(folder, 'live/wal', name), join(folder, 'copy'))
  await store.close()
  return { file: readFileSync(join(folder, 'copy')), want }
}

function replayBytes(folder: string, bytes: Uint8Array) {
  const wal = join(folder, 'wal')
  mkdirSync(wal, { recursive: true })
  writeFileSync(join(wal, '00000001'), bytes)
  return replayFolder(wal, join(folder, 'quarantine'))
}

test('wal: cut at any byte, it comes back as a prefix of what was written', async () => {
  const { folder, remove } = temporaryFolder()
  const { file, want } = await makeLog(folder, 8)
  let seen = 0
  for (let cut = 0; cut <= file.length; cut++) {
    const { dump: got, result } = await replayBytes(folder, file.subarray(0, cut))
    let count = 0
    for (const [name, samples] of Object.entries(got)) {
      expect(samples, `cut at ${cut}`).toEqual(want[name]!.slice(0, samples.length))
      count += samples.length
    }
    expect(count, `cut at ${cut} lost an earlier row`).toBeGreaterThanOrEqual(seen)
    expect(result.damagedRanges, `cut at ${cut}`).toBe(0)
    seen = count
    // The torn tail is gone from the file, too.
    const left = readFileSync(join(folder, 'wal/00000001'))
    if (cut >= 16) expect(readSegment(left, () => undefined).validBytes).toBe(left.length)
  }
  expect(seen).toBe(16)
  remove()
})

test('wal: a changed byte costs its record, and of its group what builds on it, nothing else', async () => {
  const { folder, remove } = temporaryFolder()
  const { file, want } = await makeLog(folder, 8)
  const owners: { from: number; to: number; type: number; group: number }[] = []
  let at = 16
  readSegment(file, (record) => {
    owners.push({ from: at, to: at + 20 + record.payload.length, type: record.type, group: record.group })
    at += 20 + record.payload.length
  })
  expect(at).toBe(file.length)
  for (let flip = 16; flip < file.length; flip++) {
    const bytes = Buffer.from(file)
    bytes[flip]! ^= 0x5a
    const { dump: got, result } = await replayBytes(folder, bytes)
    const owner = owners.find((record) => flip >= record.from && flip < record.to)!
    const isLast = owner === owners.at(-1)
    expect(result.damagedRanges, `byte ${flip}`).toBe(isLast ? 0 : 1)
    for (const [name, samples] of Object.entries(want)) {
      const group = name.includes('"a"') ? 0 : 1
      const kept = got[name] ?? []
      if (group !== owner.group) expect(kept, `byte ${flip}`).toEqual(samples)
      else {
        // Rows before the damage, and never a wrong value.
        const before =
          owner.type === 3 ? owners.filter((o) => o.type === 3 && o.group === group && o.to <= flip).length : 0
        expect(kept, `byte ${flip}`).toEqual(samples.slice(0, before))
      }
    }
    if (!isLast) expect(existsSync(join(folder, 'quarantine', `wal-00000001-${owner.from}`))).toBe(true)
  }
  remove()
})

test('wal: a single wrong bit, wherever it is, costs nothing', async () => {
  const { folder, remove } = temporaryFolder()
  const { file } = await makeLog(folder, 4)
  const read = (bytes: Buffer): { records: unknown[]; repairedCount: number } => {
    const records: unknown[] = []
    const reading = readSegment(bytes, ({ payload, ...rest }) => records.push({ ...rest, payload: [...payload] }))
    expect(reading.damage).toEqual([])
    return { records, repairedCount: reading.repairedCount }
  }
  const want = read(Buffer.from(file)).records
  expect(want.length).toBeGreaterThan(8)
  for (let bit = 0; bit < file.length * 8; bit++) {
    const bytes = Buffer.from(file)
    bytes[bit >>> 3]! ^= 1 << (bit & 7)
    const { records, repairedCount } = read(bytes)
    expect(records, `bit ${bit}`).toEqual(want)
    // A segment's number stands in its name, too; a header that is known by the rest needs no repair.
    if (bit >= 96) expect(repairedCount, `bit ${bit}`).toBe(1)
  }
  remove()
})

test('wal: rows behind a lost one are used again from the next key row on', async () => {
  const { folder, remove } = temporaryFolder()
  // Rows are closed after at most 120, so that 400 hold several key rows.
  const { file, want } = await makeLog(folder, 400)
  const records: { at: number; length: number; group: number; type: number }[] = []
  let at = 16
  readSegment(file, (record) => {
    records.push({ at, length: 20 + record.payload.length, group: record.group, type: record.type })
    at += 20 + record.payload.length
  })
  const third = records.filter((record) => record.type === 3 && record.group === 0)[3]!
  file[third.at + 21]! ^= 3
  const { dump: got, result } = await replayBytes(folder, file)
  const full = want['n{instance="a"}']!
  const kept = got['n{instance="a"}']!
  expect(result.rowsLost).toBeGreaterThan(0)
  expect(kept.length).toBe(full.length - result.rowsLost - 1)
  expect(kept.length).toBeGreaterThan(270)
  expect(full).toEqual(expect.arrayContaining(kept))
  expect(got['n{instance="b"}']).toEqual(want['n{instance="b"}'])
  remove()
})

test('wal: what was flushed is there after a stop without goodbye, and after two', async () => {
  const { folder, remove } = temporaryFolder()
  const { file, want } = await makeLog(folder, 300)
  const data = join(folder, 'again')
  mkdirSync(join(data, 'wal'), { recursive: true })
  writeFileSync(join(data, 'wal/00000001'), file)
  for (let round = 0; round < 2; round++) {
    const store = await openStore(data)
    expect(dump(store)).toEqual(want)
    await store.maintain()
    await store.close()
  }
  remove()
})

test('wal: rows whose start was cut off because they are sealed are not reported as lost', async () => {
  const { folder, remove } = temporaryFolder()
  // Rows that look old would be sealed at once.
  const clock: Clock = { ...systemClock, nowMs: () => FIRST_MS + 150_000 }
  const options = { walSegmentBytesMax: 500, checkpointLogBytes: 1, clock }
  const store = await openStore(join(folder, 'live'), options)
  const [early, late] = ['early', 'late'].map((instance) => store.openGroup(['instance', instance]))
  for (const writer of [early!, late!]) writer.addSeries([['__name__', 'n']])
  for (let row = 0; row < 150; row++) {
    // Its rows are still open when the others' first 120 are sealed, and begin in the middle of those.
    if (row >= 60) writeRow(late!, FIRST_MS + row * 1000, [[0, row]])
    writeRow(early!, FIRST_MS + row * 1000, [[0, row * row]])
    if (row % 10 === 0) await store.flushed()
  }
  await store.flushed()
  await store.maintain()
  const want = dump(store)
  copyAsKilled(join(folder, 'live'), join(folder, 'killed'))
  await store.close()
  const segments = readdirSync(join(folder, 'killed/wal')).sort()
  expect(Number(segments[0])).toBeGreaterThan(3)
  const startsWithin: boolean[] = []
  readSegment(readFileSync(join(folder, 'killed/wal', segments[0]!)), ({ type, sequence, group }) => {
    if (type === 3 && group === 0) startsWithin.push(sequence > 0)
  })
  expect(startsWithin).toContain(true)

  const errors: unknown[] = []
  const logger = { ...silentLogger, error: (...args: unknown[]) => errors.push(args), child: () => logger }
  const again = await openStore(join(folder, 'killed'), { ...options, logger: logger as unknown as Logger })
  expect(dump(again)).toEqual(want)
  await again.close()
  expect(errors).toEqual([])
  remove()
})
