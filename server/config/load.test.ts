import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../lib/yaml-config.ts'
import { type LoadedConfig, loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'belltower-config-'))

function load(text: string, env: NodeJS.ProcessEnv = {}): Promise<LoadedConfig> {
  const path = join(folder, 'prometheus.yml')
  writeFileSync(path, text)
  return loadConfig({ path, alertmanagerPath: '', env })
}

async function faultsOf(text: string): Promise<string[]> {
  try {
    await load(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).faults.map((fault) => fault.replace(`${folder}/`, ''))
  }
  throw new Error('the configuration was accepted')
}

describe('configuration', () => {
  test('the built-in one loads, with its rules', async () => {
    const config = await loadConfig({ path: undefined, alertmanagerPath: '', env: {} })
    expect(config.scrapeConfigs.map((job) => job.jobName)).toEqual(['belltower', 'node', 'pushgateway'])
    expect(config.ruleGroups.length).toBeGreaterThan(2)
  })

  test('an empty file is valid and has the defaults', async () => {
    const { global } = await load('')
    expect(global).toMatchObject({ scrapeIntervalMs: 60_000, scrapeTimeoutMs: 10_000, evaluationIntervalMs: 60_000 })
  })

  test('what is kept of samples, and what can have no effect beside it', async () => {
    const storage =
      'belltower:\n  storage:\n    downsampling: [{ resolution: 1h, keep: 2y }]\n    retention: [{ match: up, keep: 20d }]\n'
    const { tiers, retentionRules } = await load(storage)
    expect(tiers).toEqual([{ resolutionMs: 3_600_000, retentionMs: 730 * 86_400_000 }])
    expect(retentionRules).toHaveLength(1)
    expect(await faultsOf(`${storage}storage: { tsdb: { retention: { time: 15d } } }`)).toEqual([
      'prometheus.yml:4:30: belltower.storage.retention.0.keep: samples are kept for 15d only, see storage.tsdb.retention.time',
    ])
    expect(await faultsOf('belltower: { storage: { downsampling: [{ resolution: 7m, keep: 1d }] } }')).toEqual([
      expect.stringContaining('prometheus.yml:1:42: belltower.storage.downsampling.0.resolution: expected a duration'),
    ])
  })

  test('jobs inherit from global, the timeout is clamped to the interval', async () => {
    const config = await load(
      `
global: { scrape_interval: 5s, sample_limit: 10, external_labels: { region: "\${REGION}-$$1" } }
scrape_configs:
  - job_name: a
    static_configs: [{ targets: ['localhost:1'], labels: { n: 1, v: 1.10, on: yes, none: ~, empty: } }]
    honor_labels: yes
  - { job_name: b, scrape_interval: 1m, scrape_timeout: 20s, sample_limit: 3 }
`,
      { REGION: 'eu' },
    )
    expect(config.scrapeConfigs[0]).toMatchObject({
      scrapeIntervalMs: 5000,
      scrapeTimeoutMs: 5000,
      sampleLimit: 10,
      honorLabels: true,
    })
    expect(config.scrapeConfigs[0]?.staticConfigs?.[0]?.labels).toEqual({
      n: '1',
      v: '1.10',
      on: 'yes',
      none: '',
      empty: '',
    })
    expect(config.scrapeConfigs[1]).toMatchObject({ scrapeIntervalMs: 60_000, scrapeTimeoutMs: 20_000, sampleLimit: 3 })
    expect(config.global.externalLabels).toEqual({ region: 'eu-$1' })
  })

  test('every fault is named with its line and column', async () => {
    expect(
      await faultsOf(`global:
  scrape_intervall: 5s
scrape_configs:
  - job_name: a
    scrape_interval: 5 minutes
    metric_relabel_configs:
      - regex: '(unclosed'
        action: drop
    static_configs:
      - targets: { a: 1 }
`),
    ).toEqual([
      'prometheus.yml:2:3: global.scrape_intervall: unknown key',
      expect.stringMatching(/^prometheus\.yml:5:5: scrape_configs\.0\.scrape_interval: .*not a valid duration/),
      expect.stringMatching(/^prometheus\.yml:7:9: scrape_configs\.0\.metric_relabel_configs\.0\.regex: .*missing/),
      expect.stringMatching(/^prometheus\.yml:10:9: scrape_configs\.0\.static_configs\.0\.targets: .*array/),
    ])
  })

  test('faults that only show across keys', async () => {
    expect(
      (
        await faultsOf(`scrape_configs:
  - { job_name: a, scrape_interval: 5s, scrape_timeout: 6s }
  - job_name: a
`)
      ).map((fault) => fault.split(': ').slice(0, 2).join(': ')),
    ).toEqual(['prometheus.yml:2:41: scrape_configs.0.scrape_timeout', 'prometheus.yml:3:5: scrape_configs.1.job_name'])
  })

  test('faults across the keys of one http_config', async () => {
    expect(
      (
        await faultsOf(`scrape_configs:
  - job_name: a
    basic_auth: { username: u, password: p, password_file: f }
    authorization: { credentials: x }
    tls_config: { cert_file: c }
    no_proxy: 10.0.0.0/8
    http_headers: { Host: { values: [x] } }
`)
      ).map((fault) => fault.split(': ').slice(0, 2).join(': ')),
    ).toEqual([
      'prometheus.yml:4:5: scrape_configs.0.authorization',
      'prometheus.yml:3:5: scrape_configs.0.basic_auth',
      'prometheus.yml:5:5: scrape_configs.0.tls_config',
      'prometheus.yml:6:5: scrape_configs.0.no_proxy',
      'prometheus.yml:7:21: scrape_configs.0.http_headers.Host',
    ])
  })

  test('jobs of further files: their own paths, names unique over all', async () => {
    mkdirSync(join(folder, 'jobs'), { recursive: true })
    writeFileSync(
      join(folder, 'jobs', 'one.yml'),
      'scrape_configs: [{ job_name: more, file_sd_configs: [{ files: [t.json] }], scrape_native_histograms: true }]',
    )
    const config = await load('scrape_config_files: ["jobs/*.yml"]\nscrape_configs: [{ job_name: a }]')
    expect(config.scrapeConfigs.map((job) => job.jobName)).toEqual(['a', 'more'])
    expect(config.scrapeConfigs[1]?.fileSdConfigs?.[0]?.files).toEqual([join(folder, 'jobs', 't.json')])
    expect(config.scrapeConfigs[1]?.scrapeProtocols?.[0]).toBe('PrometheusProto')
    const faults = await faultsOf('scrape_config_files: ["jobs/*.yml"]\nscrape_configs: [{ job_name: more }]')
    expect(faults).toEqual([
      expect.stringMatching(/^jobs\/one\.yml:1:\d+: scrape_configs\.0\.job_name: found multiple/),
    ])
  })

  test('what is valid and has no effect yet is named', async () => {
    const config = await load(`
remote_write: [{ url: 'http://a/write' }]
remote_read: [{ url: 'http://a/read' }]
tracing: { endpoint: 'localhost:4317' }
`)
    for (const section of ['tracing']) expect(config.withoutEffect).toContain(section)
    expect((await load('')).withoutEffect).toEqual([])
  })

  test('Alertmanagers may be found by any discovery', async () => {
    const config = await load(`
alerting:
  alertmanagers:
    - path_prefix: /am
      sigv4: { region: eu-west-1 }
      dns_sd_configs: [{ names: [am.example.org] }]
      file_sd_configs: [{ files: [am.json] }]
      relabel_configs: [{ source_labels: [__address__], regex: 'a.*', action: keep }]
`)
    expect(config.alertmanagers[0]).toMatchObject({
      pathPrefix: '/am',
      sigv4: { region: 'eu-west-1' },
      sources: { fileSdConfigs: [{ files: [join(folder, 'am.json')] }], discoveries: [{ kind: 'dns' }] },
      relabelConfigs: [{ action: 'keep' }],
    })
  })

  test('rule files are found by glob, their faults join the others', async () => {
    writeFileSync(join(folder, 'one.rules.yml'), 'groups: [{ name: g, rules: [{ record: a, expr: "sum(" }] }]')
    const faults = await faultsOf('rule_files: ["*.rules.yml"]\nbelltower: { nope: 1 }')
    expect(faults).toHaveLength(1) // The schema's fault stops before the files are read.
    const ruleFaults = await faultsOf('rule_files: ["*.rules.yml"]')
    expect(ruleFaults[0]).toMatch(/^one\.rules\.yml:1:\d+: .*parse error/)
  })

  test('people on call: inline or by path, heartbeat addresses masked', async () => {
    const text = 'belltower: { on_call: { heartbeats: [{ name: h, url: "https://ping/hunter2" }] } }'
    const { onCall, yaml } = await load(text)
    expect(onCall?.fileName).toMatch(/prometheus\.yml$/)
    expect(onCall?.text.indexOf('hunter2')).toBe(text.indexOf('hunter2')) // Faults are told where they stand in the file.
    const block = 'belltower:\n  on_call:\n    # who\n    people:\n      - name: anna\n  self_monitoring: true\n'
    const lines = (await load(block)).onCall!.text.split('\n')
    expect(lines.slice(3, 5)).toEqual(['    people:', '      - name: anna'])
    expect(lines.join('')).not.toContain('self_monitoring')
    const aliased =
      'global: { external_labels: { x: &who anna } }\nbelltower: { on_call: { people: [{ name: *who }] } }'
    expect((await load(aliased)).onCall?.text).toContain('name: anna')
    expect(yaml).not.toContain('hunter2')
    writeFileSync(join(folder, 'on-call.yml'), 'people: []')
    expect((await load('belltower: { on_call: on-call.yml }')).onCall?.text).toBe('people: []')
    expect((await faultsOf('belltower: { on_call: nowhere.yml }'))[0]).toMatch(/nowhere\.yml:1:1: cannot be read/)
  })

  test('those of the Alertmanager and of people on call too, where they stand in the same file', async () => {
    const { yaml } = await load(`
belltower:
  alertmanager:
    global: { smtp_smarthost: 'h:25', smtp_from: a@b.c, smtp_auth_password: hunter2, slack_api_url: 'https://slack/hunter2' }
    route: { receiver: r }
    receivers:
      - name: r
        webhook_configs: [{ url: 'http://hook/hunter2' }]
        telegram_configs: [{ bot_token: hunter2, chat_id: 1 }]
        pagerduty_configs: [{ routing_key: hunter2 }]
        sms_configs: [{ provider: smsru, api_id: hunter2, to: ['+1'] }]
  on_call:
    heartbeats: [{ name: hc, url: 'https://ping/hunter2', headers: { X-Key: hunter2 } }]
    expected_heartbeats: [{ name: b, interval: 1m, token: hunter2 }]
`)
    expect(yaml).not.toContain('hunter2')
    expect(yaml).toContain("smtp_smarthost: 'h:25'")
  })

  test('those in lists, of proxies, and in URLs too', async () => {
    const { yaml } = await load(`
scrape_configs:
  - job_name: a
    proxy_url: 'http://user:hunter2@hunter2@proxy:1'
    proxy_connect_header: { X-Key: [hunter2, hunter2] }
    http_headers: { X-Key: { secrets: [hunter2], values: [public] } }
    basic_auth: { username: u, password: &p hunter2 }
    static_configs: [{ targets: ['x:1'] }]
  - { job_name: b, basic_auth: { username: u, password: *p }, static_configs: [{ targets: ['y:1'] }] }
remote_write: [{ url: 'https://user:hunter2@far:1/w?a:b@c' }]
belltower:
  alertmanager:
    global: { http_config: { proxy_url: 'http://user:hunter2@proxy:1/', http_headers: { X: { secrets: [hunter2] } } } }
    route: { receiver: r }
    receivers: [{ name: r }]
`)
    expect(yaml).not.toContain('hunter2')
    expect(yaml).toContain('http://user:xxxxx@proxy:1')
    expect(yaml).toContain('https://user:xxxxx@far:1/w?a:b@c')
    expect(yaml).toContain('values: [ public ]')
  })

  test('secrets are masked where the configuration is shown', async () => {
    const { yaml } = await load('scrape_configs: [{ job_name: a, basic_auth: { username: u, password: hunter2 } }]')
    expect(yaml).not.toContain('hunter2')
    expect(yaml).toContain('<secret>')
    expect(yaml).toContain('scrape_interval: 1m')
  })
})
