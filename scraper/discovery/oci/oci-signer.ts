import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { HttpClient } from '../../../lib/index.ts'
import { askJson, askText, DiscoveryError } from '../poll.ts'
import { secretText } from '../secret-file.ts'
import type { OciSdConfig } from './config.ts'

const METADATA_URL = 'http://169.254.169.254/opc/v2'
// The token of an instance says when it ends; it is renewed this long before.
const EXPIRY_MARGIN_MS = 300_000

/** Whom a signature is of. */
export interface OciIdentity {
  readonly keyId: string
  readonly key: KeyObject
  readonly tenancy: string
  /** Unix milliseconds. */
  readonly endsAtMs: number
}

/** The headers of a signed request (HTTP signatures, draft 8, RSA-SHA256). @param body of a POST */
export function signedHeaders(
  identity: Pick<OciIdentity, 'keyId' | 'key'>,
  method: 'GET' | 'POST',
  url: string,
  nowMs: number,
  body?: string,
): Record<string, string> {
  const { host, pathname, search } = new URL(url)
  const signed: Record<string, string> = {
    date: new Date(nowMs).toUTCString(),
    '(request-target)': `${method.toLowerCase()} ${pathname}${search}`,
    host,
  }
  if (body !== undefined) {
    signed['content-length'] = String(Buffer.byteLength(body))
    signed['content-type'] = 'application/json'
    signed['x-content-sha256'] = createHash('sha256').update(body).digest('base64')
  }
  const text = Object.entries(signed)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
  const signature = sign('RSA-SHA256', Buffer.from(text), identity.key).toString('base64')
  const { '(request-target)': _target, host: _host, 'content-length': _length, ...headers } = signed
  return {
    ...headers,
    authorization: `Signature version="1",keyId="${identity.keyId}",algorithm="rsa-sha256",headers="${Object.keys(signed).join(' ')}",signature="${signature}"`,
  }
}

/** A user's key. @throws {DiscoveryError} where it cannot be read */
export async function apiKeyIdentity(config: OciSdConfig): Promise<OciIdentity> {
  const { tenancy = '', user = '', fingerprint = '', keyFile = '' } = config
  const passphrase = await secretText(config.keyPassphrase, config.keyPassphraseFile)
  try {
    const key = createPrivateKey({ key: await readFile(keyFile, 'utf8'), ...(passphrase !== '' && { passphrase }) })
    return { keyId: `${tenancy}/${user}/${fingerprint}`, key, tenancy, endsAtMs: Number.POSITIVE_INFINITY }
  } catch (cause) {
    throw new DiscoveryError(`the key of the OCI user in ${keyFile} cannot be used`, { cause })
  }
}

/** The account of the instance this runs on: its certificate is exchanged for a token. @throws {DiscoveryError} */
export async function instanceIdentity(
  client: HttpClient,
  config: OciSdConfig,
  options: { readonly authUrl: string; readonly nowMs: number; readonly timeoutMs: number },
): Promise<OciIdentity> {
  const { authUrl, nowMs, timeoutMs } = options
  const read = async (name: string): Promise<string> => {
    const url = `${config.metadataUrl ?? METADATA_URL}/identity/${name}`
    return (await askText(client, { url, headers: { authorization: 'Bearer Oracle' }, timeoutMs })).text
  }
  const [certificate, leafKey, intermediate] = [
    await read('cert.pem'),
    await read('key.pem'),
    await read('intermediate.pem'),
  ]
  const { subject, fingerprint } = new X509Certificate(certificate)
  const tenancy = /opc-tenant:(\S+)/.exec(subject)?.[1] ?? /opc-identity:(\S+)/.exec(subject)?.[1]
  if (tenancy === undefined) throw new DiscoveryError('the certificate of this OCI instance names no tenancy')
  const session = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const body = JSON.stringify({
    certificate: bare(certificate),
    publicKey: bare(session.publicKey.export({ type: 'spki', format: 'pem' }) as string),
    intermediateCertificates: [bare(intermediate)],
  })
  const url = `${authUrl}/v1/x509`
  const leaf = { keyId: `${tenancy}/fed-x509/${fingerprint}`, key: createPrivateKey(leafKey) }
  const headers = signedHeaders(leaf, 'POST', url, nowMs, body)
  const { token } = (await askJson(client, { url, method: 'POST', headers, body, timeoutMs })).value as {
    token: string
  }
  return { keyId: `ST$${token}`, key: session.privateKey, tenancy, endsAtMs: endOf(token) - EXPIRY_MARGIN_MS }
}

/** PEM without its frame. */
const bare = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, '')

function endOf(token: string): number {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: number }
    return (claims.exp ?? 0) * 1000
  } catch {
    // Used once, then asked for anew.
    return 0
  }
}
