// Outside configuration files, each with the verdict that Prometheus gives: accepted, or refused with a place. Those that use
// what is not there yet are listed with what is missing, and nothing else may be wrong with them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../lib/yaml-config.ts'
import { loadConfig } from '../../server/config/load.ts'

const yardsticks =
  process.env.BELLTOWER_YARDSTICKS ?? fileURLToPath(new URL('../../../shared/yardsticks', import.meta.url))
const folder = join(yardsticks, 'prometheus-config')
const isThere = existsSync(folder)
if (!isThere) console.log(`skipped: no configuration files in ${folder}`)

/** Refused by Prometheus as well, though the name does not say so. */
const REFUSED_TOO: ReadonlySet<string> = new Set([
  'config_with_deprecated_am_api_config.yml',
  // Names that translation would keep need a validation that allows them.
  'otlp_allow_utf8.incompatible.yml',
  'otlp_no_translation.incompatible.yml',
])
/** Refused by an agent only. */
const AGENT_ONLY = /^agent_mode\.with/
const NOT_YET = /not available yet|only, for now/

async function faultsOf(name: string): Promise<readonly string[]> {
  try {
    await loadConfig({ path: join(folder, name), alertmanagerPath: '', env: {} })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

describe.skipIf(!isThere)('configuration files', () => {
  const listed = isThere ? readdirSync(folder).filter((name) => name.endsWith('.yml')) : []
  const names = listed.filter((name) => !AGENT_ONLY.test(name))
  const isRefused = (name: string): boolean => name.includes('bad') || REFUSED_TOO.has(name)
  const missing: string[] = []

  test('there are as many as upstream has', () => expect(listed.length).toBeGreaterThanOrEqual(210))

  test.each(names.filter(isRefused))('%s is refused, with a place', async (name) => {
    const faults = await faultsOf(name)
    expect(faults).not.toEqual([])
    for (const fault of faults) expect(fault).toMatch(/:\d+:\d+: /)
  })

  test.each(names.filter((name) => !isRefused(name)))('%s is accepted', async (name) => {
    const faults = await faultsOf(name)
    if (faults.length > 0 && faults.every((fault) => NOT_YET.test(fault))) missing.push(name)
    else expect(faults).toEqual([])
  })

  test('a refusal points at a line of the file', async () => {
    const [fault] = await faultsOf('unknown_attr.bad.yml')
    const line = Number(/:(\d+):\d+: /.exec(fault!)![1])
    const text = readFileSync(join(folder, 'unknown_attr.bad.yml'), 'utf8').split('\n')[line - 1]
    expect(text).toMatch(/\S/)
  })

  afterAll(() => {
    if (missing.length > 0) console.log(`valid, and using what is not there yet: ${missing.join(', ')}`)
  })
})
