import { expect, test } from 'vitest'
import { bitsOf, dump, openStore, temporaryFolder, writeRow } from './testing/store.ts'

test('store: rows come back from memory, after seal, after a reopen and from a block', async () => {
  const { folder, remove } = temporaryFolder()
  let store = await openStore(folder)
  const writer = store.openGroup(['instance', 'a:1', 'job', 'node'])
  writer.addSeries([
    ['__name__', 'up'],
    ['__name__', 'cpu', 'mode', 'idle'],
  ])
  const start = 1_700_000_000_000 - (1_700_000_000_000 % 7_200_000)
  const want: [number, bigint][] = []
  for (let i = 0; i < 300; i++) {
    const t = start + i * 15_000
    writeRow(
      writer,
      t,
      i === 0
        ? [
            [0, 1],
            [1, 0.5],
          ]
        : [[1, i / 2]],
    )
    want.push([t, bitsOf(i === 0 ? 0.5 : i / 2)])
  }
  const name = 'cpu{instance="a:1", job="node", mode="idle"}'
  const check = (): void => {
    const all = dump(store)
    expect(Object.keys(all).sort()).toEqual([name, 'up{instance="a:1", job="node"}'])
    expect(all[name]).toEqual(want)
    expect(dump(store, ['__name__', 'up'])['up{instance="a:1", job="node"}']).toHaveLength(want.length)
  }
  check()
  await store.flushed()
  await store.maintain()
  check()
  await store.close()
  store = await openStore(folder)
  check()
  await store.maintain()
  check()
  const again = store.openGroup(['instance', 'a:1', 'job', 'node'])
  again.addSeries([
    ['__name__', 'cpu', 'mode', 'idle'],
    ['__name__', 'up'],
  ])
  const later = start + 7_200_000 + 3_700_000
  writeRow(again, later, [
    [0, 7],
    [1, 0],
  ])
  want.push([later, bitsOf(7)])
  check()
  await store.maintain()
  expect(store.blocks()).toHaveLength(1)
  check()
  await store.close()
  store = await openStore(folder)
  expect(store.blocks()).toHaveLength(1)
  check()
  await store.close()
  remove()
})
