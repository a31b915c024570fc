/** `belltower tsdb import | export | dump`: samples in and out. */
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Command } from 'commander'
import { silentLogger } from '../../lib/log.ts'
import { formatFloatGeneral, labelsToRecord, type SeriesColumn } from '../../model/index.ts'
import { histogramScriptText } from '../../promql/index.ts'
import {
  exportOpenMetrics,
  exportPrometheus,
  importOpenMetrics,
  importPrometheus,
  walkStore,
} from '../../tsdb/index.ts'
import { CommandError } from './alert-client.ts'
import {
  action,
  type SelectionOptions,
  selectionOf,
  type StoreOptions,
  withSelectionOptions,
  withStore,
  withStoreOptions,
} from './tsdb-options.ts'
import { progressBar } from './tsdb-output.ts'

interface FormatOptions {
  readonly prometheus?: string
  readonly openmetrics?: string
}

export function registerTsdbDataCommands(tsdb: Command): void {
  withStoreOptions(tsdb.command('import'))
    .description('bring samples into the data folder, as blocks')
    .option('--prometheus <dir>', "a Prometheus' data folder, or one block of it")
    .option('--openmetrics <file>', 'OpenMetrics text in which every sample has its time')
    .action(
      action(async (options: StoreOptions & FormatOptions) => {
        const dataDir = options['storage.tsdb.path']
        const job = { logger: silentLogger, onProgress: progressBar('importing') }
        const source = onlyOne(options)
        const { blocks, samples } =
          source.format === 'prometheus'
            ? await importPrometheus(dataDir, source.path, job)
            : await importOpenMetrics(dataDir, source.path, job)
        if (options.json) console.log(JSON.stringify({ blocks, samples }))
        else console.log(`${samples} samples imported, in ${blocks} blocks`)
      }),
    )

  withSelectionOptions(withStoreOptions(tsdb.command('export')))
    .description('write samples for others to read')
    .option('--prometheus <dir>', 'blocks of Prometheus, of two hours each')
    .option('--openmetrics <file>', 'OpenMetrics text; - for the standard output')
    .action(
      action(async (options: StoreOptions & SelectionOptions & FormatOptions) => {
        const target = onlyOne(options)
        const selection = { ...selectionOf(options), onProgress: progressBar('exporting') }
        const report = (summary: object, text: string): void => {
          // The standard output may be taken by the samples.
          const print = target.path === '-' ? console.error : console.log
          print(options.json ? JSON.stringify(summary) : text)
        }
        await withStore(options['storage.tsdb.path'], async (store) => {
          if (target.format === 'prometheus') {
            const summary = await exportPrometheus(store, target.path, selection)
            return report(summary, `${summary.samples} samples exported, in ${summary.blocks} blocks`)
          }
          const out = target.path === '-' ? process.stdout : createWriteStream(target.path)
          const summary = await exportOpenMetrics(store, (text) => write(out, text), selection)
          if (target.path !== '-') {
            out.end()
            await once(out, 'finish')
          }
          const leftOut =
            summary.leftOut > 0 ? `; ${summary.leftOut} native histograms and staleness markers were left out` : ''
          report(summary, `${summary.samples} samples exported${leftOut}`)
        })
      }),
    )

  withSelectionOptions(withStoreOptions(tsdb.command('dump')))
    .description('print samples, a line each')
    .action(
      action((options: StoreOptions & SelectionOptions) =>
        withStore(options['storage.tsdb.path'], async (store) => {
          await walkStore(store, selectionOf(options), {
            windowMs: DUMP_WINDOW_MS,
            onSeries: (column) =>
              write(process.stdout, [...(options.json ? jsonLines(column) : textLines(column))].join('')),
          })
        }),
      ),
    )
}

const DUMP_WINDOW_MS = 2 * 3_600_000

function onlyOne({ prometheus, openmetrics }: FormatOptions): {
  readonly format: 'prometheus' | 'openmetrics'
  readonly path: string
} {
  if ((prometheus === undefined) === (openmetrics === undefined)) {
    throw new CommandError('give either --prometheus or --openmetrics')
  }
  return prometheus === undefined
    ? { format: 'openmetrics', path: openmetrics! }
    : { format: 'prometheus', path: prometheus }
}

async function write(out: Writable, text: string): Promise<void> {
  if (!out.write(text)) await once(out, 'drain')
}

function* textLines({ labels, timestampsMs, values, length, stale, histograms }: SeriesColumn): Generator<string> {
  const pairs = Object.entries(labelsToRecord(labels)).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  const series = `{${pairs.join(', ')}}`
  for (let i = 0; i < length; i++) {
    const histogram = histograms?.[i]
    const value =
      stale?.[i] === 1 ? 'stale' : histogram ? histogramScriptText(histogram) : formatFloatGeneral(values[i]!)
    yield `${series} ${value} ${timestampsMs[i]}\n`
  }
}

function* jsonLines({ labels, timestampsMs, values, length, stale, histograms }: SeriesColumn): Generator<string> {
  const metric = labelsToRecord(labels)
  for (let i = 0; i < length; i++) {
    const histogram = histograms?.[i]
    const content =
      stale?.[i] === 1
        ? { stale: true }
        : histogram
          ? { histogram: histogramScriptText(histogram) }
          : { value: formatFloatGeneral(values[i]!) }
    yield `${JSON.stringify({ metric, timestampMs: timestampsMs[i], ...content })}\n`
  }
}
