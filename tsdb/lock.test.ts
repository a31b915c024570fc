import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs, { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { verifyStore } from './index.ts'
import { lockDataFolder } from './lock.ts'
import { openStore, temporaryFolder } from './testing/store.ts'

// Goal: a data folder has one process at a time, also across containers, and never a dead one.

const hasFlock = spawnSync('flock', ['--version']).status === 0
const hasProc = existsSync('/proc/self/stat')

test('the second who asks is told', () => {
  const { folder, remove } = temporaryFolder()
  const unlock = lockDataFolder(folder)
  expect(() => lockDataFolder(folder)).toThrow('in use by another process')
  unlock()
  lockDataFolder(folder)()
  expect(existsSync(join(folder, 'lock'))).toBe(false)
  remove()
})

test.skipIf(!hasFlock)('a holder that the file does not name, as one in another container, is seen', () => {
  const { folder, remove } = temporaryFolder()
  const unlock = lockDataFolder(folder)
  writeFileSync(join(folder, 'lock'), `${process.pid} 1\n`)
  expect(() => lockDataFolder(folder)).toThrow('in use by another process')
  rmSync(join(folder, 'lock'))
  expect(() => lockDataFolder(folder)).toThrow('in use by another process')
  unlock()
  remove()
})

test('on a full disk, or one that fails, the lock of the kernel is taken and let go', () => {
  const { folder, remove } = temporaryFolder()
  const failing = (name: 'writeFileSync' | 'rmSync', code: string, job: () => void): void => {
    const spy = vi.spyOn(fs, name).mockImplementation(() => {
      throw Object.assign(new Error(code), { code })
    })
    syncBuiltinESMExports()
    try {
      job()
    } finally {
      spy.mockRestore()
      syncBuiltinESMExports()
    }
  }
  failing('writeFileSync', 'ENOSPC', () => {
    // Without it the file is all there is.
    if (!hasFlock) return expect(() => lockDataFolder(folder)).toThrow('ENOSPC')
    const unlock = lockDataFolder(folder)
    expect(() => lockDataFolder(folder)).toThrow('in use by another process')
    unlock()
  })
  const unlock = lockDataFolder(folder)
  failing('rmSync', 'EIO', () => expect(unlock).toThrow('EIO'))
  rmSync(join(folder, 'lock'))
  lockDataFolder(folder)()
  remove()
})

test.skipIf(!hasProc)('a process that was killed and not waited for holds nothing', async () => {
  const { folder, remove } = temporaryFolder()
  // The shell becomes a program that never asks how its child ended.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8')
    const startTime = stat().split(') ')[1]!.split(' ')[19]
    writeFileSync(join(folder, 'lock'), `${pid} ${startTime}\n`)
    expect(() => lockDataFolder(folder)).toThrow('in use by another process')
    process.kill(pid, 'SIGKILL')
    await expect.poll(stat).toContain(') Z ')
    lockDataFolder(folder)()
  } finally {
    parent.kill('SIGKILL')
  }
  remove()
})

test('a folder that cannot be written is told, and can be verified', async (context) => {
  const { folder: parent, remove } = temporaryFolder()
  const folder = join(parent, 'data')
  await (await openStore(folder)).close()
  if (!makeReadOnly(folder)) return context.skip('the folder of a store can be written whatever its permissions are')
  await expect(openStore(folder)).rejects.toMatchObject({ code: 'ERR_TSDB_READ_ONLY' })
  expect((await verifyStore(folder)).faults).toEqual([])
  chmodSync(folder, 0o755)
  remove()
})

/** @returns whether that helps: it does not where permissions mean nothing, as to root */
function makeReadOnly(folder: string): boolean {
  chmodSync(folder, 0o555)
  try {
    writeFileSync(join(folder, 'probe'), '')
    rmSync(join(folder, 'probe'))
    return false
  } catch {
    return true
  }
}
