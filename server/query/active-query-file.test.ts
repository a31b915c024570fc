import fs, { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import type { Logger } from '../../lib/index.ts'
import { ActiveQueryFile } from './active-query-file.ts'

/** For as long as `use` runs nothing can be written. */
function withFullDisk(use: () => void): void {
  const full = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  })
  syncBuiltinESMExports()
  try {
    use()
  } finally {
    full.mockRestore()
    syncBuiltinESMExports()
  }
}

test('the next process learns which queries did not finish; long ones are cut', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-active-'))
  const path = join(folder, 'queries.active')
  const warned: unknown[] = []
  const logger = { warn: (facts: unknown) => warned.push(facts) } as unknown as Logger
  const first = ActiveQueryFile.open(path, logger)
  const long = `sum(${'ü'.repeat(5000)})`
  const slots = ['up', 'rate(a[5m])', long].map((query) => first.insert(query, 7000))
  first.remove(slots[0]!)
  const again = first.insert('reused', 9000)
  expect(again).toBe(slots[0])
  expect(readFileSync(path).length).toBe(3000)
  // The process is gone without having closed anything.
  const second = ActiveQueryFile.open(path, logger)
  expect(warned).toEqual([
    {
      queries: [
        { query: 'reused', timestamp_sec: 9 },
        { query: 'rate(a[5m])', timestamp_sec: 7 },
        { query: expect.stringMatching(/^sum\(ü{100,}$/), timestamp_sec: 7 },
      ],
    },
  ])
  second.close()
  const third = ActiveQueryFile.open(path, logger)
  expect(warned).toHaveLength(1)
  third.close()
  first.close()
  rmSync(folder, { recursive: true })
})

test('a disk that takes nothing is told once, and no query fails for it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-active-'))
  const warned: string[] = []
  const logger = { warn: (_facts: unknown, message: string) => warned.push(message) } as unknown as Logger
  const file = ActiveQueryFile.open(join(folder, 'queries.active'), logger)
  withFullDisk(() => {
    const slots = [file.insert('up', 1000), file.insert('up', 1000)]
    expect(slots).toEqual([0, 1])
    for (const slot of slots) file.remove(slot)
  })
  expect(warned).toEqual(['the running queries cannot be noted in queries.active'])
  file.insert('again', 1000)
  file.close()
  expect(readFileSync(join(folder, 'queries.active'), 'utf8')).toContain('again')
  rmSync(folder, { recursive: true })
})

test('a slot is what the document shows', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/formats/queries-active.md', import.meta.url)), 'utf8')
  const example = /`(7b [0-9a-f ]+)`/.exec(document)![1]!.replaceAll(' ', '')
  const folder = mkdtempSync(join(tmpdir(), 'belltower-active-'))
  const file = ActiveQueryFile.open(join(folder, 'queries.active'), {} as Logger)
  file.insert('up', 9000)
  file.close()
  const bytes = readFileSync(join(folder, 'queries.active'))
  expect(bytes.toString('hex', 0, example.length / 2)).toBe(example)
  rmSync(folder, { recursive: true })
})
