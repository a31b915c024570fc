import { expect, test } from 'vitest'
import { createMatcher, type NewestByGroup } from '../../model/index.ts'
import { openReader, type Tsdb } from '../index.ts'
import { openStore, temporaryFolder, writeRow } from '../testing/store.ts'

const START = 1_700_000_000_000
const LAST = START + 9 * 15_000
const HINTS = {
  minTimeMs: LAST - 300_000,
  maxTimeMs: LAST,
  newestOnly: true,
  grouping: { key: 'by i', names: new Set(['i']), keep: true },
}

function newestOf(store: Tsdb, name: string): NewestByGroup | undefined {
  const { handle, detach } = store.attachReader()
  const reader = openReader(handle)
  const querier = reader.querier(HINTS)
  try {
    return querier.newestByGroup?.([createMatcher('=', '__name__', name)], HINTS)
  } finally {
    querier.close()
    reader.close()
    detach()
  }
}

test('the last values of targets tell the newest samples, also once they have been read back from the log', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder)
  try {
    const writer = store.openGroup(['instance', 'a:1'])
    writer.addSeries([
      ['__name__', 'x', 'i', '1'],
      ['__name__', 'x', 'i', '2'],
      ['__name__', 'gone'],
    ])
    for (let row = 0; row < 10; row++) {
      writeRow(writer, START + row * 15_000, [[0, row], [1, 5], ...(row < 3 ? [[2, 7] as [number, number]] : [])])
    }
    const values = (): unknown => {
      const newest = newestOf(store, 'x')
      return newest && [[...newest.values.subarray(0, newest.length)], newest.groups.map(({ labels }) => labels)]
    }
    const expected = [
      [9, 5],
      [
        ['i', '1'],
        ['i', '2'],
      ],
    ]
    expect(values()).toEqual(expected)
    await store.close()
    store = await openStore(folder)
    expect(values()).toEqual(expected)
  } finally {
    await store.close()
    remove()
  }
})
