import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { PlainHttpClient, plainRequest } from './index.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Answers each request, by its number from 0, with what `answer` writes; counts the connections. */
async function serve(answer: (socket: Socket, request: string, number: number) => void) {
  const sockets = new Set<Socket>()
  const seen = { connections: 0, requests: [] as string[], port: 0 }
  const server: Server = createServer((socket) => {
    seen.connections++
    sockets.add(socket)
    let got = ''
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      got += data.toString('latin1')
      if (!got.endsWith('\r\n\r\n')) return
      seen.requests.push(got)
      got = ''
      answer(socket, seen.requests.at(-1)!, seen.requests.length - 1)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  seen.port = (server.address() as AddressInfo).port
  return seen
}

interface Seen {
  readonly status: number
  readonly contentType: string
  readonly location: string
  readonly body: string
}

/** A client of one server, whose `get` makes one exchange after the other. */
function clientOf(
  port: number,
  options: { host?: string; timeoutMs?: number; bodyBytesMax?: number; keepAliveMs?: number } = {},
) {
  const client = new PlainHttpClient({ keepAliveMs: options.keepAliveMs ?? 60_000 })
  cleanups.push(() => client.close())
  const url = `http://${options.host ?? '127.0.0.1'}:${port}/metrics?a=b`
  const timeoutMs = options.timeoutMs ?? 5000
  const request = plainRequest({ url, timeoutMs, bodyBytesMax: options.bodyBytesMax ?? 0 })!
  let settle: { resolve: (seen: Seen) => void; reject: (error: Error) => void } | undefined
  const exchange = client.exchange(request, {
    onAnswer: ({ body, ...head }) => settle!.resolve({ ...head, body: Buffer.from(body).toString('latin1') }),
    onFailure: (error) => settle!.reject(error),
  })
  const get = (): Promise<Seen> =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject }
      exchange.start()
    })
  return { get, exchange, client }
}

/** One answer to one request, in the pieces given. */
async function answerOf(
  pieces: readonly (string | Uint8Array)[],
  options: { end?: boolean; bodyBytesMax?: number } = {},
) {
  const server = await serve((socket) => {
    void (async () => {
      for (const piece of pieces) {
        socket.write(piece)
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (options.end) socket.end()
    })()
  })
  return clientOf(server.port, options).get()
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n'

test('sends what was prepared and keeps the connection', async () => {
  const server = await serve((socket, _request, number) =>
    socket.write(`HTTP/1.1 200 OK\r\nCONTENT-TYPE:  text/plain; x=1 \r\nContent-Length: 2\r\n\r\n${number}!`),
  )
  const { get } = clientOf(server.port)
  expect(await get()).toEqual({ status: 200, contentType: 'text/plain; x=1', location: '', body: '0!' })
  expect((await get()).body).toBe('1!')
  expect((await get()).body).toBe('2!')
  expect(server.connections).toBe(1)
  expect(server.requests[0]).toBe(
    `GET /metrics?a=b HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: keep-alive\r\n\r\n`,
  )
})

const WHOLE = [
  ['chunks', `${CHUNKED}5\r\nhello\r\n1;x="y"\r\n,\r\nA\r\n big world\r\n0\r\nTrailer: t\r\n\r\n`, 'hello, big world'],
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
  [
    'word before',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx',
    'x',
  ],
  ['bare line feeds', 'HTTP/1.0 200 OK\nContent-Length: 2\n\nok', 'ok'],
  ['nothing', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', ''],
] as const

test.each(WHOLE)('reads %s, cut at every byte', async (_name, whole, body) => {
  for (let cut = 1; cut < whole.length; cut++) {
    expect((await answerOf([whole.slice(0, cut), whole.slice(cut)])).body, `cut at ${cut}`).toBe(body)
  }
  expect((await answerOf([...whole])).body).toBe(body)
})

const TEXT = 'some_metric{label="value"} 1\n'.repeat(3000)

test('unpacks gzip that comes in pieces, by length, in chunks and up to the end', async () => {
  const packed = gzipSync(TEXT)
  const pieces = Array.from({ length: 40 }, (_, i) => packed.subarray(i * 10, i === 39 ? packed.length : i * 10 + 10))
  const head = 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n'
  expect((await answerOf([`${head}Content-Length: ${packed.length}\r\n\r\n`, ...pieces])).body).toBe(TEXT)
  expect((await answerOf([`${head}\r\n`, ...pieces], { end: true })).body).toBe(TEXT)
  const chunks = pieces.map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
  )
  expect((await answerOf([`${head}Transfer-Encoding: chunked\r\n\r\n`, ...chunks, '0\r\n\r\n'])).body).toBe(TEXT)
})

test('unpacks bodies too big to do so at once', async () => {
  const big = TEXT.repeat(60)
  const packed = gzipSync(big, { level: 1 })
  const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`
  expect((await answerOf([head, packed])).body).toBe(big)
  // Two members, the last of which claims a small size for the whole.
  const joined = Buffer.concat([packed, gzipSync('end\n')])
  const joinedHead = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${joined.length}\r\n\r\n`
  expect((await answerOf([joinedHead, joined])).body).toBe(`${big}end\n`)
})

test('counts the limit before and after unpacking', async () => {
  const packed = gzipSync(TEXT)
  const gzipHead = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`
  expect((await answerOf([gzipHead, packed], { bodyBytesMax: TEXT.length })).body).toBe(TEXT)
  const tooLarge = { code: 'ERR_HTTP_BODY_TOO_LARGE' }
  await expect(answerOf([gzipHead, packed], { bodyBytesMax: TEXT.length - 1 })).rejects.toMatchObject(tooLarge)
  const bodyBytesMax = 4
  expect((await answerOf(['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234'], { bodyBytesMax })).body).toBe('1234')
  for (const answer of [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n12345',
    `${CHUNKED}3\r\n123\r\n2\r\n45\r\n`,
  ])
    await expect(answerOf([answer], { bodyBytesMax }), answer).rejects.toMatchObject(tooLarge)
  await expect(answerOf([`${CHUNKED}fffffffffff\r\n`])).rejects.toMatchObject(tooLarge)
  await expect(answerOf([`HTTP/1.1 200 OK\r\nContent-Length: ${513 << 20}\r\n\r\n`])).rejects.toThrow(
    'body size limit exceeded (512MB where none is set)',
  )
})

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\n\r\n'],
  ['a status too long', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['no such length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ['a header without name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
  ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\n\r\n'],
  ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ['another protocol', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ['no chunk size', `${CHUNKED}\r\n`],
  ['a bad chunk size', `${CHUNKED}5x\r\n`],
  ['a chunk too long', `${CHUNKED}2\r\nabc\r\n`],
  ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(20_000)}`],
  ['endless headers', `HTTP/1.1 200 OK\r\n${'A: x\r\n'.repeat(4000)}`],
  ['endless word before', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)],
  ['endless trailers', `${CHUNKED}0\r\n${'A: x\r\n'.repeat(4000)}`],
])('refuses an answer that has %s', async (_name, answer) => {
  await expect(answerOf([answer])).rejects.toMatchObject({ code: 'ERR_HTTP_REQUEST', timedOut: false })
  await expect(answerOf([answer])).rejects.toThrow(
    /^GET http:\/\/127\.0\.0\.1:\d+\/metrics\?a=b: malformed HTTP answer/,
  )
})

test.each([
  ['in the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ['in the body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell'],
  ['in a chunk', `${CHUNKED}5\r\nhel`],
  ['behind the last chunk', `${CHUNKED}5\r\nhello\r\n0\r\n`],
])('an answer cut %s is none', async (_name, answer) => {
  await expect(answerOf([answer], { end: true })).rejects.toThrow('closed before the answer was complete')
})

test('damaged gzip fails, whole and cut', async () => {
  const packed = gzipSync(TEXT)
  for (const body of [Buffer.from('no gzip'), packed.subarray(0, packed.length - 3), packed.subarray(0, 0)]) {
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`
    await expect(answerOf([head, body])).rejects.toThrow('body does not unpack as gzip')
  }
  await expect(answerOf(['HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx'])).rejects.toThrow(
    'unknown Content-Encoding "br"',
  )
  // The engine is as good as new after each of them.
  expect((await answerOf(['HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n', packed], { end: true })).body).toBe(TEXT)
})

test.each([
  ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx'],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx'],
  [
    'bytes nobody asked for',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny',
  ],
  ['a length beside chunks', `${CHUNKED.replace('\r\n\r\n', '\r\nContent-Length: 1\r\n\r\n')}1\r\nx\r\n0\r\n\r\n`],
])('does not use a connection again after %s', async (_name, answer) => {
  const server = await serve((socket) => socket.write(answer))
  const { get } = clientOf(server.port)
  for (let i = 1; i <= 3; i++) {
    expect((await get()).body).toBe('x')
    expect(server.connections).toBe(i)
  }
})

test('a connection that died while it was idle is replaced, once', async () => {
  const server = await serve((socket, _request, number) => {
    // The second request meets a connection that ends just now; so does every one from the fourth on.
    if (number === 1 || number >= 4) socket.destroy()
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
  })
  const { get } = clientOf(server.port)
  for (let i = 0; i < 3; i++) expect((await get()).body).toBe('x')
  expect(server.requests.length).toBe(4)
  await expect(get()).rejects.toMatchObject({ code: 'ERR_HTTP_REQUEST', timedOut: false })
  expect(server.requests.length).toBe(6)
})

test('a deadline covers the whole exchange; the next one starts afresh', async () => {
  let number = 0
  const server = await serve((socket) => {
    if (number++ === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst')
    else if (number === 2) return
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
  })
  const { get } = clientOf(server.port, { timeoutMs: 100 })
  const late = { timedOut: true, message: `GET http://127.0.0.1:${server.port}/metrics?a=b: deadline of 0.1s exceeded` }
  await expect(get()).rejects.toMatchObject(late)
  await expect(get()).rejects.toMatchObject(late)
  expect((await get()).body).toBe('x')
  expect(server.connections).toBe(3)
})

test('a cancelled exchange is not heard of', async () => {
  const server = await serve((socket, _request, number) => {
    if (number > 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
  })
  const { get, exchange } = clientOf(server.port, { timeoutMs: 200 })
  let heard = false
  get().then(
    () => (heard = true),
    () => (heard = true),
  )
  await expect.poll(() => server.requests.length).toBe(1)
  exchange.cancel()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(heard).toBe(false)
  expect((await get()).body).toBe('x')
})

test('a refused connection and a closed client fail', async () => {
  const { get } = clientOf(1)
  await expect(get()).rejects.toThrow('GET http://127.0.0.1:1/metrics?a=b: connect ECONNREFUSED 127.0.0.1:1')
  const server = await serve((socket, _request, number) => {
    if (number === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
  })
  const other = clientOf(server.port)
  await other.get()
  const waiting = other.get()
  await expect.poll(() => server.requests.length).toBe(2)
  other.client.close()
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_HTTP_REQUEST' })
  expect(server.connections).toBe(1)
})

test('finds the address of a name', async () => {
  const server = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx'))
  const { get } = clientOf(server.port, { host: 'localhost' })
  expect((await get()).body).toBe('x')
  expect(server.requests[0]).toContain(`host: localhost:${server.port}\r\n`)
})

test('lets connections go that nobody uses', async () => {
  let ended = 0
  const server = await serve((socket) => {
    socket.on('close', () => ended++)
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx')
  })
  const { get } = clientOf(server.port, { keepAliveMs: 50 })
  await get()
  await expect.poll(() => ended).toBe(1)
  expect((await get()).body).toBe('x')
})

test('status and Location of what is no page', async () => {
  expect(await answerOf(['HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n'])).toMatchObject({
    status: 302,
    location: '/x',
  })
  expect(await answerOf(['HTTP/1.1 204 No Content\r\n\r\n'])).toMatchObject({ status: 204, body: '' })
})

test('a prepared request holds what the configuration adds, or is left to the general client', () => {
  const request = { url: 'http://u:p%40@h:81/m?x=%20', headers: { Accept: 'a' }, timeoutMs: 1000 }
  const sent = (config: Parameters<typeof plainRequest>[1]): string =>
    Buffer.from(plainRequest(request, config)!.bytes).toString()
  expect(sent({ headers: { 'X-Key': 'k', accept: 'b' } })).toBe(
    'GET /m?x=%20 HTTP/1.1\r\nhost: h:81\r\nconnection: keep-alive\r\nx-key: k\r\naccept: a\r\n' +
      `authorization: Basic ${Buffer.from('u:p@').toString('base64')}\r\n\r\n`,
  )
  expect(sent({ authorization: { type: '', credentials: 't' } })).toContain('\r\nauthorization: Bearer t\r\n')
  expect(sent({ basicAuth: { username: 'a' } })).toContain(`Basic ${Buffer.from('a:').toString('base64')}\r\n`)
  expect(plainRequest({ ...request, url: 'http://[::1]/' })).toMatchObject({ host: '::1', port: 80 })
  expect(plainRequest(request, { proxyUrl: 'http://p' })).toBeUndefined()
  expect(plainRequest(request, { basicAuth: { username: 'u', passwordFile: 'f' } })).toBeUndefined()
  expect(plainRequest(request, { authorization: { type: 'T', credentialsFile: 'f' } })).toBeUndefined()
  expect(plainRequest(request, { headers: { a: 'b\r\nc: d' } })).toBeUndefined()
  expect(plainRequest({ ...request, url: 'https://h/' })).toBeUndefined()
  expect(plainRequest({ ...request, url: 'http://' })).toBeUndefined()
  expect(plainRequest({ ...request, url: 'http://%zz:x@h/' })).toBeUndefined()
})

test('bodies stand in the buffers that were given, also shared ones, as far as they fit', async () => {
  const bodies = ['plain', 'packed', 'x'.repeat(5000), 'packed again'].map((text) => Buffer.from(text))
  const packed = [false, true, true, true]
  const peer = await serve((socket, _request, number) => {
    const body = packed[number] ? gzipSync(bodies[number]!) : bodies[number]!
    const encoding = packed[number] ? 'content-encoding: gzip\r\n' : ''
    socket.write(
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${encoding}content-length: ${body.length}\r\n\r\n`), body]),
    )
  })
  const shared = (): Uint8Array => new Uint8Array(new SharedArrayBuffer(4096))
  const buffers = { read: shared(), unpack: shared() }
  const client = new PlainHttpClient({ keepAliveMs: 60_000, buffers })
  cleanups.push(() => client.close())
  const request = plainRequest({ url: `http://127.0.0.1:${peer.port}/`, timeoutMs: 5000 })!
  const seen: { text: string; buffer: ArrayBufferLike }[] = []
  for (const _ of bodies) {
    await new Promise<void>((resolve, reject) => {
      const onAnswer = ({ body }: { body: Uint8Array }): void => {
        seen.push({ text: Buffer.from(body).toString(), buffer: body.buffer })
        resolve()
      }
      client.exchange(request, { onAnswer, onFailure: reject }).start()
    })
  }
  expect(seen.map(({ text }) => text)).toEqual(bodies.map(String))
  const places = seen.map(({ buffer }) => Object.entries(buffers).find(([, one]) => one.buffer === buffer)?.[0])
  expect(places).toEqual(['read', 'unpack', undefined, 'unpack'])
})
