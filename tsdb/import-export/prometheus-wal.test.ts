import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { encodeSnappy } from '../../model/index.ts'
import { CorruptionError } from '../errors.ts'
import { bitsOf, dump, openStore, STALE_BITS, temporaryFolder } from '../testing/store.ts'
import { Adoption } from './adoption.ts'
import { AdoptionState } from './adoption-state.ts'
import { BigEndianWriter } from './big-endian.ts'
import { crc32c } from './crc32c.ts'
import { importWal } from './import-wal.ts'
import { listWalSegments, readWalRecords } from './prometheus-wal-reader.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const PAGE_BYTES = 32_768

/** A segment as Prometheus writes it. */
function segmentOf(records: readonly { bytes: Uint8Array; isPacked?: boolean; isZstd?: boolean }[]): Buffer {
  let out = Buffer.alloc(0)
  for (const { bytes, isPacked = false, isZstd = false } of records) {
    let rest = isPacked ? encodeSnappy(bytes) : bytes
    for (let isFirst = true; isFirst || rest.length > 0; isFirst = false) {
      let left = PAGE_BYTES - (out.length % PAGE_BYTES)
      if (left < 8) {
        out = Buffer.concat([out, Buffer.alloc(left)])
        left = PAGE_BYTES
      }
      const part = rest.subarray(0, left - 7)
      rest = rest.subarray(part.length)
      const isLast = rest.length === 0
      const head = Buffer.alloc(7)
      head[0] = (isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3) | (isPacked ? 8 : 0) | (isZstd ? 16 : 0)
      head.writeUInt16BE(part.length, 1)
      head.writeUInt32BE(crc32c(part), 3)
      out = Buffer.concat([out, head, part])
    }
  }
  return out
}

function record(type: number, write: (out: BigEndianWriter) => void): Uint8Array {
  const out = new BigEndianWriter()
  write(out)
  return Buffer.concat([Buffer.of(type), out.bytes()])
}

const f64 = (out: BigEndianWriter, bits: bigint): void => {
  out.u32(Number(bits >> 32n))
  out.u32(Number(bits & 0xffff_ffffn))
}

const seriesRecord = (from: number, names: readonly string[]): Uint8Array =>
  record(1, (out) => {
    for (const [i, name] of names.entries()) {
      out.u64(from + i)
      out.uvarint(2)
      for (const text of ['__name__', name, 'job', 'j']) out.string(text)
    }
  })

/** Reference, time, bits. */
const samplesRecord = (samples: readonly (readonly [number, number, bigint])[]): Uint8Array =>
  record(2, (out) => {
    const [[reference, time]] = samples as [(typeof samples)[number]]
    out.u64(reference)
    out.u64(time)
    for (const [own, ownTime, bits] of samples) {
      out.varint(own - reference)
      out.varint(ownTime - time)
      f64(out, bits)
    }
  })

const T = 1_700_000_000_000
const name = (text: string): string => `${text}{job="j"}`

test('a log of Prometheus: checkpoint, segments, long records, deletions, markers, histograms', async () => {
  const wal = join(folder, 'wal')
  mkdirSync(join(wal, 'checkpoint.00000001'), { recursive: true })
  const many = Array.from({ length: 3000 }, (_, i) => `series_with_a_long_name_${i}`)
  writeFileSync(
    join(wal, 'checkpoint.00000001/00000000'),
    segmentOf([{ bytes: seriesRecord(1, ['a', 'b']), isPacked: true }]),
  )
  // What the checkpoint stands for is not read again.
  writeFileSync(join(wal, '00000001'), 'nothing that could be read')
  const rows = Array.from({ length: 5 }, (_, i) => T + i * 1000)
  writeFileSync(
    join(wal, '00000002'),
    segmentOf([
      { bytes: seriesRecord(10, many) },
      {
        bytes: samplesRecord(
          rows.flatMap((time, i) => [[2, time, bitsOf(i)] as const, [1, time, bitsOf(-i / 3)] as const]),
        ),
        isPacked: true,
      },
      {
        bytes: samplesRecord([
          [1, T + 5000, STALE_BITS],
          [3009, T, bitsOf(7)],
          [77_777, T, bitsOf(1)],
        ]),
      },
      {
        bytes: record(3, (out) => {
          out.u64(2)
          out.varint(T + 1000)
          out.varint(T + 2000)
        }),
      },
      { bytes: record(4, () => undefined) },
    ]),
  )
  writeFileSync(
    join(wal, '00000003'),
    segmentOf([
      { bytes: seriesRecord(5000, ['h']) },
      {
        bytes: record(7, (out) => {
          out.u64(5000)
          out.u64(T)
          out.varint(0)
          out.varint(250)
          out.uvarint(3)
          out.varint(1)
          f64(out, bitsOf(0.001))
          out.uvarint(2)
          out.uvarint(9)
          f64(out, bitsOf(12.5))
          // One span of positive buckets, none of negative ones; two buckets, none.
          out.uvarint(1)
          out.varint(-3)
          out.uvarint(2)
          out.uvarint(0)
          out.uvarint(2)
          out.varint(4)
          out.varint(-1)
          out.uvarint(0)
        }),
      },
    ]),
  )
  expect(listWalSegments(wal)).toHaveLength(3)
  const store = await openStore(join(folder, 'store'), { clock: { nowMs: () => T, schedule: () => () => undefined } })
  const warnings: string[] = []
  const range = { minTimeMs: T, maxTimeMs: T + 5000 }
  const written = await importWal(store, wal, range, (why) => warnings.push(why))
  const got = dump(store)
  expect(written).toBe(5 + 3 + 1 + 1 + 1)
  expect(got[name('a')]).toEqual([...rows.map((time, i) => [time, bitsOf(-i / 3)]), [T + 5000, STALE_BITS]])
  expect(got[name('b')]).toEqual([0, 3, 4].map((i) => [T + i * 1000, bitsOf(i)]))
  expect(got[name('series_with_a_long_name_2999')]).toEqual([[T, bitsOf(7)]])
  expect(got[name('h')]).toHaveLength(1)
  expect(warnings).toEqual(['1 samples of unknown series or out of order'])
  await store.close()
})

test('a segment that is cut anywhere gives its first records; a changed byte is found', () => {
  const records = Array.from({ length: 30 }, (_, i) => ({
    bytes: samplesRecord([
      [i, T, bitsOf(i)],
      [i + 1, T + i, bitsOf(i)],
    ]),
    isPacked: i % 2 === 0,
  }))
  const long = { bytes: Buffer.alloc(40_000, 7) }
  const whole = segmentOf([...records, long, ...records])
  const all = [...records, long, ...records].map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
  const file = join(folder, 'segment')
  const read = (bytes: Uint8Array): { got: string[]; error: unknown } => {
    writeFileSync(file, bytes)
    const got: string[] = []
    try {
      for (const one of readWalRecords(file)) got.push(one.toString('latin1'))
      return { got, error: undefined }
    } catch (error) {
      return { got, error }
    }
  }
  expect(read(whole)).toEqual({ got: all, error: undefined })
  for (let cut = 0; cut < whole.length; cut += cut < 500 ? 1 : 997) {
    const { got, error } = read(whole.subarray(0, cut))
    expect(error, `cut at ${cut}`).toBeUndefined()
    expect(got, `cut at ${cut}`).toEqual(all.slice(0, got.length))
  }
  let found = 0
  for (let at = 0; at < 500; at++) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 0x5a
    const { got, error } = read(bytes)
    // A changed flag may say that the rest of the page is empty, or that a plain record is packed.
    if (error === undefined) continue
    expect(error, `byte ${at}`).toBeInstanceOf(CorruptionError)
    expect(got, `byte ${at}`).toEqual(all.slice(0, got.length))
    found++
  }
  expect(found).toBeGreaterThan(450)
})

type Line = { level: number; msg: string } & Record<string, unknown>

/** Brings in the history of a Prometheus as a start in its folder does; what that logs. */
async function adopt(sourceDir: string): Promise<Line[]> {
  const lines: Line[] = []
  const dataDir = join(sourceDir, 'belltower')
  mkdirSync(dataDir, { recursive: true })
  const adoption = new Adoption({
    sourceDir,
    dataDir,
    nowMs: T + 1_000_000,
    retentionMs: 1e15,
    logger: pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Line) }),
    addBlock: ({ ulid }) => expect(existsSync(join(dataDir, ulid))).toBe(true),
  })
  adoption.start()
  while (adoption.isRunning) await new Promise((resolve) => setTimeout(resolve, 10))
  await adoption.close()
  return lines
}

const logOf = (name: string, isZstd = false): Buffer =>
  segmentOf([
    { bytes: seriesRecord(1, [name]) },
    {
      bytes: samplesRecord([
        [1, T, bitsOf(1)],
        [1, T + 1000, bitsOf(2)],
      ]),
      isZstd,
    },
  ])

test('a log that was read whole is not needed any more', async () => {
  const source = join(folder, 'whole')
  mkdirSync(join(source, 'wal'), { recursive: true })
  mkdirSync(join(source, 'wbl'))
  writeFileSync(join(source, 'wal/00000000'), logOf('a'))
  // Without late samples.
  writeFileSync(join(source, 'wbl/00000000'), '')
  const lines = await adopt(source)
  expect(lines.at(-1)).toMatchObject({ level: 30, samples: 2, msg: expect.stringContaining('not needed any more') })
  expect(await adopt(source)).toEqual([])
})

test('where parts of the log are left out the import says so at each start, as long as they are there', async () => {
  const source = join(folder, 'partly')
  mkdirSync(join(source, 'wal'), { recursive: true })
  mkdirSync(join(source, 'wbl'))
  writeFileSync(join(source, 'wal/00000000'), logOf('a'))
  writeFileSync(join(source, 'wal/00000001'), logOf('b', true))
  writeFileSync(join(source, 'wbl/00000000'), logOf('c'))
  const lines = await adopt(source)
  const said = {
    level: 40,
    msg: 'the history of Prometheus is imported but for parts of its log; keep its folder',
    sourceDir: source,
    leftOut: 2,
    why: [expect.stringMatching(/wal.00000001: .*zstd/), expect.stringMatching(/wbl.00000000: late samples/)],
  }
  expect(lines.at(-1)).toMatchObject({ ...said, samples: 2 })
  expect(lines.filter(({ msg }) => msg.includes('not needed'))).toEqual([])
  const again = await adopt(source)
  expect(again).toHaveLength(1)
  expect(again[0]).toMatchObject(said)
  rmSync(join(source, 'wal'), { recursive: true })
  expect(await adopt(source)).toHaveLength(1)
  // What cannot be read any more keeps nothing from starting.
  writeFileSync(join(source, 'wal'), '')
  expect(await adopt(source)).toHaveLength(1)
  rmSync(join(source, 'wal'))
  rmSync(join(source, 'wbl'), { recursive: true })
  expect(await adopt(source)).toEqual([])
})

test('late samples alone are left out too', async () => {
  const source = join(folder, 'late')
  mkdirSync(join(source, 'wbl'), { recursive: true })
  writeFileSync(join(source, 'wbl/00000000'), logOf('c'))
  expect((await adopt(source)).at(-1)).toMatchObject({ level: 40, samples: 0, leftOut: 1 })
})

test('what was left out is remembered over a kill in the middle of a move', async () => {
  const dataDir = join(folder, 'killed')
  mkdirSync(dataDir)
  const state = new AdoptionState(dataDir, T)
  await state.moveIn('wal', [], ['one', 'two'])
  const file = join(dataDir, 'adoption.json')
  const { done: _done, left, ...saved } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  writeFileSync(file, JSON.stringify({ ...saved, done: [], moving: { unit: 'wal', ulids: [], left } }))
  const later = new AdoptionState(dataDir, T)
  expect(later.isDone('wal')).toBe(true)
  await later.moveIn('block', [], [])
  await later.moveIn(
    'other',
    [],
    Array.from({ length: 50 }, (_, i) => `${i}`),
  )
  const { count, reasons } = new AdoptionState(dataDir, T).left
  expect(count).toBe(52)
  expect(reasons.slice(0, 3)).toEqual(['one', 'two', '0'])
  expect(reasons.length).toBeLessThan(count)
})
