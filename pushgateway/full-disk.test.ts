import { mkdtempSync, rmSync } from 'node:fs'
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fastify } from 'fastify'
import { Registry } from 'prom-client'
import { expect, test, vi } from 'vitest'
import { systemClock } from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { createPushgateway, type Pushgateway, pushgatewayApi } from './index.ts'

// Goal: a full disk does not keep the process from starting: what was pushed is there, pushes are refused until there is room.
// Method: for a while no file can be begun.

/** @returns what gives it room again */
function fillDisk(): () => void {
  const { open } = fsPromises
  const full = vi.spyOn(fsPromises, 'open').mockImplementation(async (...args) => {
    if (args[1] === 'w') throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    return open(...args)
  })
  syncBuiltinESMExports()
  return () => {
    full.mockRestore()
    syncBuiltinESMExports()
  }
}

test('a start on a full disk, and a life after it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'belltower-full-'))
  const open = () => createPushgateway({ dataDir, clock: systemClock, logger: silentLogger, registry: new Registry() })
  let gateway = await open()
  expect(await push(gateway, 'a 1\n')).toBe(200)
  await gateway.close()
  const makeRoom = fillDisk()
  gateway = await open()
  expect(await page(gateway)).toMatch(/^a\{.*\} 1$/m)
  expect(await push(gateway, 'b 2\n')).toBe(500)
  makeRoom()
  expect(await push(gateway, 'c 3\n')).toBe(200)
  await gateway.close()
  gateway = await open()
  expect(await page(gateway)).toMatch(/^a\{.*\} 1\n[\s\S]*^c\{.*\} 3$/m)
  await gateway.close()
  rmSync(dataDir, { recursive: true })
})

async function push(gateway: Pushgateway, payload: string): Promise<number> {
  const app = fastify()
  await app.register(pushgatewayApi(gateway))
  const { statusCode } = await app.inject({ method: 'POST', url: '/metrics/job/j', payload })
  await app.close()
  return statusCode
}

const page = async (gateway: Pushgateway): Promise<string> => new TextDecoder().decode(await gateway.scrape())
