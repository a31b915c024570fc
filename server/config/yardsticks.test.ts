// Verdicts on outside configuration files: a name with `bad` must be refused, all others load, except where they use what is
// not there yet.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../lib/yaml-config.ts'
import { loadConfig } from './load.ts'

const yardsticks =
  process.env.BELLTOWER_YARDSTICKS ?? fileURLToPath(new URL('../../../shared/yardsticks', import.meta.url))
const folder = join(yardsticks, 'prometheus-config')

/** Refused by Prometheus 3 as well, though the name does not say so. */
const REFUSED_TOO = new Set(['config_with_deprecated_am_api_config.yml'])
const isBad = (name: string): boolean => name.includes('bad') || REFUSED_TOO.has(name)

async function faultsOf(name: string): Promise<readonly string[]> {
  try {
    await loadConfig({ path: join(folder, name), alertmanagerPath: '', env: {} })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

describe.skipIf(!existsSync(folder))('outside configuration files', () => {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.yml')) : []

  test('there are some', () => expect(files.length).toBeGreaterThan(100))

  test.each(files.filter(isBad))('%s is refused', async (name) => {
    expect(await faultsOf(name)).not.toEqual([])
  })

  test.each(files.filter((name) => !isBad(name)))(
    '%s is accepted, or refused only for what is not there yet',
    async (name) => {
      expect((await faultsOf(name)).filter((fault) => !/not available yet|only, for now/.test(fault))).toEqual([])
    },
  )
})
