import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blockMetaText, readBlockMeta } from './block/block-folder.ts'
import { repairStore, verifyStore } from './index.ts'
import { silentLogger } from '../lib/log.ts'
import { createMatcher } from '../model/index.ts'
import { openStore, temporaryFolder, writeRow } from './testing/store.ts'

const START = 1_700_006_400_000

// Goal: whichever file of a data folder a newer program has written, the start ends with a clear error and nothing is touched.

test('a file of a newer version stops the start, and verify and repair; nothing is touched', {
  timeout: 60_000,
}, async () => {
  const { folder: parent, remove } = temporaryFolder()
  const folder = join(parent, 'killed')
  let store = await openStore(join(parent, 'open'))
  let writer = store.openGroup(['job', 'x'])
  writer.addSeries([['__name__', 'n']])
  for (let minute = 0; minute < 500; minute++) writeRow(writer, START + minute * 60_000, [[0, minute]])
  await store.maintain()
  await store.deleteSeries([createMatcher('=', '__name__', 'n')], { minTimeMs: START, maxTimeMs: START + 1 })
  const block = store.blocks()[0]!.ulid
  // The checkpoint is written by the end, the log by what comes after it.
  await store.close()
  store = await openStore(join(parent, 'open'))
  writer = store.openGroup(['job', 'y'])
  writer.addSeries([['__name__', 'n']])
  writeRow(writer, START + 500 * 60_000, [[0, 1]])
  await store.flushed()
  cpSync(join(parent, 'open'), folder, { recursive: true })
  rmSync(join(folder, 'lock'))
  await store.close()
  const onlyOf = (name: string): string => join(name, readdirSync(join(folder, name))[0]!)
  const files = ['checkpoint', 'tombstones', onlyOf('chunks_head'), onlyOf('wal'), join(block, 'index')]
  for (const file of files) {
    const bytes = readFileSync(join(folder, file))
    const newer = Buffer.from(bytes)
    newer.writeUInt32LE(newer.readUInt32LE(4) + 5, 4)
    await expectRefused(file, newer, bytes)
  }
  const meta = join(block, 'meta.json')
  const newer = blockMetaText({ ...readBlockMeta(join(folder, block)), version: 2 })
  await expectRefused(meta, Buffer.from(newer), readFileSync(join(folder, meta)))
  const again = await openStore(folder)
  expect(again.blocks().map(({ ulid }) => ulid)).toContain(block)
  await again.close()
  remove()

  async function expectRefused(file: string, newer: Buffer, old: Buffer): Promise<void> {
    writeFileSync(join(folder, file), newer)
    await expect(openStore(folder), file).rejects.toMatchObject({ code: 'ERR_TSDB_NEWER_FORMAT' })
    const found = await verifyStore(folder).then(
      ({ faults }) => String(faults[0]?.why),
      (error: Error) => error.message,
    )
    expect(found, file).toContain('newer version of Belltower')
    if (file.endsWith('index')) return writeFileSync(join(folder, file), old)
    await expect(repairStore(folder, silentLogger), file).rejects.toMatchObject({ code: 'ERR_TSDB_NEWER_FORMAT' })
    expect(readFileSync(join(folder, file)).equals(newer), file).toBe(true)
    writeFileSync(join(folder, file), old)
  }
})
