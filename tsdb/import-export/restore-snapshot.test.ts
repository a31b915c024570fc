import { mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dump, openStore, temporaryFolder, writeRow } from '../testing/store.ts'
import { restoreSnapshot } from './restore-snapshot.ts'

const START = 1_700_006_400_000

async function fill(folder: string) {
  const store = await openStore(folder)
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries([['__name__', 'n']])
  for (let minute = 0; minute < 30; minute++) writeRow(writer, START + minute * 60_000, [[0, minute]])
  return store
}

test('a snapshot is restored into the top folder of an empty volume, which stays the same', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await fill(join(folder, 'data'))
  const snapshot = join(folder, 'data/snapshots', await store.snapshot())
  const want = dump(store)
  await store.close()
  const volume = join(folder, 'volume')
  mkdirSync(join(volume, 'lost+found'), { recursive: true })
  const { ino } = statSync(volume)
  const progress: number[] = []
  await restoreSnapshot(snapshot, volume, (done, total) => progress.push(done / total))
  expect(statSync(volume).ino).toBe(ino)
  expect(progress.at(-1)).toBe(1)
  expect(readdirSync(volume).some((name) => name.includes('tmp'))).toBe(false)
  const restored = await openStore(volume)
  expect(dump(restored)).toEqual(want)
  await restored.close()
  writeFileSync(join(folder, 'file'), '')
  await expect(restoreSnapshot(snapshot, folder)).rejects.toThrow('is not empty')
  remove()
})

test('a snapshot has all or there is none: rows that cannot be sealed are not left out', async () => {
  const { folder, remove } = temporaryFolder()
  const store = await fill(folder)
  // Where the chunks are to go nothing can be written.
  const obstacle = join(folder, 'chunks_head/00000001')
  mkdirSync(obstacle)
  await expect(store.snapshot()).rejects.toMatchObject({ code: 'ERR_TSDB_SEAL' })
  expect(readdirSync(join(folder, 'snapshots'))).toEqual([])
  rmdirSync(obstacle)
  const name = await store.snapshot()
  const copy = await openStore(join(folder, 'snapshots', name))
  expect(dump(copy)).toEqual(dump(store))
  await copy.close()
  await store.close()
  remove()
})
