import fs, { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { makeStoreFolders } from './store-folders.ts'

const { openSync } = fs
const parent = mkdtempSync(join(tmpdir(), 'belltower-parent-'))
afterEach(() => {
  fs.openSync = openSync
  syncBuiltinESMExports()
  rmSync(parent, { recursive: true, force: true })
})

/** As for a user who may pass through a folder and not read it; root may always. */
function refuse(folder: string): void {
  fs.openSync = ((path: string, ...more: [string]) => {
    if (path === folder) throw Object.assign(new Error(`permission denied, open '${path}'`), { code: 'EACCES' })
    return openSync(path, ...more)
  }) as typeof openSync
  syncBuiltinESMExports()
}

test('the parent of the data folder need not be readable; the folder itself must be', () => {
  const dataDir = join(parent, 'data')
  mkdirSync(dataDir)
  refuse(parent)
  expect(makeStoreFolders(dataDir).wal).toBe(join(dataDir, 'wal'))
  refuse(dataDir)
  expect(() => makeStoreFolders(dataDir)).toThrow('permission denied')
})
