// Snapshots that hand on what has not changed say the same as those that read everything anew.
import { expect, test } from 'vitest'
import { ManualClock } from '../../lib/index.ts'
import type { GroupWriter } from '../../model/index.ts'
import { MemoryViews } from '../memory/views.ts'
import { openStore, temporaryFolder, writeRow } from '../testing/store.ts'
import { type GroupSnapshot, type KnownGroups, type PieceSnapshot, takeSnapshot } from './head-snapshot.ts'

const START = 1_699_999_200_000
const MINUTE = 60_000
const BLOCK_MS = 30 * MINUTE
const TARGETS = 5

/** What pieces are known by is made when somebody asks. */
const plain = (group: GroupSnapshot) => {
  const withoutKey = ({ key: _key, ...rest }: PieceSnapshot) => rest
  const { pending, chunks, open } = group
  return {
    ...group,
    pending: pending.map(withoutKey),
    chunks: chunks.map(withoutKey),
    open: open && withoutKey(open),
  }
}

test('groups come, go, grow, are sealed and become blocks; what stays the same is the same object', async () => {
  const { folder, remove } = temporaryFolder()
  const clock = new ManualClock(START)
  const store = await openStore(folder, { clock, blockDurationMs: BLOCK_MS })
  const views = new MemoryViews(store.attachReader().handle.memory)
  const known: KnownGroups = []
  const writers: GroupWriter[] = []
  let reused = 0
  let ids = 0
  /** @returns the pieces that were there before, by the key they are given as a query would */
  const look = (): void => {
    const before = new Set(known)
    const { groups } = takeSnapshot(views, { known })
    expect(groups.map(plain)).toEqual(takeSnapshot(views).groups.map(plain))
    reused += groups.filter((group) => before.has(group)).length
    for (const { id, pending, chunks } of groups) {
      for (const piece of [...pending, ...chunks]) {
        const key = `${id}:${piece.pointer}:${piece.minTimeMs}`
        if (piece.key === '') piece.key = key
        expect(piece.key).toBe(key)
      }
    }
  }
  for (let step = 0; step < 200; step++) {
    const timeMs = START + step * MINUTE
    if (step % 23 === 0) writers.shift()?.close()
    while (writers.length < TARGETS) {
      const writer = store.openGroup(['instance', `host-${ids++}`])
      writer.addSeries([
        ['__name__', 'up'],
        ['__name__', 'load'],
      ])
      writers.push(writer)
    }
    // Not all of them have a row at each time.
    for (const [i, writer] of writers.entries())
      if ((step + i) % 3 > 0)
        writeRow(writer, timeMs, [
          [0, step],
          [1, i],
        ])
    await clock.advance(MINUTE)
    look()
    look()
    if (step % 20 === 19) await store.maintain()
    look()
  }
  expect(reused).toBeGreaterThan(0)
  await store.close()
  remove()
})
