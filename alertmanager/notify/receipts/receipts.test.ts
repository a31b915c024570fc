import { createHmac } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { HttpRequest } from '../../../lib/index.ts'
import { ownAlertsApi } from '../../index.ts'
import { fire, livesOf, resolve, startOnCall, withDataDir } from '../../oncall/test-support.ts'
import type { Scenario } from '../../test-support.ts'

const CONFIG = `
route: { receiver: page, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 12h }
receivers:
  - name: page
    sms_configs:
      - { provider: twilio, account_sid: AC1, auth_token: geheim, from: '+1555', to: ['+1', '+2'], text: hi, delivery_receipts: true }
  - name: second
    webhook_configs: [{ url: 'http://hook/second' }]
`
const ON_CALL = `
people: [{ name: zoe, phone: '+15550100' }]
receivers: [{ receiver: page, escalation: { steps: [{ after: 30m, receiver: second }] } }]
`
const GROUP = '{}:{alertname="Down"}'

let s: Scenario
let app: FastifyInstance
let requests: HttpRequest[]

/** Twilio on a virtual clock. */
const provider = () => ({
  httpClientFactory: () => ({
    async request(request: HttpRequest) {
      requests.push(request)
      return { status: 201, headers: {}, body: Buffer.from(JSON.stringify({ sid: `SM${requests.length}` })) }
    },
    close: async () => {},
  }),
})

beforeEach(async () => {
  requests = []
  s = await startOnCall(CONFIG, ON_CALL, provider())
  app = Fastify()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(body as string))
  })
  await app.register(ownAlertsApi(s.alertmanager), { prefix: '/api/belltower/v1' })
  await fire(s, 'Down')
  await s.until(20)
})
afterEach(async () => {
  await app.close()
  await s.alertmanager.stop()
})

async function callBack(id: string, status: string, token = 'geheim'): Promise<number> {
  const url = new URLSearchParams(requests[0]!.body as string).get('StatusCallback')!
  const fields = { MessageSid: id, MessageStatus: status }
  const text = url + Object.entries(fields).flat().join('')
  const response = await app.inject({
    method: 'POST',
    url: new URL(url).pathname.replace('/alertmanager', ''),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': createHmac('sha1', token).update(text).digest('base64'),
    },
    payload: new URLSearchParams(fields).toString(),
  })
  return response.statusCode
}

const notifications = async (query = '') =>
  (await app.inject({ url: `/api/belltower/v1/alerting/notifications${query}` })).json() as {
    outcome: string
    error: string
    receipts?: { recipient: string; outcome: string }[]
  }[]

test('what becomes of each message shows in the history and in explain', async () => {
  expect((await notifications())[0]!.receipts).toMatchObject([
    { recipient: '+1', outcome: 'pending' },
    { recipient: '+2', outcome: 'pending' },
  ])
  expect(await callBack('SM1', 'undelivered')).toBe(200)
  expect(await callBack('SM2', 'delivered')).toBe(200)
  // Overtaken on its way.
  expect(await callBack('SM2', 'sent')).toBe(200)
  expect((await notifications())[0]).toMatchObject({
    outcome: 'delivered',
    receipts: [
      { recipient: '+1', outcome: 'undelivered' },
      { recipient: '+2', outcome: 'delivered' },
    ],
  })
  const { labels } = s.alertmanager.alerts()[0]!.alert
  expect(s.alertmanager.explain(labels).destinations[0]!.integrations[0]!.receipts).toMatchObject([
    { id: 'SM1', outcome: 'undelivered' },
    { id: 'SM2', outcome: 'delivered' },
  ])
  // One was reached, so that nobody else is woken before the time.
  expect(s.alertmanager.onCall.escalations()[0]!.nextAtMs).toBe(s.clock.nowMs() - 20_000 + 10_000 + 30 * 60_000)
  expect(await s.alertmanager.registry.metrics()).toMatch(
    /belltower_message_receipts_total\{integration="sms",outcome="undelivered"\} 1/,
  )
})

test('reached nobody: it counts as failed, and the next are told at once', async () => {
  await callBack('SM1', 'failed')
  await callBack('SM2', 'undelivered')
  await s.until(21)
  expect((await notifications('?outcome=failed')).map(({ error }) => error)).toEqual([
    '+1: not delivered: failed; +2: not delivered: undelivered',
  ])
  expect(requests.at(-1)!.url).toBe('http://hook/second')
})

test('what was delivered yesterday does not count for today', async () => {
  for (const id of ['SM1', 'SM2']) await callBack(id, 'delivered')
  await resolve(s, 'Down')
  await s.until(600)
  const DAY_S = 86_400
  await s.until(DAY_S)
  const before = requests.length
  await fire(s, 'Down')
  await s.until(DAY_S + 20)
  const ids = requests.slice(before).map((_, i) => `SM${before + i + 1}`)
  expect(ids).toHaveLength(2)
  for (const id of ids) await callBack(id, 'undelivered')
  await s.until(DAY_S + 21)
  expect(requests.at(-1)!.url).toBe('http://hook/second')
})

test('a forged signature, and an address that nobody was given', async () => {
  expect(await callBack('SM1', 'delivered', 'guessed')).toBe(403)
  const url = `/api/belltower/v1/alerting/receipts/${Buffer.from('page/sms/0').toString('base64url')}/${'0'.repeat(32)}`
  expect((await app.inject({ method: 'POST', url })).statusCode).toBe(403)
  expect((await notifications())[0]!.receipts![0]).toMatchObject({ outcome: 'pending' })
})

test('a reply with the code of the message acknowledges, and takes back', async () => {
  const path = '/api/belltower/v1/alerting/replies?integration=page/sms/0'
  const [{ url }] = (await app.inject({ url: path })).json() as [{ url: string }]
  const code = s.alertmanager.acks.codeOf(GROUP)
  expect(code).toMatch(/^\d{6}$/)
  const reply = async (Body: string, From: string, token = 'geheim') => {
    const fields = { Body, From }
    const signature = createHmac('sha1', token).update(`${url}Body${Body}From${From}`).digest('base64')
    const response = await app.inject({
      method: 'POST',
      url: new URL(url).pathname.replace('/alertmanager', ''),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
      payload: new URLSearchParams(fields).toString(),
    })
    return response.statusCode === 200 ? response.body : response.statusCode
  }
  expect(await reply('hello', '+1')).toMatch(/^Send the code/)
  expect(await reply(code === '000000' ? '000001' : '000000', '+1')).toMatch(/^No alert has the code/)
  expect(await reply(code, '+1', 'guessed')).toBe(403)
  expect(s.alertmanager.acks.all()).toEqual([])
  expect(await reply(` Ack ${code} on it`, '15550100')).toBe(`Acknowledged: ${GROUP}`)
  expect(s.alertmanager.acks.all()).toMatchObject([{ groupKey: GROUP, by: 'zoe', comment: 'by reply' }])
  expect(await reply(`unack ${code}`, '+1')).toBe(`Taken back: ${GROUP}`)
  expect(s.alertmanager.acks.all()).toEqual([])
})

test('are remembered over a death, and may come after it', async () => {
  await withDataDir(async (dataDir) => {
    const facts = { config: CONFIG, onCall: ON_CALL, endsS: [60, 120], dataDir, options: provider() }
    const { last } = await livesOf(facts, (first) => fire(first, 'Down'))
    const { onCall } = last.alertmanager
    const ids = [3, 4].map((n) => `SM${n}`)
    expect(ids.map((id) => onCall.receipt('page/sms/0', id)?.outcome)).toEqual(['pending', 'pending'])
    const url = new URLSearchParams(requests[2]!.body as string).get('StatusCallback')!
    const form = new URLSearchParams({ MessageSid: 'SM3', MessageStatus: 'delivered' })
    const text = url + [...form].flat().join('')
    const signature = createHmac('sha1', 'geheim').update(text).digest('base64')
    const request = { form, fields: form, headers: { 'x-twilio-signature': signature } }
    await onCall.receiveReceipt('page/sms/0', url.split('/').at(-1)!, request)
    expect(onCall.receipt('page/sms/0', 'SM3')).toMatchObject({ outcome: 'delivered', groupKey: GROUP })
    await last.alertmanager.stop()
  })
})
