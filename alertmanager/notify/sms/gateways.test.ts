import type { AddressInfo } from 'node:net'
import smpp, { type Pdu, type Session } from 'smpp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { attempt, Double, memoryProgress, notificationOf, notifierOf, type Said } from '../test-support.ts'
import { smsParts, smsSize } from './segments.ts'

let double: Double
beforeEach(async () => {
  double = await Double.start(() => ({ json: {} }))
})
afterEach(() => double.close())

const sms = (settings: string): string =>
  `sms_configs: [{ base_url: '${double.url}', to: ['+79250000001'], text: hi, ${settings} }]`

describe('what an SMS holds', () => {
  test.each([
    ['a'.repeat(160), 'GSM-7', 1],
    ['a'.repeat(161), 'GSM-7', 2],
    ['€'.repeat(80), 'GSM-7', 1],
    // An escaped character does not go over the edge of a part: 152 septets and the next part.
    [`${'a'.repeat(152)}€${'a'.repeat(10)}`, 'GSM-7', 2],
    ['ж'.repeat(70), 'UCS-2', 1],
    ['ж'.repeat(71), 'UCS-2', 2],
    // 67 units a part: a pair that would be split goes into the next one whole.
    [`${'ж'.repeat(66)}${'😀'.repeat(4)}`, 'UCS-2', 2],
  ] as const)('%s', (text, encoding, segments) => {
    expect(smsSize(text)).toEqual({ encoding, segments })
  })

  test('septets are one a byte, units two', () => {
    expect(smsParts('@Æ€').parts[0]).toEqual(Buffer.from([0x00, 0x1c, 0x1b, 0x65]))
    expect(smsParts('ж').parts[0]).toEqual(Buffer.from([0x04, 0x36]))
  })
})

describe('Vonage', () => {
  const settings = (): string => sms('provider: vonage, api_key: k, api_secret: s, from: Belltower')
  const part = (status: string, more = {}): Said => ({
    json: { 'message-count': '1', messages: [{ status, ...more }] },
  })

  test('the request; the verdict is in the body', async () => {
    double.answer = () => part('0', { 'message-id': 'v1' })
    expect(await attempt(notifierOf(settings()))).toEqual({ detail: 'v1 (1 segment GSM-7)' })
    expect(double.heard[0]!.path).toBe('/sms/json')
    expect(double.form()).toEqual({ api_key: 'k', api_secret: 's', from: 'Belltower', to: '79250000001', text: 'hi' })
    await attempt(notifierOf(settings().replace('text: hi', 'text: привет')))
    expect(double.form()['type']).toBe('unicode')
  })

  test.each([
    ['1', 'rateLimited + retry'],
    ['3', 'clientError'],
    ['4', 'authError'],
    ['5', 'serverError + retry'],
    ['9', 'clientError'],
  ])('status %s', async (status, failure) => {
    double.answer = () => part(status, { 'error-text': 'why' })
    expect(await attempt(notifierOf(settings()))).toMatchObject({
      failure,
      message: `+79250000001: status ${status}: why`,
    })
  })
})

describe('MessageBird', () => {
  const settings = (): string => sms('provider: messagebird, access_key: AK, from: Belltower')

  test('the request and its refusals', async () => {
    double.answer = ({ headers }) =>
      headers.authorization === 'AccessKey AK'
        ? { status: 201, json: { id: 'mb1' } }
        : { status: 401, json: { errors: [{ code: 2, description: 'Request not allowed' }] } }
    expect(await attempt(notifierOf(settings()))).toEqual({ detail: 'mb1 (1 segment GSM-7)' })
    expect(double.json()).toEqual({
      originator: 'Belltower',
      recipients: ['79250000001'],
      body: 'hi',
      datacoding: 'auto',
    })
    double.answer = () => ({
      status: 402,
      json: { errors: [{ code: 25, description: 'Not enough balance', parameter: null }] },
    })
    expect(await attempt(notifierOf(settings()))).toMatchObject({
      failure: 'clientError',
      message: '+79250000001: unexpected status code 402: Not enough balance (code 25)',
    })
  })
})

describe('SMSC', () => {
  const settings = (more = ''): string => sms(`provider: smsc, login: me, password: pw, from: Belltower, ${more}`)

  test('the request', async () => {
    double.answer = () => ({ json: { id: 1234, cnt: 1 } })
    expect(await attempt(notifierOf(settings('translit: true')))).toEqual({ detail: '1234 (1 segment GSM-7)' })
    expect(double.heard[0]!.path).toBe('/sys/send.php')
    expect(double.form()).toEqual({
      login: 'me',
      psw: 'pw',
      phones: '+79250000001',
      mes: 'hi',
      charset: 'utf-8',
      fmt: '3',
      sender: 'Belltower',
      translit: '1',
    })
    await attempt(notifierOf(sms('provider: smsc, api_key: K')))
    expect(double.form()).toMatchObject({ apikey: 'K' })
  })

  test.each([
    [2, 'authError'],
    [3, 'clientError'],
    [4, 'rateLimited + retry after 600 s'],
    [7, 'clientError'],
    [9, 'rateLimited + retry after 60 s'],
  ])('status 200 with error %s', async (code, failure) => {
    double.answer = () => ({ json: { error: 'why', error_code: code } })
    expect(await attempt(notifierOf(settings()))).toMatchObject({
      failure,
      message: `+79250000001: error ${code}: why`,
    })
  })

  test('a page in place of the answer does not count', async () => {
    double.answer = () => ({ text: '<html>maintenance</html>' })
    expect(await attempt(notifierOf(settings()))).toMatchObject({ failure: 'other + retry' })
  })
})

describe('SMS.RU', () => {
  const settings = (): string => sms('provider: smsru, api_id: ID, from: Belltower, test: true')
  const verdict = (outer: number, inner: number): Said => ({
    json: {
      status: 'OK',
      status_code: outer,
      sms: { '79250000001': { status_code: inner, status_text: 'why', sms_id: '0-1' } },
    },
  })

  test('the request; both codes must be 100', async () => {
    double.answer = () => verdict(100, 100)
    expect(await attempt(notifierOf(settings()))).toEqual({ detail: '0-1 (1 segment GSM-7)' })
    expect(double.form()).toEqual({
      api_id: 'ID',
      to: '79250000001',
      msg: 'hi',
      json: '1',
      from: 'Belltower',
      test: '1',
    })
  })

  test.each([
    [200, 100, 'authError'],
    [201, 100, 'clientError'],
    [220, 100, 'serverError + retry'],
    [100, 207, 'clientError'],
    [100, 231, 'rateLimited'],
  ])('codes %s and %s', async (outer, inner, failure) => {
    double.answer = () => verdict(outer, inner)
    expect(await attempt(notifierOf(settings()))).toMatchObject({ failure })
  })
})

describe('AWS SNS', () => {
  test('a transactional message with a sender', async () => {
    double.answer = () => ({ text: '<MessageId>s1</MessageId>' })
    const sigv4 = 'sigv4: { region: r, access_key: a, secret_key: b }'
    expect(await attempt(notifierOf(sms(`provider: sns, from: Bell, max_price: '0.5', ${sigv4}`)))).toMatchObject({
      detail: 's1 (1 segment GSM-7)',
    })
    expect(double.form()).toMatchObject({
      PhoneNumber: '+79250000001',
      'MessageAttributes.entry.1.Name': 'AWS.SNS.SMS.SMSType',
      'MessageAttributes.entry.1.Value.StringValue': 'Transactional',
      'MessageAttributes.entry.2.Name': 'AWS.SNS.SMS.SenderID',
      'MessageAttributes.entry.3.Name': 'AWS.SNS.SMS.MaxPrice',
    })
  })
})

describe('a described gateway', () => {
  const settings = (more: string): string => `sms_configs: [{ provider: http, to: ['+1', '+2'], text: 'a&b', ${more} }]`

  test('templates for URL, headers and body; success by regular expression; the id out of the body', async () => {
    double.answer = ({ body }) => ({ text: body.includes('+2') ? 'ERR 7 no such number' : 'OK id=42' })
    const more = `url: '${double.url}/send?to={{ .To | urlquery }}', headers: { X-Key: 'k{{ len .Alerts }}', Content-Type: application/json }, body: '{"to":{{ toJson .To }},"text":{{ toJson .Text }}}', success_body: '^OK', message_id: 'id=(\\d+)'`
    const progress = memoryProgress()
    expect(await attempt(notifierOf(settings(more)), notificationOf('firing'), progress)).toEqual({
      detail: '42 (1 segment GSM-7)',
      warning: '+2: status 200, but the answer is none of success: ERR 7 no such number',
    })
    expect([...progress.served]).toEqual(['+1'])
    expect(double.heard[0]).toMatchObject({ method: 'POST', headers: { 'x-key': 'k2' } })
    expect(double.heard[0]!.query.get('to')).toBe('+1')
    expect(double.json(0)).toEqual({ to: '+1', text: 'a&b' })
  })

  test('what may be repeated is said by status or by the body', async () => {
    double.answer = () => ({ text: 'BUSY' })
    const more = `url: '${double.url}', success_body: OK, retry_body: BUSY`
    expect(await attempt(notifierOf(settings(more)))).toMatchObject({ failure: 'rateLimited + retry' })
    double.answer = () => ({ status: 409 })
    expect(await attempt(notifierOf(settings(`url: '${double.url}', retry_status: [409]`)))).toMatchObject({
      failure: 'clientError + retry',
    })
  })

  test('a retry serves only those who have not been served', async () => {
    const progress = memoryProgress()
    double.answer = ({ query }) => (query.get('to') === '+2' ? { status: 503 } : {})
    const notifier = notifierOf(settings(`url: '${double.url}/?to={{ .To | urlquery }}'`))
    expect(await attempt(notifier, notificationOf('firing'), progress)).toMatchObject({
      failure: 'serverError + retry',
    })
    double.answer = () => ({})
    expect(await attempt(notifier, notificationOf('firing'), progress)).toMatchObject({
      detail: 'status 200 (1 segment GSM-7)',
    })
    expect(double.heard.map(({ query }) => query.get('to'))).toEqual(['+1', '+2', '+2'])
  })
})

describe('SMPP', () => {
  let sessions: Session[] = []
  let submitted: Pdu[] = []
  /** Status for a PDU; `undefined` = break off. */
  let status: (pdu: Pdu) => number | undefined = () => 0
  let port = 0
  const server = () =>
    smpp.createServer((session) => {
      sessions.push(session)
      session.on('error', () => {})
      session.on('pdu', (pdu: Pdu) => {
        if (pdu.command === 'unbind') return void session.send(pdu.response())
        const command_status = status(pdu)
        if (command_status === undefined) return session.destroy()
        if (pdu.command === 'submit_sm' && command_status === 0) submitted.push(pdu)
        session.send(pdu.response({ command_status, message_id: `s${submitted.length}` }))
      })
    })
  let centre: ReturnType<typeof server>

  beforeEach(async () => {
    sessions = []
    submitted = []
    status = (pdu) => (pdu.command === 'bind_transceiver' && pdu['password'] !== 'pw' ? 0x0e : 0)
    centre = server()
    await new Promise<void>((resolve) => centre.listen(0, '127.0.0.1', () => resolve()))
    port = (centre.address() as AddressInfo).port
  })
  afterEach(async () => {
    for (const session of sessions) session.destroy()
    await new Promise((resolve) => centre.close(resolve))
  })

  const settings = (more: string): string =>
    `sms_configs: [{ provider: smpp, host: 127.0.0.1, port: ${port}, system_id: me, to: ['+79250000001'], from: Bell, password: pw, ${more} }]`

  test('a short message', async () => {
    expect(await attempt(notifierOf(settings('text: привет')))).toEqual({ detail: 's1 (1 segment UCS-2)' })
    expect(submitted[0]).toMatchObject({
      destination_addr: '79250000001',
      dest_addr_ton: 1,
      source_addr: 'Bell',
      source_addr_ton: 5,
      data_coding: 8,
      esm_class: 0,
      registered_delivery: 1,
    })
    expect((submitted[0]!['short_message'] as { message: string }).message).toBe('привет')
  })

  test('a long message goes in parts that belong together', async () => {
    expect(await attempt(notifierOf(settings(`text: ${'abc'.repeat(70)}`)))).toEqual({
      detail: 's1+s2 (2 segments GSM-7)',
    })
    const headers = submitted.map((pdu) => (pdu['short_message'] as { udh: Buffer[] }).udh[0] as Buffer)
    expect(headers.map((udh) => [...udh.subarray(-2)])).toEqual([
      [2, 1],
      [2, 2],
    ])
    expect(submitted.map((pdu) => (pdu['short_message'] as { message: string }).message).join('')).toBe(
      'abc'.repeat(70),
    )
    expect(submitted[0]!['esm_class']).toBe(0x40)
  })

  test.each([
    ['submit_sm', 0x58, 'rateLimited + retry', 'throttled'],
    ['submit_sm', 0x14, 'rateLimited + retry', 'queue full'],
    ['submit_sm', 0x0b, 'clientError', 'invalid destination address'],
    ['bind_transceiver', 0x0d, 'authError', 'bind failed'],
  ])('%s refused with %s', async (command, code, failure, name) => {
    status = (pdu) => (pdu.command === command ? code : 0)
    expect(await attempt(notifierOf(settings('text: hi')))).toMatchObject({
      failure,
      message: expect.stringContaining(name),
    })
  })

  test('a connection that is lost after the message was sent, and a centre that does not answer', async () => {
    status = (pdu) => (pdu.command === 'submit_sm' ? undefined : 0)
    expect(await attempt(notifierOf(settings('text: hi')))).toMatchObject({ failure: 'other + retry' })
    const notifier = notifierOf(settings('text: hi').replace(`port: ${port}`, 'port: 1'))
    expect(await attempt(notifier)).toMatchObject({
      failure: 'other + retry',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

describe('a call by Twilio', () => {
  test('the text is said twice', async () => {
    double.answer = () => ({ status: 201, json: { sid: 'CA1' } })
    const call = `voice_configs: [{ provider: twilio, account_sid: AC1, auth_token: t, from: '+1', to: ['+2, +3'], language: en-GB, text: 'a < b', base_url: '${double.url}' }]`
    expect(await attempt(notifierOf(call))).toEqual({ detail: 'CA1, CA1' })
    expect(double.heard[0]!.path).toBe('/2010-04-01/Accounts/AC1/Calls.json')
    const say = '<Say language="en-GB">a &#60; b</Say>'
    expect(double.form(0)).toEqual({
      To: '+2',
      From: '+1',
      Twiml: `<Response>${say}<Pause length="1"/>${say}</Response>`,
    })
  })
})
