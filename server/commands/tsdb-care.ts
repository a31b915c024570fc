/** `belltower tsdb list | analyze | verify | repair | snapshot | restore`: a data folder itself. */
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { silentLogger } from '../../lib/log.ts'
import { formatDuration } from '../../model/index.ts'
import {
  type Analysis,
  analyzeStore,
  type Counted,
  type Fault,
  listBlocks,
  repairStore,
  restoreSnapshot,
  verifyStore,
} from '../../tsdb/index.ts'
import { action, type StoreOptions, withStore, withStoreOptions } from './tsdb-options.ts'
import { progressBar, sizeText, spanText, tableLines, timeText } from './tsdb-output.ts'

export function registerTsdbCareCommands(tsdb: Command): void {
  withStoreOptions(tsdb.command('list'), 'data folder')
    .description('the blocks in the data folder; a server may have it open')
    .action(
      action((options: StoreOptions) => {
        const blocks = listBlocks(options['storage.tsdb.path'])
        if (options.json) return console.log(JSON.stringify(blocks))
        const rows = blocks.map(({ ulid, minTime, maxTime, stats, compaction, resolution }) => [
          ulid,
          timeText(minTime),
          timeText(maxTime),
          spanText(maxTime - minTime),
          String(stats.numSeries),
          String(stats.numSamples),
          sizeText(stats.numBytes),
          String(compaction.level),
          resolution === undefined ? 'samples' : `each ${formatDuration(resolution)}`,
        ])
        const head = ['BLOCK ULID', 'MIN TIME', 'MAX TIME', 'DURATION', 'SERIES', 'SAMPLES', 'SIZE', 'LEVEL', 'HOLDS']
        print(tableLines(head, rows))
      }),
    )

  withStoreOptions(tsdb.command('analyze'))
    .description('what the store consists of: series, labels, bytes')
    .option('--limit <count>', 'length of the lists', countOf, 20)
    .action(
      action(async (options: StoreOptions & { limit: number }) => {
        const dataDir = options['storage.tsdb.path']
        const analysis = await withStore(dataDir, (store) => analyzeStore(store, dataDir, options.limit))
        if (options.json) console.log(JSON.stringify(analysis))
        else print(analysisLines(analysis))
      }),
    )

  withStoreOptions(tsdb.command('verify'))
    .description('read every byte and check it; exit 1 if something is wrong')
    .action(
      action(async (options: StoreOptions) => {
        const found = await verifyStore(options['storage.tsdb.path'], progressBar('verifying'))
        if (found.faults.length > 0) process.exitCode = 1
        if (options.json) return console.log(JSON.stringify(found))
        const read = `${found.blocks} blocks, ${found.headFiles} files of the head, ${found.logSegments} log segments`
        print(found.faults.length === 0 ? [`clean: ${read}`] : [...faultLines(found.faults), `read: ${read}`])
      }),
    )

  withStoreOptions(tsdb.command('repair'))
    .description('set aside what is damaged, keep what can be read; nothing is deleted')
    .action(
      action(async (options: StoreOptions) => {
        const result = await repairStore(options['storage.tsdb.path'], silentLogger, progressBar('verifying'))
        if (result.left.length > 0) process.exitCode = 1
        if (options.json) return console.log(JSON.stringify(result))
        if (result.faults.length === 0) return console.log('clean: nothing to repair')
        print([
          ...faultLines(result.faults),
          ...result.setAside.map((name) => `set aside: ${join('quarantine', name)}${lostWith(name)}`),
          result.left.length === 0 ? 'repaired' : 'still wrong:',
          ...faultLines(result.left),
        ])
      }),
    )

  withStoreOptions(tsdb.command('snapshot'))
    .description('make a copy that does not change any more, in the folder "snapshots"')
    .option('--skip-head', 'only what is in blocks already')
    .action(
      action(async (options: StoreOptions & { skipHead?: boolean }) => {
        const dataDir = options['storage.tsdb.path']
        const name = await withStore(dataDir, (store) => store.snapshot({ skipHead: options.skipHead === true }))
        const path = join(dataDir, 'snapshots', name)
        console.log(options.json ? JSON.stringify({ path }) : path)
      }),
    )

  withStoreOptions(tsdb.command('restore'))
    .description('make a new data folder out of a snapshot')
    .argument('<snapshot>', 'folder of the snapshot; it stays as it is')
    .action(
      action(async (snapshot: string, options: StoreOptions) => {
        const path = options['storage.tsdb.path']
        await restoreSnapshot(snapshot, path, progressBar('restoring'))
        console.log(options.json ? JSON.stringify({ path }) : `restored into ${path}`)
      }),
    )
}

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('not a count')
  return count
}

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line)
}

const lostWith = (name: string): string =>
  name.startsWith('tombstones') ? ' (what was deleted, and not cleaned yet, shows again)' : ''

const faultLines = (faults: readonly Fault[]): string[] => faults.map(({ place, why }) => `${place}: ${why}`)

function analysisLines(analysis: Analysis): string[] {
  const { series, labelNames, labelPairs, samples, valueBytes, timestampBytes, indexBytes, summaryBytes } = analysis
  const perSample = (bytes: number): string => (samples > 0 ? `${(bytes / samples).toFixed(3)} B/sample` : '-')
  const bytes = (name: string, count: number): string[] => [name, sizeText(count), perSample(count)]
  return [
    ...tableLines(
      ['', 'COUNT'],
      [
        ['series', String(series)],
        ['label names', String(labelNames)],
        ['label pairs', String(labelPairs)],
        ['samples in blocks', String(samples)],
      ],
    ),
    '',
    ...tableLines(
      ['BLOCKS', 'SIZE', 'EACH'],
      [
        bytes('values', valueBytes),
        bytes('timestamps', timestampBytes),
        bytes('index', indexBytes),
        bytes('summaries', summaryBytes),
        bytes('together', valueBytes + timestampBytes + indexBytes + summaryBytes),
      ],
    ),
    ...topLines('METRICS BY SERIES', analysis.seriesByMetric),
    ...topLines('LABELS BY VALUES', analysis.valuesByLabel),
    ...topLines('PAIRS BY SERIES', analysis.seriesByPair),
    ...topLines('LABELS BY BYTES', analysis.bytesByLabel),
  ]
}

const topLines = (title: string, items: readonly Counted[]): string[] => [
  '',
  ...tableLines(
    [title, 'COUNT'],
    items.map(({ name, count }) => [name, String(count)]),
  ),
]
