import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createDiscovery } from '../create.ts'
import { cleanUp, follow, hasOpenssl, makeCertificate, onCleanUp, parts, until } from '../testing.ts'
import type { TritonSdConfig } from './config.ts'

afterEach(cleanUp)

const canRun = hasOpenssl('the test of Triton')

test.skipIf(!canRun)('Triton: containers and the nodes they run on, over TLS', async () => {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const { key, cert } = makeCertificate(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...subject])
  const asked: string[] = []
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    asked.push(request.url!)
    const container = {
      vm_uuid: 'v1',
      vm_alias: 'web',
      vm_brand: 'lx',
      vm_image_uuid: 'img',
      server_uuid: 's1',
      groups: ['a', 'b'],
    }
    const isNodes = request.url!.includes('/gz/')
    response.end(
      JSON.stringify(isNodes ? { cns: [{ server_uuid: 's1', server_hostname: 'cn1' }] } : { containers: [container] }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onCleanUp(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const account = { kind: 'triton', account: 'a', dnsSuffix: 'example.org', endpoint: '127.0.0.1', port } as const
  const targetsOf = (more: Partial<TritonSdConfig>) =>
    until(follow(createDiscovery({ ...account, http: { tls: { caFile: cert } }, ...more }, parts)).targets)
  expect(await targetsOf({ groups: ['a', 'b'] })).toEqual([
    {
      __address__: `v1.example.org:${port}`,
      __meta_triton_groups: ',a,b,',
      __meta_triton_machine_alias: 'web',
      __meta_triton_machine_brand: 'lx',
      __meta_triton_machine_id: 'v1',
      __meta_triton_machine_image: 'img',
      __meta_triton_server_id: 's1',
    },
  ])
  expect(await targetsOf({ role: 'cn' })).toEqual([
    { __address__: `s1.example.org:${port}`, __meta_triton_machine_alias: 'cn1', __meta_triton_machine_id: 's1' },
  ])
  expect(asked).toEqual(['/v1/discover?groups=a%2Cb', '/v1/gz/discover'])
})
