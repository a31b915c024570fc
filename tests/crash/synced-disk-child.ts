// Works with a store on a disk that keeps only what was synced; the power fails after each sync, or some of them, and what
// a store finds then is said on stdout: one line of JSON a cut.
// Arguments: the step from one cut to the next.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMatcher } from '../../model/index.ts'
import { openStore, verifyStore } from '../../tsdb/library.ts'
import { type Inode, inodeOf, type JournalEvent, note, progress } from './synced-disk.ts'

const ROWS = 60
const FIRST_MS = 1_700_000_000_000
const OPTIONS = { blockDurationMs: 10_000, checkpointLogBytes: 1000, walSegmentBytesMax: 600 } as const
const DELETED_TO = 3

const journal = process.env.SYNC_JOURNAL!
const root = mkdtempSync(join(tmpdir(), 'belltower-synced-'))
const dataDir = join(root, 'data')
mkdirSync(dataDir)
await work()
const events = readFileSync(join(journal, 'events'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as JournalEvent)
const rootInode = inodeOf(dataDir)
for (let cut = 1; cut <= events.length; cut += Number(process.argv[2])) {
  const folder = join(root, `cut-${cut}`)
  const expected = restore(events.slice(0, cut), folder)
  const faults = await check(folder, expected)
  process.stdout.write(`${JSON.stringify({ cut, of: events.length, ...expected, faults })}\n`)
  rmSync(folder, { recursive: true })
}
rmSync(root, { recursive: true })
process.exit(0)

async function work(): Promise<void> {
  const { tsdb, close } = await openStore({ dataDir, ...OPTIONS })
  const appender = tsdb.appender()
  for (let row = 0; row < ROWS; row++) {
    for (const name of ['a', 'b']) appender.append(undefined, ['__name__', name], FIRST_MS + row * 1000, row)
    await appender.commit()
    progress.done = row + 1
    if (row % 15 === 14) await tsdb.maintain()
    if (row === 20) {
      note({ kind: 'deleting' })
      const range = { minTimeMs: FIRST_MS, maxTimeMs: FIRST_MS + DELETED_TO * 1000 }
      await tsdb.deleteSeries([createMatcher('=', '__name__', 'b')], range)
      note({ kind: 'deleted' })
    }
    if (row === 50) await tsdb.cleanTombstones()
  }
  await close()
}

interface Expected {
  /** Rows that were acknowledged before the log was synced last. */
  readonly rows: number
  /** `undefined` while the deletion is under way. */
  readonly isDeleted: boolean | undefined
}

/** Makes the folder as it was on disk. */
function restore(past: readonly JournalEvent[], folder: string): Expected {
  const contents = new Map<Inode, string>()
  const folders = new Map<Inode, Extract<JournalEvent, { kind: 'folder' }>['entries']>()
  let rows = 0
  let isDeleted: boolean | undefined = false
  for (const event of past) {
    if (event.kind === 'file') {
      contents.set(event.inode, event.content)
      if (event.path.includes('/wal/')) rows = event.done
    } else if (event.kind === 'folder') folders.set(event.inode, event.entries)
    else isDeleted = event.kind === 'deleted' ? true : undefined
  }
  const make = (inode: Inode, path: string): void => {
    mkdirSync(path)
    for (const entry of folders.get(inode) ?? []) {
      const child = join(path, entry.name)
      const content = contents.get(entry.inode)
      if (entry.isFolder) make(entry.inode, child)
      else if (content === undefined) writeFileSync(child, '')
      else copyFileSync(join(journal, content), child)
    }
  }
  make(rootInode, folder)
  rmSync(join(folder, 'lock'), { force: true })
  return { rows, isDeleted }
}

async function check(folder: string, { rows, isDeleted }: Expected): Promise<string[]> {
  const faults: string[] = []
  try {
    // Twice: the first opening may change the folder.
    for (let round = 0; round < 2; round++) {
      const { tsdb, reader, close } = await openStore({ dataDir: folder, ...OPTIONS })
      const range = { minTimeMs: 0, maxTimeMs: 2e12 }
      const querier = reader.querier(range)
      const found = new Map<string, number[]>()
      for (const { labels, timestampsMs, values, length } of querier.select([], range)) {
        const all = Array.from(values.slice(0, length))
        const isRight = all.every(
          (row, i) => timestampsMs[i] === FIRST_MS + row * 1000 && (i === 0 || row > all[i - 1]!),
        )
        if (!isRight) faults.push(`${labels[1]}: wrong or twice: ${all.join()}`)
        found.set(labels[1]!, all)
      }
      querier.close()
      for (let row = 0; row < rows; row++) {
        if (!found.get('a')?.includes(row)) faults.push(`a at row ${row} is lost`)
        const hasB = found.get('b')?.includes(row) === true
        const mayBeDeleted = isDeleted !== false && row <= DELETED_TO
        if (!mayBeDeleted && !hasB) faults.push(`b at row ${row} is lost`)
        if (isDeleted === true && row <= DELETED_TO && hasB) faults.push(`b at row ${row} is back`)
      }
      if (tsdb.stats().walCorruptions > 0) faults.push('the log is said to be damaged')
      await close()
    }
    faults.push(...(await verifyStore(folder)).faults.map(({ place, why }) => `${place}: ${why}`))
  } catch (error) {
    faults.push(`it cannot be opened: ${(error as Error).stack}`)
  }
  return faults
}
