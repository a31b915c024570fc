// Verdicts on outside configuration files: a name with `bad` must be refused, all others load; and what is said of those that
// are refused.
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
const REFUSED_TOO = new Set([
  'config_with_deprecated_am_api_config.yml',
  'otlp_allow_utf8.incompatible.yml',
  'otlp_no_translation.incompatible.yml',
])
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

/** What users find when they look a refusal up. */
const MESSAGES: Readonly<Record<string, string>> = {
  azure_authentication_method:
    'unknown authentication_type "invalid". Supported types are "OAuth", "ManagedIdentity", "SDK" or "WorkloadIdentity"',
  azure_client_id_missing: 'azure SD configuration requires a client_id',
  azure_client_secret_missing: 'azure SD configuration requires a client_secret',
  azure_subscription_id_missing: 'azure SD configuration requires a subscription_id',
  azure_tenant_id_missing: 'azure SD configuration requires a tenant_id',
  eureka_invalid_server: 'invalid eureka server URL',
  eureka_no_server: 'empty or null eureka server',
  marathon_authtoken_authorization: 'at most one of auth_token, auth_token_file & authorization must be configured',
  marathon_authtoken_authtokenfile: 'at most one of auth_token & auth_token_file must be configured',
  marathon_authtoken_basicauth: 'at most one of basic_auth, auth_token & auth_token_file must be configured',
  marathon_no_servers: 'marathon_sd: must contain at least one Marathon server',
  oci_authentication_method: 'oci_sd: unknown auth method "invalid", expected "api_key" or "instance_principal"',
  openstack_availability: 'unknown availability invalid, must be one of admin, internal or public',
  openstack_role: 'unknown OpenStack SD role',
  outscale_no_region: 'outscale SD configuration requires a region',
  outscale_no_secret: 'one of secret_key & secret_key_file must be configured',
  outscale_two_secrets: 'at most one of secret_key & secret_key_file must be configured',
  ovhcloud_bad_service: 'unknown service: fakeservice',
  ovhcloud_no_secret: 'application secret can not be empty',
  remote_read_dup: 'found multiple remote read configs with job name "queue1"',
  remote_read_header: 'x-prometheus-remote-write-version is a reserved header. It must not be changed',
  remote_read_url_missing: 'url for remote_read is empty',
  remote_write_authorization_header:
    'authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter',
  remote_write_dup: 'found multiple remote write configs with job name "queue1"',
  remote_write_header: 'x-prometheus-remote-write-version is a reserved header. It must not be changed',
  remote_write_queue_capacity_zero: 'remote write queue capacity must be positive',
  remote_write_queue_max_backoff_less_than_min: 'remote write queue max_backoff must not be less than min_backoff',
  remote_write_queue_max_samples_per_send_zero: 'remote write queue max_samples_per_send must be positive',
  remote_write_queue_max_shards_zero: 'remote write queue max_shards must be positive',
  remote_write_queue_min_shards_greater_than_max: 'remote write queue min_shards must not be greater than max_shards',
  remote_write_queue_min_shards_zero: 'remote write queue min_shards must be positive',
  remote_write_url_missing: 'url for remote_write is empty',
  remote_write_wrong_msg:
    'invalid protobuf_message value: unknown type for remote write protobuf message io.prometheus.writet.v2.Request, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request',
  scaleway_no_secret: 'one of secret_key & secret_key_file must be configured',
  scaleway_role: 'unknown role "invalid"',
  scaleway_two_secrets: 'at most one of secret_key & secret_key_file must be configured',
  stackit_endpoint: 'invalid endpoint',
  tracing_invalid_authorization_header: 'authorization header configuration is not yet supported',
  tracing_invalid_compression: 'invalid compression type foo provided, valid options: gzip',
  tracing_invalid_header: 'x-prometheus-remote-write-version is a reserved header. It must not be changed',
  tracing_missing_endpoint: 'tracing endpoint must be set',
  tsdb_retention_percentage: "'storage.tsdb.retention.percentage' must be in the range [0, 100]",
  tsdb_retention_percentage_negative: "'storage.tsdb.retention.percentage' must be in the range [0, 100]",
  uyuni_no_server: 'Uyuni SD configuration requires server host',
}

describe.skipIf(!existsSync(folder))('outside configuration files', () => {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.yml')) : []

  test('there are some', () => expect(files.length).toBeGreaterThan(100))

  test.each(files.filter(isBad))('%s is refused', async (name) => {
    expect(await faultsOf(name)).not.toEqual([])
  })

  test.each(files.filter((name) => !isBad(name)))('%s is accepted', async (name) => {
    expect(await faultsOf(name)).toEqual([])
  })

  test.each(Object.entries(MESSAGES))('%s is refused in known words', async (name, message) => {
    expect((await faultsOf(`${name}.bad.yml`)).join('\n')).toContain(message)
  })
})
