import { randomBytes } from 'node:crypto'
import fs, { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { BlockOutput } from './block-output.ts'

const { writeSync } = fs
const dir = mkdtempSync(join(tmpdir(), 'belltower-full-'))
afterEach(() => {
  setWriteSync(writeSync)
  rmSync(dir, { recursive: true, force: true })
})

function setWriteSync(write: typeof writeSync): void {
  fs.writeSync = write
  syncBuiltinESMExports()
}

const openFiles = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)

test('a block that is given up on a disk that stays full leaves nothing behind', () => {
  const before = openFiles()
  const output = new BlockOutput(dir, '01J00000000000000000000000')
  setWriteSync((() => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }) as typeof writeSync)
  const write = (): void => {
    for (let i = 0; i < 100; i++) output.add(new Uint8Array(randomBytes(10_000)), 1)
  }
  expect(write).toThrow('no space left')
  output.discard()
  expect(readdirSync(dir)).toEqual([])
  expect(openFiles()).toBe(before)
})
