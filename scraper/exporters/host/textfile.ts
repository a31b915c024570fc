import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../../lib/index.ts'
import { type MetricFamily, readExposition, type WritableFamily, writeExposition } from '../../../model/index.ts'
import type { Collector } from './collector.ts'
import { labelText } from './page.ts'

interface TextFile {
  readonly path: string
  readonly mtimeMs: number
  readonly families: readonly MetricFamily[]
}

/** Adds the pages that other programs leave as `*.prom` files in a folder, if there is one. A file that cannot be used costs only itself. */
export function createTextfileCollector(directory: string | undefined, logger: Logger): Collector {
  // A file is parsed when it changes, which is seldom beside the scrapes.
  const cache = new Map<string, TextFile>()
  const failing = new Set<string>()
  const load = async (path: string): Promise<TextFile | undefined> => {
    try {
      const { mtimeMs } = await stat(path)
      let file = cache.get(path)
      if (file?.mtimeMs !== mtimeMs) cache.set(path, (file = { path, mtimeMs, families: await readFamilies(path) }))
      failing.delete(path)
      return file
    } catch (error) {
      if (!failing.has(path)) logger.warn({ err: error, file: path }, 'text file cannot be used')
      failing.add(path)
      cache.delete(path)
      return undefined
    }
  }
  return {
    name: 'textfile',
    async collect(page) {
      const names = directory === undefined ? [] : await readdir(directory)
      const paths = names.filter((name) => name.endsWith('.prom')).sort()
      const loaded = await Promise.all(paths.map((name) => load(join(directory!, name))))
      const files = loaded.filter((file) => file !== undefined)
      page.raw(writeExposition(mergeByName(files)))
      if (files.length > 0) {
        page.family('node_textfile_mtime_seconds', 'gauge', 'When the text file was written, in Unix seconds.')
        for (const { path, mtimeMs } of files) page.sample(labelText({ file: path }), mtimeMs / 1000)
      }
      const hasError = files.length < paths.length
      page.single('node_textfile_scrape_error', 'gauge', 'Whether a text file could not be used.', hasError ? 1 : 0)
    },
  }
}

async function readFamilies(path: string): Promise<MetricFamily[]> {
  const families = readExposition(await readFile(path), 'text')
  if (families.some(({ samples }) => samples.some(({ timestampMs }) => timestampMs !== undefined)))
    throw new Error('timestamps are not allowed: the file is read at every scrape')
  return families
}

/** Two files may have samples of one family; the page must have each family once. The first file decides type and help. */
function mergeByName(files: readonly TextFile[]): WritableFamily[] {
  const merged = new Map<string, WritableFamily>()
  for (const { families } of files)
    for (const family of families) {
      const known = merged.get(family.name)
      merged.set(
        family.name,
        known === undefined ? family : { ...known, samples: [...known.samples, ...family.samples] },
      )
    }
  return [...merged.values()]
}
