import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Clock } from '../../lib/index.ts'
import { readMail } from './mail-message.ts'
import { mailboxPage } from './mailbox-page.ts'

export interface ReceivedMessage {
  readonly kind: 'email' | 'sms'
  readonly receivedMs: number
  readonly from: string
  readonly to: string
  /** Of an SMS the text. */
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface Mailbox {
  /** Of the page; also what the SMS gateway's URL begins with. */
  readonly url: string
  readonly smtpAddress: string
  /** Oldest first. */
  readonly messages: readonly ReceivedMessage[]
  close(): Promise<void>
}

export const SMS_ACCOUNT = { sid: 'AC00000000000000000000000000000001', token: 'demo-token' }

const MESSAGES_KEPT = 200
const BODY_BYTES_MAX = 1 << 20

/** A mail server, an SMS gateway that speaks Twilio's Messages API, and a page that shows what came. */
export async function startMailbox(options: {
  readonly port: number
  readonly smtpPort: number
  readonly clock: Clock
}): Promise<Mailbox> {
  const messages: ReceivedMessage[] = []
  const receive = (message: Omit<ReceivedMessage, 'receivedMs'>): void => {
    messages.push({ ...message, receivedMs: options.clock.nowMs() })
    if (messages.length > MESSAGES_KEPT) messages.shift()
  }
  const smtp = createSmtpServer(receive)
  const http = createServer((request, response) => void answer(request, response, { messages, receive }))
  const smtpListening = once(smtp.server, 'listening')
  smtp.listen(options.smtpPort, '127.0.0.1')
  http.listen(options.port, '127.0.0.1')
  await Promise.all([smtpListening, once(http, 'listening')])
  return {
    url: `http://127.0.0.1:${portOf(http)}`,
    smtpAddress: `127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    messages,
    async close() {
      http.closeAllConnections()
      http.close()
      await Promise.all([once(http, 'close'), new Promise<void>((resolve) => smtp.close(() => resolve()))])
    },
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

type Receive = (message: Omit<ReceivedMessage, 'receivedMs'>) => void

function createSmtpServer(receive: Receive): SMTPServer {
  return new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: BODY_BYTES_MAX,
    onData(stream, _session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        receive({ kind: 'email', ...readMail(Buffer.concat(chunks).toString('utf8')) })
        done()
      })
    },
  })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { messages, receive }: { readonly messages: readonly ReceivedMessage[]; readonly receive: Receive },
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]
  if (path === `/2010-04-01/Accounts/${SMS_ACCOUNT.sid}/Messages.json`) return receiveSms(request, response, receive)
  if (request.method !== 'GET') return sendJson(response, 405, { error: 'only GET' })
  if (path === '/api/messages') return sendJson(response, 200, messages)
  if (path !== '/') return sendJson(response, 404, { error: 'not found' })
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(mailboxPage(messages))
}

/** Checks what Twilio checks; codes and statuses are Twilio's. */
async function receiveSms(request: IncomingMessage, response: ServerResponse, receive: Receive): Promise<void> {
  const fail = (status: number, code: number, message: string): void =>
    sendJson(response, status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status })
  if (request.method !== 'POST') return fail(405, 20004, 'Method not allowed')
  const authorization = `Basic ${Buffer.from(`${SMS_ACCOUNT.sid}:${SMS_ACCOUNT.token}`).toString('base64')}`
  if (request.headers.authorization !== authorization) return fail(401, 20003, 'Authenticate')
  const form = new URLSearchParams(await readBody(request))
  const [to, from, body] = [form.get('To') ?? '', form.get('From') ?? '', form.get('Body') ?? '']
  if (!/^\+[1-9]\d{6,14}$/.test(to)) return fail(400, 21211, `Invalid 'To' Phone Number: ${to}`)
  if (from === '') return fail(400, 21603, "A 'From' phone number is required")
  if (body === '') return fail(400, 21602, 'Message body is required')
  if (body.length > 1600) return fail(400, 21617, 'The concatenated message body exceeds the 1600 character limit')
  receive({ kind: 'sms', from, to, subject: body, text: body, html: '' })
  const sid = `SM${crypto.randomUUID().replaceAll('-', '')}`
  sendJson(response, 201, { sid, account_sid: SMS_ACCOUNT.sid, to, from, body, status: 'queued', error_code: null })
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new Error('body too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
