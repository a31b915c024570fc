import { statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { errorMessage, type Logger } from '../../lib/index.ts'
import { PasswordCheck } from './password-check.ts'
import { loadWebConfig, type TlsSettings, type WebConfig } from './web-config.ts'

/**
 * Stands in front of every port: TLS settings, headers, users. The files are looked at again with every connection and
 * request; a change that cannot be used is logged, and what was in force stays.
 */
export class WebGuard {
  readonly #path: string
  readonly #logger: Logger
  readonly #passwords = new PasswordCheck()
  #config: WebConfig
  #stamp: string
  #version = 1

  /** @param path of `--web.config.file`, '' = no guard at all @throws {ConfigError} */
  static forFile(path: string, logger: Logger): WebGuard | undefined {
    return path === '' ? undefined : new WebGuard(path, logger.child({ module: 'web' }))
  }

  /** @throws {ConfigError} */
  constructor(path: string, logger: Logger) {
    this.#path = path
    this.#logger = logger
    this.#config = loadWebConfig(path)
    this.#stamp = stampOf(this.#config.files)
  }

  /** As of the last look at the files. Whether there is TLS at all is settled at the start. */
  get tls(): TlsSettings | undefined {
    return this.#config.tls
  }

  get hasUsers(): boolean {
    return this.#config.users.size > 0
  }

  /** Counts the configurations, from 1: a port that has applied another one must apply this one. */
  get version(): number {
    return this.#version
  }

  /** Reads files that have changed. */
  refresh(): void {
    const stamp = stampOf(this.#config.files)
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    try {
      const next = loadWebConfig(this.#path)
      if ((next.tls === undefined) !== (this.#config.tls === undefined)) {
        this.#logger.error('TLS of a port cannot be switched on or off while the server runs')
        return
      }
      this.#config = next
      this.#version++
      this.#stamp = stampOf(next.files)
      this.#logger.info({ path: this.#path }, 'web configuration read again')
    } catch (error) {
      this.#logger.error(
        { reason: errorMessage(error) },
        'web configuration cannot be used, the previous one stays in force',
      )
    }
  }

  /** Sets headers and checks the user. @returns false when it has answered itself */
  async admit(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { headers, users } = this.#config
    for (const [name, value] of headers) response.setHeader(name, value)
    if (users.size === 0) return true
    const credentials = credentialsOf(request.headers.authorization)
    const { name, password } = credentials ?? { name: '', password: '' }
    if (await this.#passwords.check(users, name, password)) return true
    response.writeHead(401, { 'www-authenticate': 'Basic', 'content-type': 'text/plain; charset=utf-8' })
    response.end('Unauthorized\n')
    return false
  }

  /** Whether a client may speak at all, by its certificate. */
  acceptsPeer(socket: TLSSocket): boolean {
    const { tls } = this.#config
    if (tls === undefined) return true
    const peer = socket.getPeerCertificate()
    const hasCertificate = Object.keys(peer).length > 0
    if (tls.clientAuthType === 'RequireAnyClientCert' && !hasCertificate) return false
    if (tls.clientAuthType === 'VerifyClientCertIfGiven' && hasCertificate && !socket.authorized) return false
    if (tls.allowedSans.length === 0 || !hasCertificate) return true
    return subjectAltNames(peer).some((name) => tls.allowedSans.includes(name))
  }

  close(): Promise<void> {
    return this.#passwords.close()
  }
}

function credentialsOf(header: string | undefined): { name: string; password: string } | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** `DNS:a, IP Address:1.2.3.4, URI:spiffe://…` without the kinds. */
const subjectAltNames = ({ subjectaltname }: PeerCertificate): string[] =>
  (subjectaltname ?? '').split(', ').map((name) => name.replace(/^[^:]*:/, ''))

function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false })
      return stat === undefined ? 'missing' : `${stat.mtimeMs}:${stat.size}:${stat.ino}`
    })
    .join()
}
