import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { createColumnTwin, createRowTwin } from '../kernels/index.ts'
import { decodeBlockIndex } from './block/block-index.ts'
import { decodeDeletions } from './block/deletions.ts'
import { loadChunkFile } from './chunk/head-chunk-file.ts'
import { ChunkView } from './chunk/head-chunk.ts'
import { decodePage } from './histogram/head-histograms.ts'
import { replayFolder } from './testing/replay.ts'
import { bitsOf, openStore, STALE_BITS, temporaryFolder } from './testing/store.ts'
import { decodeCheckpoint } from './wal/checkpoint.ts'

/** The worked example of a format's document. */
function example(name: string): Buffer {
  const file = fileURLToPath(new URL(`../docs/formats/${name}.md`, import.meta.url))
  const hex = /```hex\n([^`]+)```/.exec(readFileSync(file, 'utf8'))![1]!
  return Buffer.from(hex.replace(/\s/g, ''), 'hex')
}

const TIMES = Array.from({ length: 5 }, (_, i) => 1_700_000_000_000 + 15_000 * i)
const VALUES = [100, 100.5, undefined, 102, 103]

/** Unpacks a column with the plain TypeScript twin: values, `undefined` at staleness markers. */
function unpack(column: Uint8Array, n: number): (number | undefined)[] {
  const memory = new ArrayBuffer(4096)
  const bytes = new Uint8Array(memory)
  bytes.set(column, 1024)
  const read = createColumnTwin(memory).columnUnpack(1024, 1024 + column.length, n, 0, 0, 512, 800, 1)
  expect(read).toBe(column.length)
  return Array.from({ length: n }, (_, i) => (bytes[512 + i] === 3 ? undefined : new Float64Array(memory)[i]))
}

test('formats: the rows of row-record.md', () => {
  const memory = new ArrayBuffer(4096)
  const rows = example('row-record')
  new Uint8Array(memory).set(rows, 2048)
  new Int32Array(memory, 1024).set([0, 1, 2])
  const read = createRowTwin(memory).rowsToColumns(
    2048,
    2048 + rows.length,
    2,
    3,
    1024,
    3,
    1200,
    NaN,
    0,
    64,
    256,
    300,
    1,
  )
  expect(read).toBe(rows.length)
  expect([...new Float64Array(memory, 0, 2)]).toEqual(TIMES.slice(0, 2))
  expect([...new Uint8Array(memory, 300, 6)]).toEqual([1, 1, 1, 1, 0, 3])
  expect([...new Float64Array(memory, 64, 4)]).toEqual([1, 1, 12.5, 13])
})

test('formats: the column of column.md', () => {
  expect(unpack(example('column'), 5)).toEqual(VALUES)
})

test('formats: the file of chunk.md', () => {
  const { folder, remove } = temporaryFolder()
  writeFileSync(join(folder, '00000001'), example('chunk'))
  const loaded = loadChunkFile(folder, 1)!
  expect(loaded.windowStartMs).toBe(1_699_999_200_000)
  expect(loaded.damage).toEqual([])
  const [chunk] = loaded.chunks
  const view = new ChunkView(chunk!.buffer, chunk!.byteOffset)
  expect(view.header).toMatchObject({ group: 7, rowCount: 5, positionCount: 2, sampleCount: 5, minTimeMs: TIMES[0] })
  const bytes = Buffer.from(chunk!.buffer)
  expect(unpack(bytes.subarray(view.timestampsAt, view.timestampsEnd), 5)).toEqual(TIMES)
  expect(view.lengthOf(0)).toBe(0)
  const at = view.offsetOf(1)
  expect(unpack(bytes.subarray(at, at + view.lengthOf(1)), 5)).toEqual(VALUES)
  remove()
})

test('formats: the segment of wal.md', async () => {
  const { folder, remove } = temporaryFolder()
  mkdirSync(join(folder, 'wal'))
  writeFileSync(join(folder, 'wal/00000001'), example('wal'))
  const { dump, result } = await replayFolder(join(folder, 'wal'), join(folder, 'quarantine'))
  expect(result).toMatchObject({ rowCount: 2, rowsLost: 0, damagedRanges: 0 })
  expect(dump).toEqual({
    'up{job="x"}': [
      [TIMES[0], bitsOf(1)],
      [TIMES[1], bitsOf(1)],
    ],
    'temp{job="x"}': [
      [TIMES[0], bitsOf(12.5)],
      [TIMES[1], bitsOf(13)],
    ],
    'fan{job="x"}': [[TIMES[1], STALE_BITS]],
  })
  remove()
})

test('formats: the image of checkpoint.md', () => {
  expect(decodeCheckpoint(example('checkpoint'), 'example')).toEqual({
    walSegment: 2,
    minValidMs: 0,
    templates: [
      [
        ['__name__', 'up'],
        ['__name__', 'temp'],
      ],
    ],
    groups: [
      { id: 7, isSparse: false, isLate: false, stream: '', labels: ['job', 'x'], newestMs: TIMES[1], template: 0 },
    ],
  })
})

test('formats: the index of block.md', () => {
  const index = decodeBlockIndex(example('block'), 'example')
  expect(index.labelSets).toEqual([
    ['__name__', 'temp'],
    ['job', 'x'],
  ])
  expect(index.groups).toHaveLength(1)
  expect(index.groups[0]).toMatchObject({ labelSet: 1, rowCount: 5, minTimeMs: TIMES[0], maxTimeMs: TIMES[4] })
  expect(unpack(index.groups[0]!.timestamps, 5)).toEqual(TIMES)
  expect([...index.columnStart]).toEqual([0, 11])
  expect([...index.pageChecksums]).toEqual([crc32(example('column'))])
})

test('formats: the index of summary.md', () => {
  const file = fileURLToPath(new URL('../docs/formats/summary.md', import.meta.url))
  const columns = [...readFileSync(file, 'utf8').matchAll(/`((?:[0-9a-f]{2} )+[0-9a-f]{2})`/g)].map(([, hex]) =>
    Buffer.from(hex!.replace(/ /g, ''), 'hex'),
  )
  const index = decodeBlockIndex(example('summary'), 'example')
  expect(index.groups.map(({ labelSet }) => index.labelSets[labelSet])).toEqual([
    ...['count', 'max', 'min', 'sum'].map((kind) => ['\0', kind, 'job', 'x']),
    ['job', 'x'],
  ])
  expect(index.overlays).toHaveLength(1)
  expect(index.labelSets[index.overlays[0]!]).toEqual(['__name__', 'temp'])
  expect(index.groups.map(({ timestamps, rowCount }) => unpack(timestamps, rowCount))).toEqual([
    ...Array(4).fill([TIMES[4]]),
    [TIMES[0], TIMES[4]],
  ])
  expect(Array.from(index.columnStart.slice(1), (end, i) => end - index.columnStart[i]!)).toEqual(
    columns.map(({ length }) => length),
  )
  expect([...index.pageChecksums]).toEqual([crc32(Buffer.concat(columns))])
  const values = columns.map((column, i) => unpack(column, index.groups[i]!.rowCount))
  expect(values).toEqual([[4], [103], [100], [405.5], [100, 103]])
})

test('formats: the page of histogram.md', () => {
  const layout = {
    integer: true,
    schema: 3,
    zeroThreshold: 0.001,
    zeroCount: 1,
    positiveSpans: [
      { offset: -2, length: 2 },
      { offset: 3, length: 1 },
    ],
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customBounds: new Float64Array(0),
  }
  expect(decodePage(example('histogram'), 2)).toEqual([
    {
      timestampMs: TIMES[0],
      histogram: { ...layout, counterResetHint: 0, count: 10, sum: 2.5, positiveBuckets: Float64Array.of(4, 5, 0) },
    },
    {
      timestampMs: TIMES[1],
      histogram: { ...layout, counterResetHint: 2, count: 13, sum: 3.5, positiveBuckets: Float64Array.of(4, 7, 1) },
    },
  ])
})

test('formats: the segment of exemplars.md', async () => {
  const { folder, remove } = temporaryFolder()
  mkdirSync(join(folder, 'exemplars'))
  writeFileSync(join(folder, 'exemplars/00000001'), example('exemplars'))
  const store = await openStore(folder)
  expect(store.exemplars([[]], { minTimeMs: 0, maxTimeMs: 1e15 })).toEqual([
    {
      seriesLabels: ['__name__', 'up', 'job', 'x'],
      exemplars: [{ labels: ['trace_id', 'ab'], value: 0.5, timestampMs: TIMES[0] }],
    },
  ])
  await store.close()
  remove()
})

test('formats: the list of tombstones.md', () => {
  expect(decodeDeletions(example('tombstones'), 'example')).toEqual({
    newest: 2,
    deletions: [
      {
        number: 2,
        minTimeMs: TIMES[0],
        maxTimeMs: TIMES[4],
        matchers: [
          { type: '=', name: '__name__', value: 'temp' },
          { type: '=~', name: 'job', value: 'x|y' },
        ],
      },
    ],
  })
})
