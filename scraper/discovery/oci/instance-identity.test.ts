import { createPublicKey, createVerify, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { createDiscovery } from '../create.ts'
import { cleanUp, follow, hasOpenssl, makeCertificate, parts, serve, until } from '../testing.ts'

afterEach(cleanUp)

const canRun = hasOpenssl('the test of instance principals')

test.skipIf(!canRun)('the certificate of an instance is exchanged for a token, whose key signs', async () => {
  const { key, cert } = makeCertificate(['-newkey', 'rsa:2048', '-subj', '/OU=opc-tenant:ten/CN=instance'])
  const certificate = readFileSync(cert, 'utf8')
  const { fingerprint, publicKey } = new X509Certificate(certificate)
  const token = `h.${Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 })).toString('base64url')}.s`
  let sessionKey: KeyObject | undefined
  const signers: string[] = []
  const base = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const url = request.url!
      if (url.startsWith('/identity/')) {
        response.statusCode = request.headers.authorization === 'Bearer Oracle' ? 200 : 401
        return response.end(url.endsWith('key.pem') ? readFileSync(key) : certificate)
      }
      const [, keyId, names, signature] =
        /keyId="([^"]+)".*headers="([^"]+)".*signature="([^"]+)"/.exec(String(request.headers.authorization)) ?? []
      const text = names!
        .split(' ')
        .map((name) => {
          const target = `${request.method!.toLowerCase()} ${url}`
          return `${name}: ${name === '(request-target)' ? target : String(request.headers[name])}`
        })
        .join('\n')
      const isSigned = createVerify('RSA-SHA256')
        .update(text)
        .verify(sessionKey ?? publicKey, signature!, 'base64')
      signers.push(isSigned ? keyId! : `not signed: ${text}`)
      if (url !== '/v1/x509') return response.end('[]')
      const pem = (JSON.parse(body) as { publicKey: string }).publicKey
      sessionKey = createPublicKey({ key: Buffer.from(pem, 'base64'), format: 'der', type: 'spki' })
      return response.end(JSON.stringify({ token }))
    })
  })
  const config = { region: 'eu', auth: 'instance_principal', metadataUrl: base, endpointOf: () => base } as const
  const { targets } = follow(createDiscovery({ kind: 'oci', ...config, compartments: ['c'] }, parts))
  expect(await until(targets)).toEqual([])
  expect(signers).toEqual([`ten/fed-x509/${fingerprint}`, `ST$${token}`])
})
