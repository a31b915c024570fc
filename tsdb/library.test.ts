// Goal: the example of docs/library.md runs as it stands there, and the rest of the page is true.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test, vi } from 'vitest'
import { createMatcher, DataFolderLockedError, exportOpenMetrics, openStore } from './library.ts'
import { temporaryFolder } from './testing/store.ts'

const page = readFileSync(fileURLToPath(new URL('../docs/library.md', import.meta.url)), 'utf8')

test('the example of the page', async () => {
  const { folder, remove } = temporaryFolder()
  const example = /```ts\n([\s\S]*?)```/.exec(page)![1]!
  const library = fileURLToPath(new URL('./library.ts', import.meta.url))
  const script = join(folder, 'example.mjs')
  const text = example
    .replace("'belltower/tsdb'", JSON.stringify(library))
    .replace("dataDir: 'data'", `dataDir: ${JSON.stringify(join(folder, 'data'))}`)
  writeFileSync(script, text)
  const lines: unknown[][] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(values))
  await import(/* @vite-ignore */ pathToFileURL(script).href)
  log.mockRestore()
  expect(lines).toHaveLength(60)
  expect(lines.map(([, value]) => value)).toEqual(Array.from({ length: 60 }, (_, i) => 20 + i / 10))
  remove()
})

test('a store opens again with what it had, and only once at a time', async () => {
  const { folder, remove } = temporaryFolder()
  const first = await openStore({ dataDir: folder })
  const appender = first.tsdb.appender()
  const nowMs = Date.now()
  appender.append(undefined, ['__name__', 'a'], nowMs, 1.5)
  await appender.commit()
  await expect(openStore({ dataDir: folder })).rejects.toThrow(DataFolderLockedError)
  await first.close()

  const { tsdb, reader, close } = await openStore({ dataDir: folder })
  const range = { minTimeMs: nowMs - 1000, maxTimeMs: nowMs }
  const querier = reader.querier(range)
  const found = [...querier.select([createMatcher('=~', '__name__', 'a|b')], range)]
  expect(found.map(({ labels, length, values }) => [labels, length, values[0]])).toEqual([[['__name__', 'a'], 1, 1.5]])
  querier.close()
  let text = ''
  await exportOpenMetrics(tsdb, (piece) => void (text += piece))
  expect(text).toMatch(/^# TYPE a unknown\na 1.5 \d+(\.\d+)?\n# EOF\n$/)
  await close()
  remove()
})
