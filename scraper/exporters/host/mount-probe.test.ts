import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../lib/index.ts'
import { MountProbe } from './mount-probe.ts'
import type { Mount } from './mounts.ts'

const mountAt = (path: string, mayHang: boolean): Mount => ({
  device: 'server:/x',
  major: '0',
  minor: '1',
  fstype: 'nfs4',
  mountPoint: path,
  path,
  readonly: false,
  mayHang,
})

test.skipIf(process.platform !== 'linux')(
  'asked directly or through a child process, the answer is the same',
  async () => {
    const probe = new MountProbe(new ManualClock(0), 5000)
    const [direct, byChild] = [await probe.ask(mountAt('/', false)), await probe.ask(mountAt('/', true))]
    const sizeOf = (answer: typeof direct): number => ('size' in answer ? answer.size.size : Number.NaN)
    expect(sizeOf(direct)).toBeGreaterThan(0)
    expect(sizeOf(byChild)).toBe(sizeOf(direct))
  },
)

test.skipIf(process.platform !== 'linux')(
  'a mount that hangs is given up after the timeout, and the rest goes on',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mount-probe-'))
    const path = process.env.PATH
    await writeFile(join(folder, 'stat'), '#!/bin/sh\nexec sleep 600\n')
    await chmod(join(folder, 'stat'), 0o755)
    process.env.PATH = `${folder}${delimiter}${path}`
    try {
      const clock = new ManualClock(0)
      const probe = new MountProbe(clock, 5000)
      const hanging = probe.ask(mountAt('/', true))
      // At once: it is off the list again when the process that is ended then has ended.
      const askedAgain = hanging.then(() => probe.ask(mountAt('/', true)))
      expect(await probe.ask(mountAt('/tmp', false))).toHaveProperty('size')
      await clock.advance(5000)
      expect(await hanging).toEqual({ error: 'mountpoint timeout' })
      expect(await askedAgain).toEqual({ error: 'mountpoint timeout' })
    } finally {
      process.env.PATH = path
      await rm(folder, { recursive: true })
    }
  },
)
