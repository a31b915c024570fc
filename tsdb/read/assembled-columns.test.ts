import { expect, test } from 'vitest'
import type { ColumnRoom } from '../../kernels/index.ts'
import { openReader, type Tsdb, type TsdbOptions } from '../index.ts'
import { dump, dumpReader, openStore, temporaryFolder, writeRow } from '../testing/store.ts'

const START = 1_699_999_200_000
const RANGE = { minTimeMs: START, maxTimeMs: START + 10_000_000 }

interface Rig {
  readonly store: Tsdb
  /** Checks what a reader finds that keeps columns against one that does not. */
  look(): void
  /** How often room was taken for columns. */
  taken(): number
}

async function withReader(options: Partial<TsdbOptions>, use: (rig: Rig) => Promise<void>): Promise<void> {
  const { folder, remove } = temporaryFolder()
  const store = await openStore(folder, options)
  const { handle, detach } = store.attachReader()
  const buffer = new ArrayBuffer(1 << 20)
  let takes = 0
  let end = 0
  const room: ColumnRoom = {
    buffer,
    bytes: buffer.byteLength,
    take(bytes) {
      takes++
      end += bytes
      return end - bytes
    },
    release: () => undefined,
  }
  const reader = openReader(handle, () => room)
  try {
    const look = (): void => expect(dumpReader(reader, [], RANGE)).toEqual(dump(store, [], RANGE))
    await use({ store, look, taken: () => takes })
  } finally {
    reader.close()
    detach()
    await store.close()
    remove()
  }
}

test('columns of a target are kept: who looks again, also when rows have come at the end, takes no further room', () =>
  withReader({}, async ({ store, look, taken }) => {
    const writer = store.openGroup(['instance', 'a:1'])
    writer.addSeries([
      ['__name__', 'up'],
      ['__name__', 'load'],
    ])
    let row = 0
    for (let round = 0; round < 5; round++) {
      for (const end = row + 10; row < end; row++) {
        writeRow(writer, START + row * 15_000, [
          [0, 1],
          [1, row],
        ])
      }
      await store.flushed()
      look()
    }
    expect(taken()).toBe(1)
  }))

test('late rows that come in front of others move these', () =>
  withReader({ outOfOrderTimeWindowMs: 3_600_000 }, async ({ store, look }) => {
    const write = async (second: number): Promise<void> => {
      const appender = store.appender({ stream: 'remote' })
      appender.append(undefined, ['__name__', 'x'], START + second * 1000, second)
      await appender.commit()
    }
    for (let second = 100; second < 110; second++) await write(second)
    for (let second = 0; second < 5; second++) {
      await write(second)
      look()
    }
  }))
