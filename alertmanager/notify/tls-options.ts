import type { ConnectionOptions } from 'node:tls'
import type { TlsYaml } from '../config/http-config.ts'
import { readSecretVerbatim } from './secret.ts'
import { secretOf } from './service.ts'

const VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const

/** A `tls_config` for a connection that is not HTTP. Files are read each time, so that rotated ones need no reload. */
export async function tlsOptions(tls: TlsYaml): Promise<ConnectionOptions> {
  const read = async (name: string): Promise<string | undefined> => {
    const secret = secretOf(tls, name)
    return secret && readSecretVerbatim(secret)
  }
  const [ca, cert, key] = await Promise.all([read('ca'), read('cert'), read('key')])
  return {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls.min_version && { minVersion: VERSIONS[tls.min_version] }),
    ...(tls.max_version && { maxVersion: VERSIONS[tls.max_version] }),
  }
}
