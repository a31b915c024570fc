import { readFile } from 'node:fs/promises'
import type { DetailedPeerCertificate, PeerCertificate, SecureVersion, TLSSocket } from 'node:tls'
import type { ProbeTls } from './config-keys.ts'
import type { ProbeResult } from './probe-page.ts'

export const TLS_VERSIONS = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Record<string, SecureVersion>

/** Options of a TLS connection; files are read anew for each probe. */
export async function tlsOptions(tls: ProbeTls | undefined, serverName: string) {
  const file = async (text: string | undefined, path: string | undefined) =>
    path === undefined ? text : readFile(path)
  const [ca, cert, key] = await Promise.all([
    file(tls?.ca, tls?.ca_file),
    file(tls?.cert, tls?.cert_file),
    file(tls?.key, tls?.key_file),
  ])
  const name = tls?.server_name ?? serverName
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(/[a-z]/i.test(name) && !name.includes(':') && { servername: name }),
    rejectUnauthorized: tls?.insecure_skip_verify !== true,
    ...(tls?.min_version && { minVersion: TLS_VERSIONS[tls.min_version] }),
    ...(tls?.max_version && { maxVersion: TLS_VERSIONS[tls.max_version] }),
  }
}

/** What a connection says about its certificates, protocol and cipher. */
export function addTlsMetrics(socket: TLSSocket, result: ProbeResult): void {
  const chain = chainOf(socket.getPeerCertificate(true))
  const expiries = chain.map((certificate) => Date.parse(certificate.valid_to) / 1000)
  const [leaf] = chain
  if (leaf) {
    const earliest = Math.min(...expiries)
    result.set(
      'probe_ssl_earliest_cert_expiry',
      'When the first certificate of the chain expires, Unix seconds.',
      earliest,
    )
    result.set(
      'probe_ssl_last_chain_expiry_timestamp_seconds',
      'When the chain of certificates that holds longest expires, Unix seconds.',
      socket.authorized ? earliest : -62135596800,
    )
    result.set('probe_ssl_last_chain_info', 'What the server certificate says.', 1, {
      fingerprint_sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
      subject: nameText(leaf.subject),
      issuer: nameText(leaf.issuer),
      subjectalternative: (leaf.subjectaltname ?? '').replace(/(DNS|IP Address|URI|email):/g, '').replaceAll(', ', ','),
      serialnumber: leaf.serialNumber.toLowerCase(),
    })
  }
  const version = (socket.getProtocol() ?? '').replace(/^TLSv1$/, 'TLS 1.0').replace('TLSv', 'TLS ')
  result.set('probe_tls_version_info', 'Version of TLS that was used.', 1, { version })
  const cipher = socket.getCipher()
  result.set('probe_tls_cipher_info', 'Cipher that was used.', 1, { cipher: cipher.standardName ?? cipher.name })
}

/** From the server's certificate up to the last one known; a root refers to itself. */
function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  for (let at: DetailedPeerCertificate | undefined = leaf; at?.fingerprint256; at = at.issuerCertificate) {
    if (chain.some(({ fingerprint256 }) => fingerprint256 === at!.fingerprint256)) break
    chain.push(at)
  }
  return chain
}

const nameText = (name: PeerCertificate['subject']): string =>
  Object.entries(name)
    .reverse()
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',')
