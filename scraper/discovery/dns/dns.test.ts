import { createSocket, type Socket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createDiscovery } from '../create.ts'
import { cleanUp, follow, onCleanUp, parts, until } from '../testing.ts'
import type { DnsRecordType } from './config.ts'

let socket: Socket | undefined
afterEach(async () => {
  await cleanUp()
  await new Promise<void>((resolve) => (socket ? socket.close(() => resolve()) : resolve()))
  socket = undefined
})

const name = (text: string): Buffer =>
  Buffer.concat([...text.split('.').map((part) => Buffer.from([part.length, ...Buffer.from(part)])), Buffer.from([0])])
const u16 = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))

const TYPES: Record<DnsRecordType, number> = { A: 1, NS: 2, MX: 15, AAAA: 28, SRV: 33 }

/** A name server with these records; anything else does not exist. */
async function nameServer(records: Record<string, Buffer[]>): Promise<string> {
  const server = createSocket('udp4', (query, from) => {
    let end = 12
    const parts: string[] = []
    while (query[end] !== 0) {
      parts.push(query.toString('latin1', end + 1, end + 1 + query[end]!))
      end += query[end]! + 1
    }
    const type = query.readUInt16BE(end + 1)
    const found = records[`${parts.join('.')} ${type}`]
    const header = Buffer.concat([query.subarray(0, 2), u16(found ? 0x8180 : 0x8183, 1, found?.length ?? 0, 0, 0)])
    const answers = (found ?? []).map((data) => Buffer.concat([u16(0xc00c, type, 1, 0, 30, data.length), data]))
    server.send(Buffer.concat([header, query.subarray(12, end + 5), ...answers]), from.port, from.address)
  })
  socket = server
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  return `127.0.0.1:${server.address().port}`
}

test('each record type has its address and labels', async () => {
  const server = await nameServer({
    [`_web._tcp.example.org ${TYPES.SRV}`]: [Buffer.concat([u16(1, 2, 8080), name('a.example.org')])],
    [`example.org ${TYPES.A}`]: [Buffer.from([10, 0, 0, 1]), Buffer.from([10, 0, 0, 2])],
    [`example.org ${TYPES.AAAA}`]: [Buffer.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])],
    [`example.org ${TYPES.MX}`]: [Buffer.concat([u16(10), name('mail.example.org')])],
    [`example.org ${TYPES.NS}`]: [name('ns.example.org')],
  })
  const ask = async (type: DnsRecordType, of: string) => {
    const config = { kind: 'dns', names: [of], type, port: 9100, servers: [server] } as const
    return (await until(follow(createDiscovery(config, parts)).targets)).sort((a, b) =>
      a['__address__']! < b['__address__']! ? -1 : 1,
    )
  }
  expect(await ask('SRV', '_web._tcp.example.org')).toEqual([
    {
      __address__: 'a.example.org:8080',
      __meta_dns_name: '_web._tcp.example.org',
      __meta_dns_srv_record_target: 'a.example.org.',
      __meta_dns_srv_record_port: '8080',
    },
  ])
  expect((await ask('A', 'example.org')).map((target) => target['__address__'])).toEqual([
    '10.0.0.1:9100',
    '10.0.0.2:9100',
  ])
  expect(await ask('AAAA', 'example.org')).toEqual([
    { __address__: '[2001:db8::1]:9100', __meta_dns_name: 'example.org' },
  ])
  expect(await ask('MX', 'example.org')).toEqual([
    {
      __address__: 'mail.example.org:9100',
      __meta_dns_name: 'example.org',
      __meta_dns_mx_record_target: 'mail.example.org.',
    },
  ])
  expect(await ask('NS', 'example.org')).toMatchObject([{ __meta_dns_ns_record_target: 'ns.example.org.' }])
})

test('a name that does not exist has no targets; records that vanish take theirs along', async () => {
  const records: Record<string, Buffer[]> = { [`example.org ${TYPES.A}`]: [Buffer.from([10, 0, 0, 1])] }
  const server = await nameServer(records)
  const { targets } = follow(
    createDiscovery(
      {
        kind: 'dns',
        names: ['example.org', 'none.example'],
        type: 'A',
        port: 80,
        servers: [server],
        refreshIntervalMs: 20,
      },
      parts,
    ),
  )
  expect(await until(targets)).toHaveLength(1)
  delete records[`example.org ${TYPES.A}`]
  await until(() => targets()?.length === 0)
})

test('short names are completed as the system does it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-dns-'))
  onCleanUp(() => rmSync(folder, { recursive: true }))
  const resolvConf = join(folder, 'resolv.conf')
  const address = (last: number) => [Buffer.from([10, 0, 0, last])]
  const records = {
    [`web.ns.svc.cluster ${TYPES.A}`]: address(1),
    [`web.svc.cluster ${TYPES.A}`]: address(2),
    [`a.b.c ${TYPES.A}`]: address(3),
    [`a.b.c.svc.cluster ${TYPES.A}`]: address(4),
  }
  const server = await nameServer(records)
  writeFileSync(resolvConf, 'nameserver 192.0.2.1\nsearch ns.svc.cluster svc.cluster.\noptions timeout:1 ndots:2\n')
  const config = { kind: 'dns', type: 'A', port: 1, servers: [server], resolvConf, refreshIntervalMs: 20 } as const
  const names = ['web', 'a.b.c', 'web.svc.cluster.', 'none']
  const { targets } = follow(createDiscovery({ ...config, names }, parts))
  const found = await until(targets)
  expect(found.map((one) => `${one['__meta_dns_name']} ${one['__address__']}`).sort()).toEqual([
    'a.b.c 10.0.0.3:1',
    'web 10.0.0.1:1',
    'web.svc.cluster. 10.0.0.2:1',
  ])
  // The file is read again, and more dots are wanted now.
  writeFileSync(resolvConf, 'domain other\nsearch svc.cluster\noptions ndots:5\n')
  const moved = 'a.b.c 10.0.0.4:1,web 10.0.0.2:1,web.svc.cluster. 10.0.0.2:1'
  await until(
    () =>
      targets()
        ?.map((one) => `${one['__meta_dns_name']} ${one['__address__']}`)
        .sort()
        .join() === moved,
  )
})
