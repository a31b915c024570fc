// The original's own configuration files and examples: the same are accepted, the same refused, and what is accepted can send.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkAlertmanagerConfig, createAlertmanager, parseAlertmanagerConfig } from '../../alertmanager/index.ts'
import { ManualClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { ConfigError } from '../../lib/yaml-config.ts'

const yardsticks = process.env['BELLTOWER_YARDSTICKS'] ?? join(import.meta.dirname, '../../../shared/yardsticks')
const isThere = existsSync(join(yardsticks, 'alertmanager-config'))
if (!isThere) console.log('skipping the original’s Alertmanager configurations: no ../shared/yardsticks')

// What each file is about stands in its name: these contradict themselves, lack a credential or hold a null.
const REFUSED =
  /-both-|nil-|old-team|slack-no-|opsgenie-no-|mattermost-no-|telegram-no-|rocketchat-no-|victorops-no-|wechat-no-|sns-invalid|update-message-and-webhook/

const filesOf = (folder: string): string[] =>
  isThere
    ? readdirSync(join(yardsticks, folder))
        .filter((name) => name.endsWith('.yml'))
        .map((name) => join(yardsticks, folder, name))
    : []

const faultsOf = (path: string): readonly string[] => {
  try {
    checkAlertmanagerConfig(path, readFileSync(path, 'utf8'))
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

/** Builds every receiver and rehearses every template. */
async function startAndStop(path: string): Promise<void> {
  const alertmanager = await createAlertmanager({
    config: parseAlertmanagerConfig(path, readFileSync(path, 'utf8')),
    dataDir: undefined,
    clock: new ManualClock(0),
    logger: silentLogger,
    registry: new Registry(),
    externalUrl: 'http://127.0.0.1:9093',
    httpClientFactory: (http) => createHttpClient(http),
  })
  await alertmanager.stop()
}

describe.skipIf(!isThere)('configurations of the original', () => {
  const files = [...filesOf('alertmanager-config'), ...filesOf('alertmanager-examples')]

  test('there are as many as there should be', () => {
    expect(files.length).toBeGreaterThanOrEqual(48)
  })

  test.each(files)('%s', async (path) => {
    const faults = faultsOf(path)
    for (const fault of faults) expect(fault.startsWith(`${path}:`)).toBe(true)
    expect(faults.length > 0, faults.join('\n')).toBe(REFUSED.test(path))
    if (faults.length === 0) await startAndStop(path)
  })
})
