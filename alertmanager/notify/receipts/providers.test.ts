import { createHmac } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import smpp, { type Pdu, type Session } from 'smpp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Notifier, SentMessage } from '../notifier.ts'
import type { ReceiptDoor } from '../service.ts'
import { attempt, Double, notificationOf, notifierOf } from '../test-support.ts'
import type { ReceiptReport } from './receipt.ts'

const URL_GIVEN = 'https://pager.example.com/api/belltower/v1/alerting/receipts/abc/123'
let double: Double
let notifier: Notifier
let heard: { where: string; report: ReceiptReport }[]
const door: ReceiptDoor = {
  urlOf: () => URL_GIVEN,
  take: (where, report) => void heard.push({ where, report }),
}

beforeEach(async () => {
  heard = []
  double = await Double.start(() => ({}))
})
afterEach(async () => {
  await notifier.close()
  await double.close()
})

const sms = (settings: string): void => {
  notifier = notifierOf(`sms_configs: [{ to: ['+1'], text: hi, base_url: '${double.url}', ${settings} }]`, '{}', door)
}

/** Sends; the messages whose arrival is awaited. */
async function send(): Promise<SentMessage[]> {
  const taken: SentMessage[] = []
  const sent = await attempt(notifier, { ...notificationOf('firing'), onTaken: (message) => taken.push(message) })
  expect(sent.failure).toBeUndefined()
  return taken
}

async function read(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<string> {
  const form = new URLSearchParams(fields)
  const reports = await notifier.receipts!.read!({ url: URL_GIVEN, fields: form, form, headers })
  return reports.map(({ id, outcome, detail }) => `${id} ${outcome} ${detail}`).join('; ')
}

describe('Twilio', () => {
  const settings = "provider: twilio, account_sid: AC1, auth_token: geheim, from: '+15550100'"
  const signed = (fields: Record<string, string>) => {
    const text = Object.keys(fields)
      .sort()
      .map((name) => name + fields[name])
      .join('')
    return {
      'x-twilio-signature': createHmac('sha1', 'geheim')
        .update(URL_GIVEN + text)
        .digest('base64'),
    }
  }

  test('is given an address, and believed when it signs', async () => {
    double.answer = () => ({ status: 201, json: { sid: 'SM1' } })
    sms(`${settings}, delivery_receipts: true`)
    expect(await send()).toEqual([{ id: 'SM1', recipient: '+1' }])
    expect(double.form()['StatusCallback']).toBe(URL_GIVEN)
    const told = async (status: string, code = '') => {
      const fields = { MessageSid: 'SM1', MessageStatus: status, ...(code && { ErrorCode: code }) }
      return read(fields, signed(fields))
    }
    expect(await told('sent')).toBe('SM1 underway sent')
    expect(await told('delivered')).toBe('SM1 delivered delivered')
    expect(await told('undelivered', '30003')).toBe('SM1 undelivered undelivered, error 30003')
    const fields = { MessageSid: 'SM1', MessageStatus: 'delivered' }
    await expect(read(fields, signed({ ...fields, MessageStatus: 'failed' }))).rejects.toThrow('not from Twilio')
    await expect(read(fields)).rejects.toThrow('not from Twilio')
  })

  test('is not asked unless that is wanted: it has to find us', async () => {
    double.answer = () => ({ status: 201, json: { sid: 'SM1' } })
    sms(settings)
    expect(await send()).toEqual([])
    expect(double.form()).not.toHaveProperty('StatusCallback')
    expect(notifier.receipts).toBeUndefined()
  })
})

test('Vonage', async () => {
  double.answer = () => ({ json: { messages: [{ status: '0', 'message-id': 'V1' }] } })
  sms('provider: vonage, api_key: k, api_secret: geheim, from: Bell, delivery_receipts: true')
  expect(await send()).toEqual([{ id: 'V1', recipient: '+1' }])
  expect(double.form()).toMatchObject({ callback: URL_GIVEN })
  expect(await read({ messageId: 'V1', status: 'accepted', 'err-code': '0' })).toBe('V1 underway accepted')
  expect(await read({ messageId: 'V1', status: 'delivered', 'err-code': '0' })).toBe('V1 delivered delivered')
  expect(await read({ messageId: 'V1', status: 'expired', 'err-code': '6' })).toBe('V1 undelivered expired, error 6')
})

test('MessageBird', async () => {
  double.answer = () => ({ status: 201, json: { id: 'M1' } })
  sms('provider: messagebird, access_key: geheim, from: Bell, delivery_receipts: true')
  expect(await send()).toEqual([{ id: 'M1', recipient: '+1' }])
  expect(double.json()).toMatchObject({ reportUrl: URL_GIVEN, reference: expect.any(String) })
  expect(await read({ id: 'M1', status: 'buffered' })).toBe('M1 underway buffered')
  expect(await read({ id: 'M1', status: 'delivery_failed', statusErrorCode: '27' })).toBe(
    'M1 undelivered delivery_failed, error 27',
  )
})

test('SMSC is asked', async () => {
  const answers: unknown[] = [
    { id: 7, cnt: 1 },
    { status: -1 },
    { status: 1, err: 0 },
    { status: 20, err: 6 },
    { error: 'invalid login', error_code: 2 },
  ]
  double.answer = () => ({ json: answers.shift() })
  sms('provider: smsc, login: me, password: geheim')
  const messages = await send()
  expect(messages).toEqual([{ id: '7', recipient: '+1' }])
  const poll = async () =>
    (await notifier.receipts!.poll!(messages)).map(({ outcome, detail }) => `${outcome} ${detail}`)
  expect(await poll()).toEqual(['underway status -1'])
  expect(double.heard[1]!.path).toBe('/sys/status.php')
  expect(double.form(1)).toEqual({ login: 'me', psw: 'geheim', id: '7', phone: '+1', fmt: '3', charset: 'utf-8' })
  expect(await poll()).toEqual(['delivered status 1'])
  expect(await poll()).toEqual(['undelivered status 20, error 6'])
  await expect(poll()).rejects.toThrow('invalid login')
})

test('SMSC is asked about many: what it says counts, though it fails in the middle', async () => {
  const answers: unknown[] = [
    { status: 1 },
    { error: 'message not found', error_code: 3 },
    { status: 20 },
    { error: 'too many requests', error_code: 9 },
  ]
  double.answer = () => ({ json: answers.shift() })
  sms('provider: smsc, login: me, password: geheim')
  const messages = [1, 2, 3, 4, 5].map((id) => ({ id: String(id), recipient: '+1' }))
  const reports = await notifier.receipts!.poll!(messages)
  expect(reports.map(({ id, outcome, detail }) => `${id} ${outcome} ${detail}`)).toEqual([
    '1 delivered status 1',
    '2 underway message not found',
    '3 undelivered status 20',
  ])
  expect(double.heard).toHaveLength(4)
})

test('SMS.RU is asked', async () => {
  const status = (code: number) => ({
    status: 'OK',
    status_code: 100,
    sms: { '000-1': { status: 'OK', status_code: code, status_text: 'x' } },
  })
  const answers: unknown[] = [
    { status_code: 100, sms: { '1': { status_code: 100, sms_id: '000-1' } } },
    status(102),
    status(103),
    status(104),
    { status: 'ERROR', status_code: 200, status_text: 'wrong api_id' },
  ]
  double.answer = () => ({ json: answers.shift() })
  sms('provider: smsru, api_id: geheim')
  const messages = await send()
  expect(messages).toEqual([{ id: '000-1', recipient: '+1' }])
  const poll = async () =>
    (await notifier.receipts!.poll!(messages)).map(({ outcome, detail }) => `${outcome} ${detail}`)
  expect(await poll()).toEqual(['underway code 102: x'])
  expect(double.form(1)).toEqual({ api_id: 'geheim', sms_id: '000-1', json: '1' })
  expect(await poll()).toEqual(['delivered code 103: x'])
  expect(await poll()).toEqual(['undelivered code 104: x'])
  await expect(poll()).rejects.toThrow('wrong api_id')
})

describe('SMPP', () => {
  let sessions: Session[] = []
  let centre: ReturnType<typeof smpp.createServer>
  let port = 0
  let unbound = 0

  beforeEach(async () => {
    sessions = []
    unbound = 0
    let submitted = 0
    centre = smpp.createServer((session) => {
      sessions.push(session)
      session.on('error', () => {})
      session.on('pdu', (pdu: Pdu) => {
        if (pdu.command.endsWith('_resp')) return
        if (pdu.command === 'unbind') unbound++
        session.send(pdu.response({ message_id: pdu.command === 'submit_sm' ? `s${++submitted}` : '' }))
      })
    })
    await new Promise<void>((resolve) => centre.listen(0, '127.0.0.1', () => resolve()))
    port = (centre.address() as AddressInfo).port
  })
  afterEach(async () => {
    for (const session of sessions) session.destroy()
    await new Promise((resolve) => centre.close(resolve))
  })
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let i = 0; i < 500 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const deliver = (fields: Record<string, unknown>): boolean =>
    (sessions[0] as unknown as { deliver_sm: (fields: object) => boolean }).deliver_sm({ esm_class: 4, ...fields })

  test('delivers receipts over the session, which ends when all have come', async () => {
    const more = `host: 127.0.0.1, port: ${port}, system_id: me, password: pw, delivery_receipts: true`
    notifier = notifierOf(
      `sms_configs: [{ to: ['+1'], text: ${'abc'.repeat(70)}, provider: smpp, ${more} }]`,
      '{}',
      door,
    )
    expect(await send()).toEqual([
      { id: 's1', recipient: '+1' },
      { id: 's2', recipient: '+1' },
    ])
    deliver({ short_message: 'id:s1 sub:001 dlvrd:001 submit date:2601051200 stat:DELIVRD err:000 text:abc' })
    await until(() => heard.length === 1)
    expect(unbound).toBe(0)
    deliver({ receipted_message_id: 's2', message_state: 5, short_message: 'err:042' })
    await until(() => heard.length === 2 && unbound === 1)
    expect(heard).toEqual([
      { where: 'r/sms/0', report: { id: 's1', outcome: 'delivered', detail: 'DELIVRD' } },
      { where: 'r/sms/0', report: { id: 's2', outcome: 'undelivered', detail: 'UNDELIV, error 042' } },
    ])
    expect(unbound).toBe(1)
  })

  test('a reply that is no receipt is none', async () => {
    sms(`provider: smpp, host: 127.0.0.1, port: ${port}, system_id: me, password: pw, delivery_receipts: true`)
    await send()
    deliver({ esm_class: 0, short_message: 'id:s1 stat:DELIVRD' })
    deliver({ short_message: 'id:s1 stat:ENROUTE' })
    await until(() => heard.length === 1)
    expect(heard).toEqual([{ where: 'r/sms/0', report: { id: 's1', outcome: 'underway', detail: 'ENROUTE' } }])
  })
})
