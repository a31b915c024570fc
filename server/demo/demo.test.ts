import { createTransport } from 'nodemailer'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../lib/index.ts'
import { readExposition } from '../../model/index.ts'
import { readMail } from './mail-message.ts'
import { SMS_ACCOUNT, startMailbox } from './mailbox.ts'
import { startShop } from './shop.ts'
import { startShopLoad } from './shop-load.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function mailbox() {
  const box = await startMailbox({ port: 0, smtpPort: 0, clock: systemClock })
  cleanups.push(() => box.close())
  return box
}

test('mailbox: a mail sent over SMTP is shown with subject and content', async () => {
  const box = await mailbox()
  const [host, port] = box.smtpAddress.split(':')
  const transport = createTransport({ host: host!, port: Number(port), ignoreTLS: true })
  await transport.sendMail({
    from: 'a@shop.example',
    to: 'b@shop.example',
    subject: '[FIRING:1] Größe <b>',
    text: 'plain ä',
    html: '<p class="x">rich €</p>'.repeat(20),
  })
  transport.close()
  expect(box.messages).toMatchObject([
    {
      kind: 'email',
      from: 'a@shop.example',
      to: 'b@shop.example',
      subject: '[FIRING:1] Größe <b>',
      text: expect.stringContaining('plain ä'),
    },
  ])
  expect(box.messages[0]!.html).toContain('<p class="x">rich €</p>')
  const page = await (await fetch(box.url)).text()
  expect(page).toContain('[FIRING:1] Größe &lt;b&gt;')
  expect(page).toContain('class="firing"')
  expect(await (await fetch(`${box.url}/api/messages`)).json()).toHaveLength(1)
})

test('mailbox: the SMS gateway takes what Twilio takes, and refuses the rest', async () => {
  const box = await mailbox()
  const url = `${box.url}/2010-04-01/Accounts/${SMS_ACCOUNT.sid}/Messages.json`
  const post = async (form: Record<string, string>, token = SMS_ACCOUNT.token): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`${SMS_ACCOUNT.sid}:${token}`).toString('base64')}`
    const answer = await fetch(url, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) })
    await answer.arrayBuffer()
    return answer.status
  }
  const sms = { To: '+15005550010', From: '+15005550006', Body: '[RESOLVED] x' }
  expect(await post(sms)).toBe(201)
  expect(await post(sms, 'wrong')).toBe(401)
  expect(await post({ ...sms, To: '123' })).toBe(400)
  expect(await post({ ...sms, Body: '' })).toBe(400)
  expect(box.messages).toMatchObject([{ kind: 'sms', to: '+15005550010', text: '[RESOLVED] x' }])
})

test('mails: words and parts in both encodings', () => {
  const mail = readMail(
    [
      'From: a@b.example',
      'Subject: =?UTF-8?Q?caf=C3=A9_?= =?UTF-8?B?w6k=?=',
      ' and more',
      'Content-Type: multipart/alternative; boundary="x"',
      '',
      'preamble',
      '--x',
      'Content-Type: text/plain; charset=UTF-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'a=C3=A9 soft=',
      ' break',
      '--x',
      'Content-Type: text/html',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('<b>é</b>').toString('base64'),
      '--x--',
      '',
    ].join('\n'),
  )
  expect(mail).toEqual({
    from: 'a@b.example',
    to: '',
    subject: 'café é and more',
    text: 'aé soft break',
    html: '<b>é</b>',
  })
})

test('shop: counts its requests under load, and checkouts fail in the error phase only', async () => {
  const statuses = async (errorPhase: { fromMs: number; toMs: number }): Promise<Set<string>> => {
    const shop = await startShop({ port: 0, clock: systemClock, errorPhase })
    cleanups.push(() => shop.close())
    const checkouts = [...Array(40).keys()].map(() => fetch(`${shop.url}/checkout`, { method: 'POST' }))
    await Promise.all(checkouts.map(async (answer) => (await answer).arrayBuffer()))
    const page = Buffer.from(await (await fetch(`${shop.url}/metrics`)).arrayBuffer())
    const durations = readExposition(page, 'text').find(({ name }) => name === 'http_request_duration_seconds')
    expect(durations?.type).toBe('histogram')
    return new Set([...page.toString().matchAll(/_count\{.*route="\/checkout",status_code="(\d)/g)].map((m) => m[1]!))
  }
  expect([...(await statuses({ fromMs: 0, toMs: 60_000 }))]).toContain('5')
  expect([...(await statuses({ fromMs: 60_000, toMs: 90_000 }))]).not.toContain('5')
})

test('load: visits every route, and ends when told', async () => {
  const shop = await startShop({ port: 0, clock: systemClock, errorPhase: { fromMs: 0, toMs: 0 } })
  cleanups.push(() => shop.close())
  const stop = startShopLoad(shop.url, systemClock)
  const seen = async (): Promise<string> => (await fetch(`${shop.url}/metrics`)).text()
  for (let attempt = 0; attempt < 100 && !(await seen()).includes('route="/checkout"'); attempt++)
    await new Promise((resolve) => setTimeout(resolve, 50))
  stop()
  const page = await seen()
  for (const route of ['/products', '/cart', '/checkout']) expect(page).toContain(`route="${route}"`)
})
