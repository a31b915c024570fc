import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createHttpClient } from '../../../lib/undici-client.ts'
import { Scenario } from '../../test-support.ts'
import { cutText, smsSize } from './segments.ts'

/** Speaks Twilio's Messages resource: checks what the service checks and keeps what it accepts. */
class TwilioDouble {
  readonly accepted: { to: string; body: string; sender: string; sid: string }[] = []
  readonly attempts: string[] = []
  /** Answers to give before it behaves. */
  readonly moods: { status: number; body: unknown; headers?: Record<string, string> }[] = []
  readonly #server: Server
  url = ''

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const fields = new URLSearchParams(Buffer.concat(chunks).toString())
        const { status, body, headers = {} } = this.#answer(request.method, request.url, request.headers, fields)
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(typeof body === 'string' ? body : JSON.stringify(body))
      })
    })
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(
    method: string | undefined,
    url: string | undefined,
    headers: Record<string, unknown>,
    fields: URLSearchParams,
  ): { status: number; body: unknown; headers?: Record<string, string> } {
    const refuse = (status: number, code: number, message: string) => ({ status, body: { code, message, status } })
    if (method !== 'POST' || url !== '/2010-04-01/Accounts/AC123/Messages.json') return refuse(404, 20404, 'not found')
    if (headers['content-type'] !== 'application/x-www-form-urlencoded') return refuse(400, 20001, 'content type')
    if (headers['authorization'] !== `Basic ${Buffer.from('AC123:geheim').toString('base64')}`)
      return refuse(401, 20003, 'Authenticate')
    const to = fields.get('To') ?? ''
    this.attempts.push(to)
    const mood = this.moods.shift()
    if (mood) return mood
    if (!/^\+[1-9]\d{6,14}$/.test(to)) return refuse(400, 21211, `The 'To' number ${to} is not a valid phone number.`)
    const sender = fields.get('From') ?? fields.get('MessagingServiceSid')
    if (!sender) return refuse(400, 21603, "A 'From' phone number is required.")
    const body = fields.get('Body') ?? ''
    if (body === '') return refuse(400, 21602, 'Message body is required.')
    if (body.length > 1600) return refuse(400, 21617, 'The message body exceeds the 1600 character limit.')
    const sid = `SM${String(this.accepted.length).padStart(32, '0')}`
    this.accepted.push({ to, body, sender, sid })
    return { status: 201, body: { sid, status: 'queued', to, body, error_code: null } }
  }
}

const doubles: TwilioDouble[] = []
afterEach(async () => {
  await Promise.all(doubles.splice(0).map((double) => double.stop()))
})

async function start(to: string[], settings = ''): Promise<{ twilio: TwilioDouble; scenario: Scenario }> {
  const twilio = new TwilioDouble()
  doubles.push(twilio)
  await twilio.start()
  const scenario = await Scenario.start(
    `
route: { receiver: oncall, group_by: [team], group_wait: 1s, group_interval: 10m }
receivers:
  - name: oncall
    sms_configs:
      - provider: twilio
        account_sid: AC123
        auth_token: geheim
        from: '+15550100'
        to: ${JSON.stringify(to)}
        base_url: ${twilio.url}
        ${settings}
`,
    { httpClientFactory: (config) => createHttpClient(config) },
  )
  return { twilio, scenario }
}

/** Lets the clock go on while the other side, which lives in real time, answers. */
async function until(scenario: Scenario, done: () => boolean): Promise<void> {
  for (let i = 0; i < 6000 && !done(); i++) {
    await scenario.clock.advance(100)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
const ended = (scenario: Scenario, count: number) => () => scenario.alertmanager.notifications().length >= count

describe('Twilio', () => {
  test('one short message for the group to each number, most specific first', async () => {
    const { twilio, scenario } = await start(['+15550001', '+15550002'])
    await scenario.push({ name: 'Slow', labels: { instance: 'eu1' } }, { name: 'Slow', labels: { instance: 'eu2' } })
    await until(scenario, ended(scenario, 1))
    const body = '[FIRING:2] Slow eu1 (+1)'
    expect(twilio.accepted.map(({ to, body, sender }) => ({ to, body, sender }))).toEqual([
      { to: '+15550001', body, sender: '+15550100' },
      { to: '+15550002', body, sender: '+15550100' },
    ])
    const [event] = scenario.alertmanager.notifications()
    expect(event).toMatchObject({ integration: 'sms', outcome: 'delivered', error: '' })
    expect(event!.detail).toBe(`${twilio.accepted.map(({ sid }) => sid).join(', ')} (1 segment GSM-7)`)
    await scenario.push({ name: 'Slow', labels: { instance: 'eu1' }, endS: 0 })
    await scenario.push({ name: 'Slow', labels: { instance: 'eu2' }, endS: 0 })
    await scenario.until(600)
    await until(scenario, ended(scenario, 2))
    expect(twilio.accepted[2]!.body).toBe('[RESOLVED] Slow eu1 (+1)')
    await scenario.alertmanager.stop()
  })

  test('throttling, trouble and a page that is no answer are tried again; whoever was reached is not', async () => {
    const { twilio, scenario } = await start(['+15550001', '+15550002'])
    twilio.moods.push(
      { status: 429, body: { code: 20429, message: 'Too Many Requests' }, headers: { 'retry-after': '3' } },
      { status: 500, body: 'oops' },
      { status: 200, body: '<html>welcome to the hotel</html>' },
    )
    await scenario.push({ name: 'Down' })
    await until(scenario, ended(scenario, 1))
    expect(twilio.attempts).toEqual(['+15550001', '+15550002', '+15550001', '+15550002', '+15550001'])
    expect(twilio.accepted.map(({ to }) => to)).toEqual(['+15550002', '+15550001'])
    expect(scenario.alertmanager.notifications()).toMatchObject([{ outcome: 'delivered', attempts: 3 }])
    await scenario.alertmanager.stop()
  })

  test('a wrong number is named, and does not keep the others from their one message', async () => {
    const { twilio, scenario } = await start(['12', '+15550002'])
    await scenario.push({ name: 'Down', endS: 86_400 })
    await until(scenario, ended(scenario, 1))
    await scenario.until(900)
    expect(twilio.attempts).toEqual(['12', '+15550002'])
    expect(scenario.alertmanager.notifications()).toMatchObject([
      { outcome: 'delivered', error: expect.stringContaining("12: unexpected status code 400: The 'To' number 12 is") },
    ])
    await scenario.alertmanager.stop()
  })

  test('bad credentials are final for the flush, and do not show', async () => {
    const { twilio, scenario } = await start(['+15550001'], "text: 'x'\n        http_config: {}")
    twilio.moods.push({ status: 401, body: { code: 20003, message: 'Authenticate' } })
    await scenario.push({ name: 'Down' })
    await until(scenario, ended(scenario, 1))
    const [event] = scenario.alertmanager.notifications()
    expect(event).toMatchObject({ outcome: 'failed', attempts: 1 })
    expect(event!.error).toBe('+15550001: unexpected status code 401: Authenticate (code 20003)')
    const failed = await scenario.alertmanager.registry.metrics()
    expect(failed).toContain('alertmanager_notifications_failed_total{integration="sms",reason="authError"} 1')
    await scenario.alertmanager.stop()
  })
})

describe('text', () => {
  test.each([
    ['a'.repeat(160), 'GSM-7', 1],
    ['a'.repeat(161), 'GSM-7', 2],
    ['a'.repeat(306), 'GSM-7', 2],
    ['a'.repeat(307), 'GSM-7', 3],
    ['€'.repeat(80), 'GSM-7', 1],
    ['[]'.repeat(41), 'GSM-7', 2],
    ['п'.repeat(70), 'UCS-2', 1],
    ['п'.repeat(71), 'UCS-2', 2],
    ['🙂'.repeat(35), 'UCS-2', 1],
    ['🙂'.repeat(36), 'UCS-2', 2],
  ] as const)('%s: %s, %i', (text, encoding, segments) => {
    expect(smsSize(text)).toEqual({ encoding, segments })
  })

  test('is cut between characters', () => {
    expect(cutText('🙂🙂🙂🙂🙂', 4)).toBe('🙂...')
    expect(cutText('abc', 3)).toBe('abc')
  })
})
