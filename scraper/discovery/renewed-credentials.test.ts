// What a discovery holds to show who asks may be refused before its time: it is had anew, and the targets stay.
import { createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../lib/index.ts'
import { labelsToRecord } from '../../model/index.ts'
import type { DiscoveryConfig } from './config.ts'
import { createDiscovery } from './create.ts'
import { cleanUp, fileOf, onCleanUp, parts, serve, setEnv, until } from './testing.ts'

afterEach(cleanUp)

const REFUSED = { status: 401, text: '<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>' }

/** Answers JSON, or text with a status. */
function serveAnswers(
  reply: (request: IncomingMessage, path: string, body: string) => object | undefined,
): Promise<string> {
  return serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const answer = reply(request, new URL(request.url!, 'http://host').pathname, body)
      const { status = 200, text = JSON.stringify(answer) } = (answer ?? { status: 404, text: '' }) as Partial<
        typeof REFUSED
      >
      response.writeHead(status, { 'x-subject-token': tokens.current }).end(text)
    })
  })
}

/** Gives out tokens; only the last one counts, until it is revoked. */
class Tokens {
  given = 0
  current = ''
  give(): string {
    return (this.current = `token-${++this.given}`)
  }
  revoke(): void {
    this.current = 'none'
  }
}
let tokens = new Tokens()

// Answers have the time of the usual interval.
const hurried: Clock = { ...systemClock, schedule: (_delayMs, callback) => systemClock.schedule(20, callback) }

/** Runs a discovery that asks often; addresses as they were told each time. */
function run(config: DiscoveryConfig): string[] {
  const told: string[] = []
  const discovery = createDiscovery(config, { ...parts, clock: hurried })
  discovery.run((groups) =>
    told.push(
      groups
        .flatMap((group) => group.targets.map(labelsToRecord))
        .map((labels) => labels['__address__'])
        .join(),
    ),
  )
  onCleanUp(() => discovery.stop())
  return told
}

/** Waits for targets, has what is held refused, and waits for targets again. */
async function expectRenewal(config: DiscoveryConfig, revoke: () => unknown): Promise<void> {
  const told = run(config)
  await until(() => told.length >= 2)
  expect(tokens.given).toBe(1)
  await revoke()
  await until(() => tokens.given === 2)
  const before = told.length
  await until(() => told.length >= before + 2)
  expect(tokens.given).toBe(2)
  expect(new Set(told)).toEqual(new Set(['10.0.0.1:80']))
}

const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

const OPENSTACK = { kind: 'openstack', region: 'One', role: 'hypervisor', username: 'me', password: 'geheim' } as const

test('OpenStack: a token that is refused is renewed', async () => {
  tokens = new Tokens()
  const base: string = await serveAnswers((request, path) => {
    if (path === '/v3/auth/tokens') {
      tokens.give()
      const endpoints = [{ interface: 'public', region_id: 'One', url: `${base}/compute` }]
      const endsAt = new Date(Date.now() + 3_600_000).toISOString()
      return { token: { expires_at: endsAt, catalog: [{ type: 'compute', endpoints }] } }
    }
    if (request.headers['x-auth-token'] !== tokens.current) return REFUSED
    return { hypervisors: [{ id: 1, host_ip: '10.0.0.1' }] }
  })
  await expectRenewal({ ...OPENSTACK, identityEndpoint: base }, () => tokens.revoke())
})

test('OpenStack: a login that is refused is tried once each time', async () => {
  let logins = 0
  const identityEndpoint = await serveAnswers(() => (logins++, REFUSED))
  let failures = 0
  const config = { ...OPENSTACK, identityEndpoint }
  const discovery = createDiscovery(config, { ...parts, clock: hurried, onFailure: () => failures++ })
  onCleanUp(() => discovery.stop())
  discovery.run(() => undefined)
  await until(() => failures >= 3)
  expect(logins).toBeLessThanOrEqual(failures + 1)
})

test('Azure: a token that is refused in the middle is renewed, no machine is missing', async () => {
  tokens = new Tokens()
  let isEnding = false
  const machine = { id: '/vm', name: 'vm', properties: { networkProfile: { networkInterfaces: [{ id: '/nic' }] } } }
  const ipConfigurations = [{ properties: { privateIPAddress: '10.0.0.1' } }]
  const endpoint = await serveAnswers((request, path) => {
    if (path.endsWith('/token')) return { access_token: tokens.give(), expires_in: 3600 }
    if (isEnding && path === '/nic') {
      isEnding = false
      tokens.revoke()
    }
    if (request.headers.authorization !== `Bearer ${tokens.current}`) return REFUSED
    if (path === '/nic') return { properties: { primary: true, ipConfigurations } }
    return { value: path.endsWith('/virtualMachines') ? [machine] : [] }
  })
  const account = { subscriptionId: 'sub', tenantId: 'ten', clientId: 'cli', clientSecret: 'sec' }
  await expectRenewal({ kind: 'azure', ...account, endpoint, loginEndpoint: endpoint }, () => (isEnding = true))
})

test.each(['service_account', 'authorized_user'])('GCE: a token of %s that is refused is renewed', async (type) => {
  tokens = new Tokens()
  const endpoint = await serveAnswers((request, path) => {
    if (path === '/token') return { access_token: tokens.give(), expires_in: 3600 }
    if (request.headers.authorization !== `Bearer ${tokens.current}`) return REFUSED
    return { items: [{ id: '1', networkInterfaces: [{ networkIP: '10.0.0.1' }] }] }
  })
  const account = { type, client_email: 'a@p', private_key: pemOf(newKey().privateKey), token_uri: `${endpoint}/token` }
  setEnv('GOOGLE_APPLICATION_CREDENTIALS', fileOf(JSON.stringify(account)))
  await expectRenewal({ kind: 'gce', project: 'p', zone: 'z', endpoint }, () => tokens.revoke())
})

test.each([
  REFUSED,
  { status: 400, text: '<Response><Errors><Error><Code>RequestExpired</Code></Error></Errors></Response>' },
  { status: 403, text: '<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>' },
])('AWS: keys of a role that are refused ($status) are renewed', async (refusal) => {
  tokens = new Tokens()
  const endpoint = await serveAnswers((request, _path, body) => {
    const action = new URLSearchParams(body).get('Action')
    const keys = () =>
      `<AccessKeyId>${tokens.give()}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>`
    const answer = (inner: string) => ({ status: 200, text: `<Response>${inner}</Response>` })
    if (action === 'AssumeRole') {
      return answer(`<AssumeRoleResult><Credentials>${keys()}</Credentials></AssumeRoleResult>`)
    }
    if (!request.headers.authorization!.includes(`Credential=${tokens.current}/`)) return refusal
    if (action === 'DescribeAvailabilityZones') return answer('<availabilityZoneInfo></availabilityZoneInfo>')
    const instance = '<item><instanceId>i</instanceId><privateIpAddress>10.0.0.1</privateIpAddress></item>'
    return answer(`<reservationSet><item><instancesSet>${instance}</instancesSet></item></reservationSet>`)
  })
  setEnv('AWS_ENDPOINT_URL_STS', endpoint)
  const account = { accessKey: 'AK', secretKey: 'geheim', roleArn: 'arn:aws:iam::1:role/r' }
  await expectRenewal({ kind: 'ec2', region: 'eu-west-1', endpoint, ...account }, () => tokens.revoke())
})

test('Oracle Cloud: a key that was exchanged is read again, no instance is missing', async () => {
  tokens = new Tokens()
  const [first, second] = [newKey(), newKey()]
  const keyFile = fileOf(pemOf(first.privateKey))
  let isExchanged = false
  const exchange = async (): Promise<void> => {
    await writeFile(keyFile, pemOf(second.privateKey))
    isExchanged = true
  }
  let known = first.publicKey
  let seen: KeyObject | undefined
  const endpoint = await serveAnswers((request, path) => {
    const [, names, signature] =
      /headers="([^"]+)".*signature="([^"]+)"/.exec(String(request.headers.authorization)) ?? []
    const value = (name: string) => (name === '(request-target)' ? `get ${request.url!}` : request.headers[name])
    const text = names!.split(' ').map((name) => `${name}: ${String(value(name))}`)
    // In the middle of a round.
    if (isExchanged && path.endsWith('/vnicAttachments')) known = second.publicKey
    if (!createVerify('RSA-SHA256').update(text.join('\n')).verify(known, signature!, 'base64')) return REFUSED
    if (seen !== known) tokens.give()
    seen = known
    if (path.endsWith('/instances')) return [{ id: 'i', compartmentId: 'c' }]
    if (path.endsWith('/vnicAttachments')) return [{ vnicId: 'v', lifecycleState: 'ATTACHED' }]
    return path.endsWith('/v') ? { id: 'v', isPrimary: true, privateIp: '10.0.0.1' } : undefined
  })
  const account = { tenancy: 'ten', user: 'usr', fingerprint: 'fin', keyFile, compartments: ['c'] }
  await expectRenewal({ kind: 'oci', region: 'r', ...account, endpointOf: () => endpoint }, exchange)
})
