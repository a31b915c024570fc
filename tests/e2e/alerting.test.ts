// From a target that stops to an e-mail and an SMS, and back; then a silence by the real amtool.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'
import { hasProgram } from '../support/programs.ts'
import { startTwilioDouble, type TwilioDouble } from '../support/twilio-double.ts'

const folder = temporaryFolder()
const mails: string[] = []
let smtp: SMTPServer
let twilio: TwilioDouble
let target: Server
let targetPort: number
let server: Belltower

async function startTarget(port: number): Promise<Server> {
  const started = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end('shop_orders_total 1\n')
  })
  await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve))
  return started
}

function stopTarget(): Promise<void> {
  target.closeAllConnections()
  return new Promise((resolve) => target.close(() => resolve()))
}

beforeAll(async () => {
  smtp = new SMTPServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'bell' && password === 'tower' ? done(null, { user: username }) : done(new Error('wrong')),
    onData(stream, _session, done) {
      let text = ''
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      stream.on('end', () => {
        mails.push(text)
        done()
      })
    },
  })
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  const smtpPort = (smtp.server.address() as AddressInfo).port
  twilio = await startTwilioDouble('AC123', 'token')
  target = await startTarget(0)
  targetPort = (target.address() as AddressInfo).port
  writeFileSync(
    join(folder.path, 'rules.yml'),
    `groups:
  - name: shop
    interval: 500ms
    rules:
      - alert: ShopDown
        expr: up{job="shop"} == 0
        for: 2s
        labels: { severity: page }
        annotations: { summary: "{{ $labels.instance }} is down" }
`,
  )
  writeFileSync(
    join(folder.path, 'alertmanager.yml'),
    `global:
  smtp_smarthost: 127.0.0.1:${smtpPort}
  smtp_from: belltower@example.org
  smtp_auth_username: bell
  smtp_auth_password: tower
  smtp_require_tls: false
route: { receiver: oncall, group_by: [alertname], group_wait: 500ms, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: oncall
    email_configs: [{ to: oncall@example.org, send_resolved: true }]
    sms_configs:
      - { provider: twilio, account_sid: AC123, auth_token: token, from: "+15005550006", to: ["+15005550010"], base_url: "${twilio.url}" }
`,
  )
  writeFileSync(
    join(folder.path, 'belltower.yml'),
    `global: { scrape_interval: 500ms }
rule_files: [rules.yml]
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['127.0.0.1:${targetPort}'] }] }]
belltower: { alertmanager: alertmanager.yml }
`,
  )
  server = await startBelltower(folder.path)
})

afterAll(async () => {
  await server?.stop()
  twilio?.close()
  await stopTarget()
  await new Promise<void>((resolve) => smtp.close(() => resolve()))
  folder.remove()
})

const stateOf = async (): Promise<string | undefined> => {
  const { alerts } = await server.api<{ alerts: { state: string }[] }>('/api/v1/alerts')
  return alerts[0]?.state
}
const waitForState = (state: string) =>
  waitFor(`state ${state}`, async () => ((await stateOf()) === state ? true : undefined))

test('pending, firing, one e-mail and one SMS, then the resolved e-mail', async () => {
  await waitFor('the target to be up', async () => ((await server.query('up == 1')).length === 1 ? true : undefined))
  await stopTarget()
  await waitForState('pending')
  await waitForState('firing')
  await waitFor('the e-mail and the SMS', async () => (mails.length > 0 && twilio.sent.length > 0 ? true : undefined))
  expect(mails[0]).toMatch(/^Subject: .*FIRING.*ShopDown/m)
  expect(mails[0]).toMatch(/^To: oncall@example.org/m)
  expect(twilio.sent[0]).toMatchObject({ to: '+15005550010', from: '+15005550006' })
  expect(twilio.sent[0]?.body).toContain('ShopDown')
  expect((await server.query('ALERTS{alertstate="firing"}'))[0]?.value).toBe('1')

  target = await startTarget(targetPort)
  await waitFor('the resolved e-mail', async () => (mails.length >= 2 ? true : undefined))
  expect(mails[1]).toMatch(/^Subject: .*RESOLVED.*ShopDown/m)
  expect(mails.filter((mail) => /^Subject: .*FIRING/m.test(mail))).toHaveLength(1)
  expect(twilio.sent.filter((sms) => sms.body.includes('FIRING'))).toHaveLength(1)
})

test.skipIf(!hasProgram('amtool'))('a silence made with amtool stops the next one', async () => {
  const amtool = (...args: string[]): string =>
    execFileSync('amtool', [`--alertmanager.url=${server.url}/alertmanager`, ...args], { encoding: 'utf8' })
  const id = amtool('silence', 'add', 'alertname=ShopDown', '--author=me', '--comment=works', '--duration=1h').trim()
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
  const [mailsBefore, smsBefore] = [mails.length, twilio.sent.length]
  await stopTarget()
  await waitForState('firing')
  await waitFor('the alert to be suppressed', async () =>
    amtool('alert', 'query', '--silenced', '-o', 'json').includes('ShopDown') ? true : undefined,
  )
  // Several group intervals pass.
  await new Promise((resolve) => setTimeout(resolve, 4000))
  expect([mails.length, twilio.sent.length]).toEqual([mailsBefore, smsBefore])

  amtool('silence', 'expire', id)
  await waitFor('the page after the silence', async () => (mails.length > mailsBefore ? true : undefined))
  target = await startTarget(targetPort)
})
