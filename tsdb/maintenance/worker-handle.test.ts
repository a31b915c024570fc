import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { createKernelMemory } from '../../kernels/index.ts'
import type { Logger } from '../../lib/index.ts'
import { HeadMemory } from '../memory/head-memory.ts'
import { WorkerHandle } from './worker-handle.ts'

const folder = mkdtempSync(join(tmpdir(), 'belltower-worker-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a worker that has had nothing to do for a while is ended, and started again when it is asked', async () => {
  const error = vi.fn()
  const maximumBytes = 8 << 20
  const memory = new HeadMemory(createKernelMemory({ initialBytes: 4 << 20, maximumBytes }), maximumBytes)
  const handle = new WorkerHandle(memory, 0, { error } as unknown as Logger, 20)
  expect(handle.isRunning).toBe(false)
  // No block is there: what is wrong with it is the answer.
  const first = await handle.call('verify', folder)
  expect(first).toEqual(expect.any(String))
  await vi.waitFor(() => expect(handle.isRunning).toBe(false), 5000)
  expect(await handle.call('verify', folder)).toBe(first)
  expect(handle.isRunning).toBe(true)
  await handle.close()
  expect(error).not.toHaveBeenCalled()
})
