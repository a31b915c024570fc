import { createHmac } from 'node:crypto'
import type { SMTPTransportOptions } from 'nodemailer'

export interface SmtpCredentials {
  readonly username: string
  readonly password: string | undefined
  /** Shared secret of CRAM-MD5. */
  readonly secret: string | undefined
  /** Whom to act as, for PLAIN. */
  readonly identity: string
  /** Of an OAuth2 server, for XOAUTH2. */
  readonly accessToken: string | undefined
}

type CustomAuth = NonNullable<SMTPTransportOptions['customAuth']>
type Context = Parameters<CustomAuth[string]>[0]

const METHOD = 'BELLTOWER'

/**
 * Transport options that log in with the first mechanism that the server offers and the credentials allow.
 *
 * @param encrypted false keeps PLAIN away from the wire
 */
export function smtpAuth(credentials: SmtpCredentials, encrypted: boolean): Partial<SMTPTransportOptions> {
  return {
    auth: { user: credentials.username, method: METHOD },
    customAuth: { [METHOD]: (context: Context) => logIn(context, credentials, encrypted) },
  }
}

async function logIn(context: Context, credentials: SmtpCredentials, encrypted: boolean): Promise<void> {
  for (const mechanism of context.authMethods.map((name) => name.toUpperCase())) {
    if (mechanism === 'XOAUTH2' && credentials.accessToken !== undefined && encrypted)
      return xoauth2(context, credentials.username, credentials.accessToken)
    if (mechanism === 'CRAM-MD5' && credentials.secret !== undefined)
      return cramMd5(context, credentials.username, credentials.secret)
    if (mechanism === 'PLAIN' && credentials.password !== undefined && encrypted)
      return plain(context, credentials, credentials.password)
    if (mechanism === 'LOGIN' && credentials.password !== undefined)
      return login(context, credentials.username, credentials.password)
  }
  const offered = context.authMethods.join(', ') || 'none'
  const hint = encrypted ? '' : '; PLAIN and XOAUTH2 are not used on a connection without TLS'
  throw new Error(`no usable authentication mechanism, the server offers: ${offered}${hint}`)
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

async function plain(context: Context, credentials: SmtpCredentials, password: string): Promise<void> {
  const { identity, username } = credentials
  await expect(context, `AUTH PLAIN ${base64(`${identity}\0${username}\0${password}`)}`, 235)
}

async function login(context: Context, username: string, password: string): Promise<void> {
  await expect(context, 'AUTH LOGIN', 334)
  await expect(context, base64(username), 334)
  await expect(context, base64(password), 235)
}

async function xoauth2(context: Context, username: string, token: string): Promise<void> {
  const answer = await context.sendCommand(`AUTH XOAUTH2 ${base64(`user=${username}\x01auth=Bearer ${token}\x01\x01`)}`)
  if (answer.status === 235) return
  // A refusal comes as a challenge that tells why; an empty line ends it.
  const why = answer.status === 334 ? Buffer.from(answer.text, 'base64').toString('utf8') : answer.response
  if (answer.status === 334) await context.sendCommand('')
  throw new Error(`authentication failed: ${why}`)
}

async function cramMd5(context: Context, username: string, secret: string): Promise<void> {
  const challenge = Buffer.from(await expect(context, 'AUTH CRAM-MD5', 334), 'base64')
  const digest = createHmac('md5', secret).update(challenge).digest('hex')
  await expect(context, base64(`${username} ${digest}`), 235)
}

/** Sends one line and gives back what the server said, less its code. */
async function expect(context: Context, command: string, status: number): Promise<string> {
  const answer = await context.sendCommand(command)
  if (answer.status !== status) throw new Error(`authentication failed: ${answer.response}`)
  return answer.text
}
