import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, expect, test } from 'vitest'
import { createHttpClient } from '../../../lib/undici-client.ts'
import { Scenario, START_MS } from '../../test-support.ts'
import { Double } from '../test-support.ts'

interface Mail {
  readonly secure: boolean
  readonly from: string
  readonly to: string[]
  readonly raw: string
}

/** A real SMTP server on loopback with a certificate of its own; user `u`, password and shared secret `geheim`. */
class Mailbox {
  readonly mails: Mail[] = []
  readonly logins: string[] = []
  /** Recipients to refuse once, with these codes. */
  readonly refusals = new Map<string, number>()
  readonly #server: SMTPServer

  constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      logger: false,
      disableReverseLookup: true,
      authOptional: true,
      onAuth: (auth, _session, done) => {
        const proven =
          auth.password === 'geheim' ||
          auth.accessToken === 'token-1' ||
          (auth.method === 'CRAM-MD5' && auth.validatePassword?.('geheim') === true)
        if (auth.username !== 'u' || !proven) return done(new Error('Invalid username or password'))
        this.logins.push(auth.method)
        return done(null, { user: 'u' })
      },
      onRcptTo: ({ address }, _session, done) => {
        const code = this.refusals.get(address)
        if (code === undefined) return done()
        if (code < 500) this.refusals.delete(address)
        return done(Object.assign(new Error(`not now for ${address}`), { responseCode: code }))
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          this.mails.push({
            secure: session.secure,
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            raw: Buffer.concat(chunks).toString('utf8'),
          })
          done()
        })
      },
      ...options,
    })
    this.#server.on('error', () => {})
  }

  async start(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    return (this.#server.server.address() as AddressInfo).port
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

const mailboxes: Mailbox[] = []
const scenarios: Scenario[] = []
afterEach(async () => {
  await Promise.all(scenarios.splice(0).map(({ alertmanager }) => alertmanager.stop()))
  await Promise.all(mailboxes.splice(0).map((mailbox) => mailbox.stop()))
})

async function start(settings: string, options: SMTPServerOptions = {}) {
  const mailbox = new Mailbox(options)
  mailboxes.push(mailbox)
  const port = await mailbox.start()
  const scenario = await Scenario.start(`
global:
  smtp_smarthost: 127.0.0.1:${port}
  smtp_from: Belltower <bell@example.org>
  smtp_tls_config: { insecure_skip_verify: true, server_name: localhost }
route: { receiver: mail, group_by: [alertname], group_wait: 1s, group_interval: 10m }
receivers:
  - name: mail
    email_configs:
      - to: 'one@example.org, Two <two@example.org>'
        send_resolved: true
        ${settings}
`)
  scenarios.push(scenario)
  return { mailbox, scenario, port }
}

/**
 * Lets the scenario's clock go on while the mail server works in real time; ten minutes of the one, the deadline, are many
 * seconds of the other.
 */
async function until(scenario: Scenario, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 6000 && !(await done()); i++) {
    await scenario.clock.advance(100)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

async function oneEvent(scenario: Scenario) {
  await until(scenario, () => scenario.alertmanager.notifications().length > 0)
  return scenario.alertmanager.notifications()[0]!
}

/** Waits for a failed attempt, then lets the deadline pass. */
async function oneFailure(scenario: Scenario) {
  const failed = scenario.alertmanager.registry.getSingleMetric('alertmanager_notification_requests_failed_total')!
  await until(scenario, async () => (await failed.get()).values.some(({ value }) => value > 0))
  await scenario.clock.advance(600_000)
  return oneEvent(scenario)
}

const push = (scenario: Scenario) =>
  scenario.push({ name: 'Über <b>', labels: { instance: 'a&b' }, annotation: 'Grüße', startS: 0 })
const LOGIN = 'auth_username: u\n        auth_password: geheim'

/** Decodes quoted-printable. */
const plain = (raw: string): string =>
  Buffer.from(
    raw
      .replace(/=\r?\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8')

test('STARTTLS, login, one message in text and HTML to all recipients', async () => {
  const { mailbox, scenario } = await start(
    `${LOGIN}\n        headers: { Reply-To: ops@example.org, x-team: '{{ .Receiver }}' }`,
  )
  await push(scenario)
  const event = await oneEvent(scenario)
  expect(event).toMatchObject({ integration: 'email', outcome: 'delivered', error: '' })
  expect(mailbox.logins).toEqual(['PLAIN'])
  const [mail] = mailbox.mails
  expect(mail).toMatchObject({ secure: true, from: 'bell@example.org', to: ['one@example.org', 'two@example.org'] })
  const text = plain(mail!.raw)
  const header = (name: string): string => new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'm').exec(mail!.raw)?.[1] ?? ''
  expect(header('From')).toBe('Belltower <bell@example.org>')
  expect(header('Subject')).toMatch(/^=\?UTF-8\?Q\?=5BFIRING=3A1=5D_=C3=9Cber/)
  expect(header('Auto-Submitted')).toBe('auto-generated')
  expect(header('Reply-To')).toBe('ops@example.org')
  expect(header('X-Team')).toBe('mail')
  expect(header('Message-ID')).toMatch(new RegExp(`^<${START_MS + 1000}\\.[0-9a-f]{16}@`))
  expect(header('Content-Type')).toContain('multipart/alternative')
  expect(text.indexOf('text/plain')).toBeLessThan(text.indexOf('text/html'))
  expect(text).toContain('labels: alertname=Über <b>, instance=a&b')
  expect(text).toContain('Über &lt;b&gt;')
  expect(text).toContain('Grüße')
  expect(text).toContain('http://127.0.0.1:9090/alertmanager/#/alerts?receiver=mail')
})

test.each([
  ['LOGIN', LOGIN],
  ['CRAM-MD5', 'auth_username: u\n        auth_secret: geheim'],
])('the server offers only %s', async (method, settings) => {
  const { mailbox, scenario } = await start(settings, { authMethods: [method] })
  await push(scenario)
  expect(await oneEvent(scenario)).toMatchObject({ outcome: 'delivered' })
  expect(mailbox.logins).toEqual([method])
})

test('TLS from the first byte', async () => {
  const { mailbox, scenario } = await start(`${LOGIN}\n        force_implicit_tls: true`, { secure: true })
  await push(scenario)
  expect(await oneEvent(scenario)).toMatchObject({ outcome: 'delivered' })
  expect(mailbox.mails[0]!.secure).toBe(true)
})

test.each([
  [
    'a server without STARTTLS',
    '',
    { disabledCommands: ['STARTTLS'] },
    /'require_tls' is true \(default\) but "127.0.0.1" does not/,
  ],
  ['a certificate of a stranger', 'tls_config: { server_name: localhost }', {}, /certificate/],
  ['a wrong password', 'auth_username: u\n        auth_password: falsch', {}, /Invalid username or password/],
  ['no mechanism in common', LOGIN, { authMethods: ['CRAM-MD5'] }, /no usable authentication mechanism.*CRAM-MD5/],
  ['no address', 'from: nobody', {}, /"from" holds something that is no address/],
] as const)('%s shows as the reason', async (_what, settings, options, reason) => {
  const { mailbox, scenario } = await start(settings, options as unknown as SMTPServerOptions)
  await push(scenario)
  const event = await oneFailure(scenario)
  expect(event.outcome).toBe('failed')
  expect(event.error).toMatch(reason)
  expect(event.error).not.toContain('geheim')
  expect(mailbox.mails).toEqual([])
})

test('in the clear only on request', async () => {
  const { mailbox, scenario } = await start('require_tls: false')
  await push(scenario)
  expect(await oneEvent(scenario)).toMatchObject({ outcome: 'delivered' })
  expect(mailbox.mails[0]!.secure).toBe(false)
})

test('a recipient refused for now gets the message later, the others get it once', async () => {
  const { mailbox, scenario } = await start('')
  mailbox.refusals.set('two@example.org', 450)
  await push(scenario)
  expect(await oneEvent(scenario)).toMatchObject({ outcome: 'delivered', attempts: 2, error: '' })
  expect(mailbox.mails.map(({ to }) => to)).toEqual([['one@example.org'], ['two@example.org']])
})

test('a recipient refused for good is named', async () => {
  const { mailbox, scenario } = await start('')
  mailbox.refusals.set('two@example.org', 550)
  await push(scenario)
  expect(await oneEvent(scenario)).toMatchObject({
    outcome: 'delivered',
    attempts: 1,
    error: expect.stringContaining('refused recipients: two@example.org'),
  })
  expect(mailbox.mails.map(({ to }) => to)).toEqual([['one@example.org']])
})

test('messages of one group and day can be made a thread', async () => {
  const { mailbox, scenario } = await start('threading: { enabled: true, thread_by_date: daily }')
  await push(scenario)
  await oneEvent(scenario)
  const [id] = /<alert-[0-9a-f]{16}-2026-01-05@alertmanager>/.exec(mailbox.mails[0]!.raw) ?? []
  expect(mailbox.mails[0]!.raw).toContain(`In-Reply-To: ${id}`)
  expect(mailbox.mails[0]!.raw).toContain(`References: ${id}`)
})

test('XOAUTH2 with a token of an OAuth2 server', async () => {
  const server = await Double.start(({ body }) => ({
    json: body.includes('grant_type=client_credentials') ? { access_token: 'token-1', token_type: 'Bearer' } : {},
  }))
  const oauth2 = `auth_oauth2: { client_id: c, client_secret: s, token_url: '${server.url}/token', scopes: [mail] }`
  const { mailbox, scenario } = await start(`auth_username: u\n        ${oauth2}`, { authMethods: ['XOAUTH2'] })
  scenario.realHttp = createHttpClient()
  await push(scenario)
  expect(await oneEvent(scenario)).toMatchObject({ outcome: 'delivered', error: '' })
  expect(mailbox.logins).toEqual(['XOAUTH2'])
  await server.close()
})

test('a mail server that is down for an hour delays messages, and none is lost or sent twice', async () => {
  const { mailbox, scenario, port } = await start('')
  const { alertmanager, clock } = scenario
  mailboxes.splice(mailboxes.indexOf(mailbox), 1)
  await mailbox.stop()
  const pass = async (minutes: number): Promise<void> => {
    for (let i = 0; i < minutes * 6; i++) {
      await clock.advance(10_000)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  await scenario.push({ name: 'First', startS: 0, endS: 7200 }, { name: 'Over', startS: 0, endS: 7200 })
  await pass(30)
  await scenario.push({ name: 'Second', startS: 1800, endS: 9000 }, { name: 'Over', startS: 0, endS: 1800 })
  await pass(30)
  expect(alertmanager.notifications().every(({ outcome }) => outcome === 'failed')).toBe(true)
  const held = alertmanager.outgoing()
  expect(held.map(({ groupKey }) => groupKey)).toEqual(
    expect.arrayContaining(['{}:{alertname="First"}', '{}:{alertname="Second"}']),
  )
  expect(held.every(({ lastError }) => /ECONNREFUSED/.test(lastError))).toBe(true)
  const back = new Mailbox({})
  mailboxes.push(back)
  await back.start(port)
  await until(scenario, () => back.mails.length >= 2)
  await pass(15)
  const subjects = back.mails.map(({ raw }) => /^Subject: (.*)/m.exec(raw)![1]!)
  expect(subjects.filter((subject) => subject.includes('First'))).toHaveLength(1)
  expect(subjects.filter((subject) => subject.includes('Second'))).toHaveLength(1)
  // The third one was over before anybody could be told.
  expect(subjects).toHaveLength(2)
  expect(alertmanager.outgoing()).toEqual([])
})
