import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore, temporaryFolder, writeRow } from '../testing/store.ts'
import { verifyBlock } from './verify.ts'

const START = 1_700_006_400_000

// Goal: a block is set aside for what is wrong with it, never for what is wrong with the process that reads it.

async function makeBlock(folder: string): Promise<string> {
  const store = await openStore(folder)
  const writer = store.openGroup(['job', 'x'])
  writer.addSeries([['__name__', 'n']])
  for (let minute = 0; minute < 200; minute++) writeRow(writer, START + minute * 60_000, [[0, minute]])
  await store.maintain()
  const { ulid } = store.blocks()[0]!
  await store.close()
  return ulid
}

test('a block that cannot be opened stays where it is and stops the start', async () => {
  const { folder, remove } = temporaryFolder()
  const block = join(folder, await makeBlock(folder))
  const index = join(block, 'index')
  rmSync(index)
  symlinkSync('index', index)
  expect(() => verifyBlock(block)).toThrow('ELOOP')
  await expect(openStore(folder)).rejects.toThrow('ELOOP')
  expect(existsSync(block)).toBe(true)
  rmSync(index)
  expect(verifyBlock(block)).toContain('ENOENT')
  const store = await openStore(folder)
  expect(store.blocks()).toEqual([])
  expect(existsSync(block)).toBe(false)
  await store.close()
  remove()
})

test('data of more bytes than one buffer holds are read', async () => {
  const { folder, remove } = temporaryFolder()
  const block = join(folder, await makeBlock(folder))
  expect(verifyBlock(block)).toBeUndefined()
  truncateSync(join(block, 'data'), 2 ** 31 + 5)
  expect(verifyBlock(block)).toContain('it has 2147483653 bytes, which is not what the index says')
  remove()
})

test("a Prometheus' block that was put into the folder is passed over and stays", async () => {
  const { folder, remove } = temporaryFolder()
  const ulid = await makeBlock(folder)
  const foreign = join(folder, '01HZZZZZZZZZZZZZZZZZZZZZZZ')
  mkdirSync(join(foreign, 'chunks'), { recursive: true })
  const store = await openStore(folder)
  expect(store.blocks().map((meta) => meta.ulid)).toEqual([ulid])
  expect(existsSync(foreign)).toBe(true)
  await store.close()
  remove()
})
