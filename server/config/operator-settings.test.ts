import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError } from '../../lib/yaml-config.ts'
import { type LoadedConfig, loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'belltower-operator-'))

function load(text: string): Promise<LoadedConfig> {
  const path = join(folder, 'prometheus.yml')
  writeFileSync(path, text)
  return loadConfig({ path, alertmanagerPath: '', env: {} })
}

test('the section says how the cluster is reached and what is read', async () => {
  const { operator } = await load(`
belltower:
  operator:
    api_server: https://cluster:6443
    bearer_token_file: token
    tls_config: { ca_file: ca.pem }
    namespaces: [shop]
    kinds: [ServiceMonitor, PrometheusRule]
    service_monitor_selector: 'team in (front,back)'
    service_discovery_role: EndpointSlice
`)
  expect(operator!.config).toMatchObject({
    apiServer: 'https://cluster:6443',
    http: {
      authorization: { type: 'Bearer', credentialsFile: join(folder, 'token') },
      tls: { caFile: join(folder, 'ca.pem') },
    },
    namespaces: ['shop'],
    kinds: { ServiceMonitor: 'team in (front,back)', PrometheusRule: '' },
    endpointRole: 'endpointslice',
  })
  expect(operator!.config.access).toEqual({
    api_server: 'https://cluster:6443',
    bearer_token_file: 'token',
    tls_config: { ca_file: 'ca.pem' },
  })
  expect((await load('')).operator).toBeUndefined()
})

test('objects are checked as jobs and rules of the file; those with a fault are left out', async () => {
  const { operator } = await load(`
global: { scrape_interval: 20s, sample_limit: 5 }
scrape_configs: [{ job_name: taken }]
belltower: { operator: { api_server: 'https://cluster' } }
`)
  const { scrapeConfigs, ruleGroups, faults } = operator!.read({
    jobs: [
      {
        job_name: 'serviceMonitor/shop/web/0',
        kubernetes_sd_configs: [{ role: 'endpoints', ...operator!.config.access, tls_config: { ca_file: 'ca.pem' } }],
      },
      { job_name: 'slow', scrape_timeout: '30s' },
      { job_name: 'wrong', relabel_configs: [{ action: 'keep', source_labels: ['a'], regex: '(' }] },
      { job_name: 'taken' },
    ],
    ruleFiles: [
      { name: 'good.yaml', groups: [{ name: 'g', interval: '1m', rules: [{ record: 'a:b', expr: 'sum(up)' }] }] },
      { name: 'bad.yaml', groups: [{ name: 'g', rules: [{ record: 'a:b', expr: 'sum(' }] }] },
    ],
  })
  expect(scrapeConfigs).toHaveLength(1)
  expect(scrapeConfigs[0]).toMatchObject({
    jobName: 'serviceMonitor/shop/web/0',
    scrapeIntervalMs: 20_000,
    sampleLimit: 5,
    discoveries: [
      { kind: 'kubernetes', apiServer: 'https://cluster', http: { tls: { caFile: join(folder, 'ca.pem') } } },
    ],
  })
  expect(ruleGroups).toMatchObject([{ name: 'g', file: 'good.yaml' }])
  expect(faults).toEqual([
    expect.stringMatching(/^slow: scrape timeout greater than scrape interval/),
    expect.stringMatching(/^wrong: relabel_configs\.0\.regex: /),
    'taken: a job of that name exists already',
    expect.stringMatching(/^bad\.yaml:.*parse error/),
  ])
})

test.each([
  ["{ api_server: 'https://a', kubeconfig_file: b }", 'kubeconfig_file'],
  ['{ bearer_token: b }', "please provide the 'api_server' URL explicitly"],
  ["{ rule_selector: 'a in (' }", 'invalid label selector'],
  ['{ kinds: [Prometheus] }', 'kinds.0'],
])('operator: %s is refused', async (section, why) => {
  const error: unknown = await load(`belltower: { operator: ${section} }`).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).faults.join()).toContain(why)
})
