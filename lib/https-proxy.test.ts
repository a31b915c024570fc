import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createHttpClient } from './undici-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'belltower-https-proxy-'))
const [caFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
const hasCertificate = (() => {
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-days', '2']
  try {
    execFileSync('openssl', ['req', '-x509', '-nodes', ...kind, ...names, '-keyout', keyFile, '-out', caFile], {
      stdio: 'ignore',
    })
    return true
  } catch {
    console.log('skipped: tests of proxies behind TLS need openssl to make a certificate')
    return false
  }
})()

const cleanups: (() => unknown)[] = [() => rmSync(folder, { recursive: true })]
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  return (server.address() as AddressInfo).port
}

test.skipIf(!hasCertificate)(
  'a proxy behind TLS is checked as a target is; what speaks no TLS is told so',
  async () => {
    const keys = { cert: readFileSync(caFile), key: readFileSync(keyFile) }
    const page = await portOf(createServer(keys, (_request, response) => response.end('page')))
    const asked: string[] = []
    const proxy = createServer(keys)
    proxy.on('connect', (request, socket) => {
      asked.push(request.url!)
      const there = connect(page, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        there.pipe(socket).pipe(there)
      })
      for (const end of [there, socket]) end.on('error', () => (there.destroy(), socket.destroy()))
    })
    const proxyUrl = `https://localhost:${await portOf(proxy)}`
    const get = async (url: string, tls: { caFile?: string }) => {
      const client = createHttpClient({ proxyUrl, tls })
      try {
        return Buffer.from((await client.request({ url, timeoutMs: 5000 })).body).toString()
      } finally {
        await client.close()
      }
    }
    expect(await get('https://localhost:1/', { caFile })).toBe('page')
    expect(asked).toEqual(['localhost:1'])
    await expect(get('https://localhost:1/', {})).rejects.toThrow('self-signed certificate')

    const plain = await portOf(createHttpServer())
    const client = createHttpClient()
    cleanups.push(() => client.close())
    await expect(client.request({ url: `https://127.0.0.1:${plain}/`, timeoutMs: 5000 })).rejects.toThrow(
      `GET https://127.0.0.1:${plain}/: the other side does not speak TLS`,
    )
  },
)
