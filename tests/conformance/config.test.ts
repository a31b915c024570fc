// Outside configuration files, each with the verdict that Prometheus gives: accepted, or refused with a place.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
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
const AGENT_ONLY = /^agent_mode\.with_/

async function faultsOf(name: string, agentMode = false): Promise<readonly string[]> {
  try {
    await loadConfig({ path: join(folder, name), alertmanagerPath: '', env: {}, agentMode })
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

  test('there are as many as upstream has', () => expect(listed.length).toBeGreaterThanOrEqual(210))

  test.each(names.filter(isRefused))('%s is refused, with a place', async (name) => {
    const faults = await faultsOf(name)
    expect(faults).not.toEqual([])
    for (const fault of faults) expect(fault).toMatch(/:\d+:\d+: /)
  })

  test.each(names.filter((name) => !isRefused(name)))('%s is accepted', async (name) => {
    expect(await faultsOf(name)).toEqual([])
  })

  test.each(listed.filter((name) => name.startsWith('agent_mode.')))('%s: the verdict of an agent', async (name) => {
    const faults = await faultsOf(name, true)
    if (AGENT_ONLY.test(name)) expect(faults[0]).toMatch(/:\d+:\d+: \w+: field \w+ is not allowed in agent mode$/)
    else expect(faults).toEqual([])
    expect(await faultsOf(name)).toEqual([])
  })

  test('a refusal points at a line of the file', async () => {
    const [fault] = await faultsOf('unknown_attr.bad.yml')
    const line = Number(/:(\d+):\d+: /.exec(fault!)![1])
    const text = readFileSync(join(folder, 'unknown_attr.bad.yml'), 'utf8').split('\n')[line - 1]
    expect(text).toMatch(/\S/)
  })
})
