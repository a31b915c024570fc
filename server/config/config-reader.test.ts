import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../lib/yaml-config.ts'
import { type LoadedConfig, loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'belltower-long-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Long enough that a thread of its own reads it, if it may. */
const TARGETS = [...Array(600).keys()]
  .map((i) => `      - targets: ['10.0.0.${i % 256}:9100']\n        labels: { instance: host${i}, rack: ${i}.10 }\n`)
  .join('')
const JOB = `scrape_configs:\n  - job_name: a\n    scrape_interval: 15s\n    static_configs:\n${TARGETS}`

function load(text: string, besidesOthers: boolean): Promise<LoadedConfig> {
  const path = join(folder, 'prometheus.yml')
  writeFileSync(path, text)
  return loadConfig({ path, alertmanagerPath: '', env: {}, besidesOthers })
}

async function faultsOf(text: string, besidesOthers: boolean): Promise<readonly string[]> {
  const error: unknown = await load(text, besidesOthers).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).faults
}

describe('a long file read by a thread of its own', () => {
  test('gives the same configuration: its jobs, those of another file, a part that stands for a file', async () => {
    mkdirSync(join(folder, 'jobs'))
    writeFileSync(join(folder, 'jobs', 'b.yml'), JOB.replace('job_name: a', 'job_name: b'))
    const parts = `
scrape_config_files: [jobs/*.yml]
belltower:
  storage: { retention: [{ match: '{job=~"debug.*",team!~"a+"}', keep: 1d }] }
  alertmanager:
    route: { receiver: nobody }
    receivers: [{ name: nobody }]
`
    const elsewhere = await load(`${JOB}${parts}`, true)
    // Matchers hold functions, of which no two are equal.
    const rest = ({ retentionRules: _rules, ...others }: LoadedConfig): object => others
    expect(rest(elsewhere)).toEqual(rest(await load(`${JOB}${parts}`, false)))
    expect(elsewhere.retentionRules[0]!.matchers.map(({ regex }) => regex!.matches('debugging'))).toEqual([true, false])
    expect(elsewhere.scrapeConfigs[0]!.staticConfigs![599]!.labels).toEqual({ instance: 'host599', rack: '599.10' })
    expect(elsewhere.scrapeConfigs[1]!.staticConfigs).toHaveLength(600)
    expect(elsewhere.alertmanager!.text.trim()).toMatch(/^route: .*\n {4}receivers: .*nobody/)
  })

  test.each([
    ['in the schema', `${JOB}    no_such_key: 1\n  - job_name: 7\n    scrape_interval: soon\n`],
    ['across keys', `${JOB}  - job_name: a\n  - { job_name: b, scrape_interval: 1s, scrape_timeout: 2s }\n`],
  ])('tells the same faults at the same places: %s', async (_where, text) => {
    const elsewhere = await faultsOf(text, true)
    expect(elsewhere).toEqual(await faultsOf(text, false))
    expect(elsewhere[0]).toMatch(/prometheus\.yml:12\d\d:\d+: /)
  })
})
