/** A loopback server that speaks Twilio's Messages API: checks method, path, credentials, content type and fields. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SentSms {
  readonly to: string
  readonly from: string
  readonly body: string
}

export interface TwilioDouble {
  readonly url: string
  readonly sent: readonly SentSms[]
  close(): void
}

export async function startTwilioDouble(accountSid: string, authToken: string): Promise<TwilioDouble> {
  const sent: SentSms[] = []
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  const server: Server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const answer = (status: number, content: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
      }
      const failure = (status: number, code: number, message: string): void => answer(status, { status, code, message })
      if (request.headers.authorization !== authorization) return failure(401, 20003, 'Authenticate')
      if (request.method !== 'POST' || request.url !== `/2010-04-01/Accounts/${accountSid}/Messages.json`) {
        return failure(404, 20404, 'The requested resource was not found')
      }
      if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
        return failure(415, 20415, 'Unsupported media type')
      }
      const form = new URLSearchParams(body)
      const [to, from, text] = [form.get('To') ?? '', form.get('From') ?? '', form.get('Body') ?? '']
      if (!/^\+\d{6,15}$/.test(to)) return failure(400, 21211, `Invalid 'To' Phone Number: ${to}`)
      if (text === '') return failure(400, 21602, 'Message body is required.')
      sent.push({ to, from, body: text })
      return answer(201, {
        sid: `SM${String(sent.length).padStart(32, '0')}`,
        status: 'queued',
        to,
        from,
        body: text,
        error_code: null,
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
