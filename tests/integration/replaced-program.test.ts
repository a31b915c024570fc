import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setEnvironmentData, Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

const LOADER = join(import.meta.dirname, '../../scripts/load-bundle.cjs')
const BUILD = 'belltower:build'

/** @returns what the thread says, or how it failed */
async function startThread(folder: string, build: string): Promise<unknown> {
  const entry = `
    const { copyFileSync } = require('node:fs')
    const { join } = require('node:path')
    const loader = join(${JSON.stringify(folder)}, 'load.cjs')
    copyFileSync(${JSON.stringify(LOADER)}, loader)
    require(loader)('piece.cjs', ${JSON.stringify(build)})`
  const worker = new Worker(entry, { eval: true })
  const said = await new Promise((resolve) => worker.once('message', resolve).once('error', resolve))
  await worker.terminate()
  return said
}

test('a thread that starts after the program was replaced by another build says so and does not run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-'))
  writeFileSync(
    join(folder, 'piece.cjs'),
    "(function (exports, require) { require('node:worker_threads').parentPort.postMessage('runs') })\n",
  )
  try {
    expect(await startThread(folder, 'any')).toBe('runs')
    setEnvironmentData(BUILD, 'one')
    expect(await startThread(folder, 'one')).toBe('runs')
    expect(String(await startThread(folder, 'other'))).toContain('replaced by another build')
  } finally {
    setEnvironmentData(BUILD, undefined as never)
    rmSync(folder, { recursive: true })
  }
})
