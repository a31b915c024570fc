import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError } from '../../lib/yaml-config.ts'
import { type LoadedConfig, loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'belltower-remote-'))

function load(text: string): Promise<LoadedConfig> {
  const path = join(folder, 'prometheus.yml')
  writeFileSync(path, text)
  return loadConfig({ path, alertmanagerPath: '', env: {} })
}

async function faultsOf(text: string): Promise<string> {
  const error: unknown = await load(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ConfigError) return error.faults.join('\n')
  throw new Error('the configuration was accepted')
}

test('remote_write: defaults', async () => {
  const { remoteWrite } = await load('remote_write: [{ url: "http://far/write" }]')
  expect(remoteWrite).toEqual([
    {
      url: 'http://far/write',
      name: '',
      protobufMessage: 'prometheus.WriteRequest',
      remoteTimeoutMs: 30_000,
      headers: {},
      writeRelabelConfigs: [],
      sendExemplars: false,
      sendNativeHistograms: false,
      roundRobinDns: false,
      http: {},
      sigv4: undefined,
      azureAd: undefined,
      googleIam: undefined,
      queue: {
        capacity: 10_000,
        minShards: 1,
        maxShards: 50,
        maxSamplesPerSend: 2000,
        batchSendDeadlineMs: 5000,
        minBackoffMs: 30,
        maxBackoffMs: 5000,
        retryOnHttp429: false,
        sampleAgeLimitMs: 0,
      },
      metadata: { send: true, sendIntervalMs: 60_000, maxSamplesPerSend: 2000 },
    },
  ])
})

test('remote_write: every key, paths relative to the file', async () => {
  const { remoteWrite } = await load(`
remote_write:
  - url: https://far/write
    name: far
    protobuf_message: io.prometheus.write.v2.Request
    remote_timeout: 10s
    headers: { X-Scope-OrgID: me }
    write_relabel_configs: [{ source_labels: [__name__], regex: 'go_.*', action: drop }]
    send_exemplars: true
    send_native_histograms: true
    round_robin_dns: true
    tls_config: { ca_file: ca.pem }
    basic_auth: { username: u, password_file: secret }
    queue_config: { capacity: 5, max_shards: 2, min_shards: 2, max_samples_per_send: 3, batch_send_deadline: 1s,
      min_backoff: 1s, max_backoff: 2s, retry_on_http_429: true, sample_age_limit: 1h }
    metadata_config: { send: false, send_interval: 2m, max_samples_per_send: 7 }
  - url: https://aws/write
    sigv4: { region: eu-west-1, access_key: a, secret_key: s, profile: p, role_arn: r, external_id: e }
  - url: https://azure/write
    azuread: { cloud: AzureChina, workload_identity: { client_id: 00000000-0000-0000-0000-000000000001, tenant_id: t } }
  - url: https://google/write
    google_iam: { credentials_file: key.json }
`)
  const [far, aws, azure, google] = remoteWrite
  expect(far).toMatchObject({
    name: 'far',
    protobufMessage: 'io.prometheus.write.v2.Request',
    remoteTimeoutMs: 10_000,
    headers: { 'X-Scope-OrgID': 'me' },
    writeRelabelConfigs: [{ regex: 'go_.*', action: 'drop' }],
    sendExemplars: true,
    roundRobinDns: true,
    http: { tls: { caFile: join(folder, 'ca.pem') }, basicAuth: { passwordFile: join(folder, 'secret') } },
    queue: { capacity: 5, minShards: 2, maxBackoffMs: 2000, retryOnHttp429: true, sampleAgeLimitMs: 3_600_000 },
    metadata: { send: false, sendIntervalMs: 120_000, maxSamplesPerSend: 7 },
  })
  expect(aws!.sigv4).toEqual({
    region: 'eu-west-1',
    accessKey: 'a',
    secretKey: 's',
    profile: 'p',
    roleArn: 'r',
    externalId: 'e',
  })
  expect(azure!.azureAd).toMatchObject({
    cloud: 'AzureChina',
    workloadIdentity: { tenantId: 't', tokenFile: undefined },
  })
  expect(google!.googleIam).toEqual({ credentialsFile: join(folder, 'key.json') })
})

test.each([
  ['sigv4: {}, basic_auth: { username: u, password: p }', 'Currently configured: basic_auth, sigv4'],
  ['sigv4: { access_key: a }', 'must provide a AWS SigV4 Access key and Secret Key'],
  ['sigv4: { external_id: a }', 'external_id can only be used with role_arn'],
  ['azuread: {}', 'must provide an Azure AD way to authenticate'],
  ['azuread: { sdk: {}, managed_identity: {} }', 'cannot provide both managed_identity and sdk'],
  ['google_iam: {}', 'credentials_file cannot be empty'],
  ['headers: { User-Agent: me }', 'User-Agent is a reserved header'],
  ['queue_config: { capacity: 1, nope: 1 }', 'remote_write.0.queue_config.nope: unknown key'],
])('remote_write: { %s } is refused', async (keys, why) => {
  const faults = await faultsOf(`remote_write: [{ url: "http://far", ${keys} }]`)
  expect(faults).toContain(why)
  expect(faults).toMatch(/prometheus\.yml:1:\d+: remote_write\.0/)
})

test('remote_read', async () => {
  const { remoteRead } = await load(`
remote_read:
  - { url: 'http://far/read', name: far, read_recent: true, required_matchers: { job: special }, remote_timeout: 5s }
  - { url: 'http://far/read', filter_external_labels: false, headers: { a: b } }
`)
  expect(remoteRead).toEqual([
    {
      url: 'http://far/read',
      name: 'far',
      requiredMatchers: { job: 'special' },
      remoteTimeoutMs: 5000,
      headers: {},
      readRecent: true,
      filterExternalLabels: true,
      http: {},
    },
    expect.objectContaining({ remoteTimeoutMs: 60_000, filterExternalLabels: false, headers: { a: 'b' } }),
  ])
})

test('otlp: defaults, and names without the blanks around them', async () => {
  expect((await load('')).otlp).toEqual({
    promoteResourceAttributes: [],
    promoteAllResourceAttributes: false,
    ignoreResourceAttributes: [],
    translationStrategy: 'UnderscoreEscapingWithSuffixes',
    keepIdentifyingResourceAttributes: false,
    convertHistogramsToNhcb: false,
    promoteScopeMetadata: false,
    labelNameUnderscoreSanitization: true,
    labelNamePreserveMultipleUnderscores: true,
  })
  const { otlp } = await load(
    'otlp: { promote_resource_attributes: [" k8s.job.name "], translation_strategy: NoTranslation }',
  )
  expect(otlp).toMatchObject({ promoteResourceAttributes: ['k8s.job.name'], translationStrategy: 'NoTranslation' })
  expect(await faultsOf('otlp: { promote_resource_attributes: [a, " a"] }')).toContain(
    ':1:42: otlp.promote_resource_attributes.1: duplicated promoted OTel resource attribute "a"',
  )
})
