import { createVerify, generateKeyPairSync } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { createHttpClient } from '../../lib/undici-client.ts'
import { GoogleTokens } from './gce/google-tokens.ts'
import { cleanUp, fileOf, onCleanUp, serveJson, setEnv, targetsOf } from './testing.ts'

afterEach(cleanUp)

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

test('GCE: instances of all pages, with a service account', async () => {
  let assertion = ''
  const queries: string[] = []
  const endpoint = await serveJson((request, { pathname, search, searchParams }, body) => {
    if (pathname === '/token') {
      assertion = new URLSearchParams(body).get('assertion')!
      return { access_token: 'ya29', expires_in: 3600 }
    }
    if (request.headers.authorization !== 'Bearer ya29') return undefined
    queries.push(pathname + search)
    const base = 'https://www.googleapis.com/compute/v1/projects/p'
    const instance = {
      id: '4242424242424242424',
      name: 'web',
      status: 'RUNNING',
      zone: `${base}/zones/z`,
      machineType: `${base}/zones/z/machineTypes/e2-small`,
      tags: { items: ['http', 'prod'] },
      labels: { 'my-label': 'v' },
      metadata: { items: [{ key: 'ssh-keys', value: 'k' }, { key: 'empty' }] },
      networkInterfaces: [
        {
          name: 'nic0',
          network: 'n',
          subnetwork: 's',
          networkIP: '10.0.0.1',
          accessConfigs: [{ type: 'ONE_TO_ONE_NAT', natIP: '198.51.100.1' }],
        },
        { name: 'nic1', networkIP: '10.1.0.1' },
      ],
    }
    return searchParams.has('pageToken') ? { items: [{ id: '1' }] } : { items: [instance], nextPageToken: 'more' }
  })
  const account = { type: 'service_account', client_email: 'a@p', private_key: PEM, token_uri: `${endpoint}/token` }
  setEnv('GOOGLE_APPLICATION_CREDENTIALS', fileOf(JSON.stringify(account)))
  expect(
    await targetsOf({ kind: 'gce', project: 'p', zone: 'z', filter: 'name = web', endpoint, tagSeparator: ';' }),
  ).toEqual([
    {
      __address__: '10.0.0.1:80',
      __meta_gce_project: 'p',
      __meta_gce_zone: 'https://www.googleapis.com/compute/v1/projects/p/zones/z',
      __meta_gce_instance_id: '4242424242424242424',
      __meta_gce_instance_name: 'web',
      __meta_gce_instance_status: 'RUNNING',
      __meta_gce_machine_type: 'https://www.googleapis.com/compute/v1/projects/p/zones/z/machineTypes/e2-small',
      __meta_gce_network: 'n',
      __meta_gce_subnetwork: 's',
      __meta_gce_private_ip: '10.0.0.1',
      __meta_gce_public_ip: '198.51.100.1',
      __meta_gce_interface_ipv4_nic0: '10.0.0.1',
      __meta_gce_interface_ipv4_nic1: '10.1.0.1',
      __meta_gce_tags: ';http;prod;',
      __meta_gce_label_my_label: 'v',
      __meta_gce_metadata_ssh_keys: 'k',
    },
  ])
  expect(queries[0]).toBe('/compute/v1/projects/p/zones/z/instances?filter=name+%3D+web')
  const [head, claims, signature] = assertion.split('.')
  expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).toMatchObject({
    iss: 'a@p',
    scope: expect.any(String),
  })
  const isSigned = createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature!, 'base64url')
  expect(isSigned).toBe(true)
})

test('Google tokens: of a user by refresh, of the machine by its metadata', async () => {
  const url = await serveJson((request, { pathname }, body) => {
    if (pathname === '/token') return { access_token: `user ${new URLSearchParams(body).get('refresh_token')}` }
    return request.headers['metadata-flavor'] === 'Google' ? { access_token: 'machine', expires_in: 60 } : undefined
  })
  const client = createHttpClient()
  onCleanUp(() => client.close())
  const user = {
    type: 'authorized_user',
    client_id: 'c',
    client_secret: 's',
    refresh_token: 'r',
    token_uri: `${url}/token`,
  }
  const file = fileOf(JSON.stringify(user))
  expect(await new GoogleTokens(client, 'scope', { GOOGLE_APPLICATION_CREDENTIALS: file }).token()).toBe('user r')
  const env = { HOME: '/nowhere', GCE_METADATA_HOST: url.slice('http://'.length) }
  expect(await new GoogleTokens(client, 'scope', env).token()).toBe('machine')
})

test('Azure: machines and those of scale sets, each by its primary network card', async () => {
  const asked: string[] = []
  const group = '/subscriptions/sub/resourceGroups/My-Group/providers'
  const card = (privateIp: string, publicIp?: string) => ({
    properties: {
      primary: true,
      ipConfigurations: [
        {
          properties: {
            privateIPAddress: privateIp,
            ...(publicIp && { publicIPAddress: { properties: { ipAddress: publicIp } } }),
          },
        },
      ],
    },
  })
  const machine = (id: string, name: string, nics: string[]) => ({
    id,
    name,
    location: 'westeurope',
    tags: { 'my tag': 'v' },
    properties: {
      hardwareProfile: { vmSize: 'Standard_B1s' },
      storageProfile: { osDisk: { osType: 'Linux' } },
      osProfile: { computerName: `${name}.local` },
      networkProfile: { networkInterfaces: nics.map((nic) => ({ id: nic })) },
    },
  })
  const set = `${group}/Microsoft.Compute/virtualMachineScaleSets/pool`
  const pages: Record<string, unknown> = {
    '/subscriptions/sub/providers/Microsoft.Compute/virtualMachines': {
      value: [
        machine(`${group}/Microsoft.Compute/virtualMachines/web`, 'web', [`${group}/nic/second`, `${group}/nic/first`]),
        machine(`${group}/Microsoft.Compute/virtualMachines/gone`, 'gone', [`${group}/nic/none`]),
      ],
    },
    '/subscriptions/sub/providers/Microsoft.Compute/virtualMachineScaleSets': { value: [{ id: set, name: 'pool' }] },
    [`${set}/virtualMachines`]: { value: [machine(`${set}/virtualMachines/0`, 'pool_0', [`${set}/nic`])] },
    [`${group}/nic/second`]: { properties: { primary: false } },
    [`${group}/nic/first`]: card('10.0.0.1', '198.51.100.1'),
    [`${set}/nic`]: card('10.0.0.2'),
  }
  let form = new URLSearchParams()
  const endpoint = await serveJson((request, { pathname, search }, body) => {
    if (pathname === '/ten/oauth2/v2.0/token') {
      form = new URLSearchParams(body)
      return { access_token: 'eyJ', expires_in: 3600 }
    }
    asked.push(pathname + search)
    return request.headers.authorization === 'Bearer eyJ' ? pages[pathname] : undefined
  })
  const account = { subscriptionId: 'sub', tenantId: 'ten', clientId: 'cli', clientSecret: 'sec' }
  const found = await targetsOf({ kind: 'azure', ...account, endpoint, loginEndpoint: endpoint })
  expect(found[0]).toEqual({
    __address__: '10.0.0.1:80',
    __meta_azure_subscription_id: 'sub',
    __meta_azure_tenant_id: 'ten',
    __meta_azure_machine_id: `${group}/Microsoft.Compute/virtualMachines/web`,
    __meta_azure_machine_name: 'web',
    __meta_azure_machine_computer_name: 'web.local',
    __meta_azure_machine_os_type: 'Linux',
    __meta_azure_machine_location: 'westeurope',
    __meta_azure_machine_private_ip: '10.0.0.1',
    __meta_azure_machine_public_ip: '198.51.100.1',
    __meta_azure_machine_resource_group: 'My-Group',
    __meta_azure_machine_size: 'Standard_B1s',
    __meta_azure_machine_tag_my_tag: 'v',
  })
  expect(found[1]).toMatchObject({ __address__: '10.0.0.2:80', __meta_azure_machine_scale_set: 'pool' })
  expect(found).toHaveLength(2)
  expect(Object.fromEntries(form)).toEqual({
    grant_type: 'client_credentials',
    scope: 'https://management.azure.com/.default',
    client_id: 'cli',
    client_secret: 'sec',
  })
  expect(asked.every((path) => path.includes('api-version='))).toBe(true)
})

test('Oracle Cloud: compartments are walked, questions are signed with the key of the user', async () => {
  const signed: boolean[] = []
  const pages: Record<string, unknown> = {
    '/20160918/compartments?compartmentId=ten': [
      { id: 'c1', lifecycleState: 'ACTIVE' },
      { id: 'c2', lifecycleState: 'DELETED' },
    ],
    '/20160918/compartments?compartmentId=c1': [],
    '/20160918/instances?compartmentId=ten': [],
    '/20160918/instances?compartmentId=c1': [
      {
        id: 'i1',
        compartmentId: 'c1',
        displayName: 'web',
        lifecycleState: 'RUNNING',
        shape: 'VM.Standard.E4.Flex',
        availabilityDomain: 'AD-1',
        faultDomain: 'FD-1',
        region: 'iad',
        imageId: 'img',
        freeformTags: { appOwner: 'me' },
        definedTags: { Operations: { 'Cost Center': 42, list: ['x'] } },
      },
    ],
    '/20160918/vnicAttachments?compartmentId=c1': [
      { vnicId: 'v0', lifecycleState: 'DETACHED' },
      { vnicId: 'v1', lifecycleState: 'ATTACHED' },
    ],
    '/20160918/vnics/v1': {
      id: 'v1',
      isPrimary: true,
      privateIp: '10.0.0.1',
      publicIp: '198.51.100.1',
      hostnameLabel: 'web',
      ipv6Addresses: ['2001:db8::2', '2001:db8::1'],
    },
  }
  const endpoint = await serveJson((request, { pathname, search, searchParams }) => {
    const [, keyId, names, signature] =
      /keyId="([^"]+)".*headers="([^"]+)".*signature="([^"]+)"/.exec(String(request.headers.authorization)) ?? []
    const text = names!
      .split(' ')
      .map(
        (name) =>
          `${name}: ${name === '(request-target)' ? `get ${pathname}${search}` : String(request.headers[name])}`,
      )
      .join('\n')
    const isSigned = createVerify('RSA-SHA256').update(text).verify(publicKey, signature!, 'base64')
    signed.push(isSigned && keyId === 'ten/usr/fin')
    const compartment = searchParams.get('compartmentId')
    return pages[compartment === null ? pathname : `${pathname}?compartmentId=${compartment}`]
  })
  const account = { tenancy: 'ten', user: 'usr', fingerprint: 'fin', keyFile: fileOf(PEM) }
  const found = await targetsOf({ kind: 'oci', region: 'us-ashburn-1', ...account, endpointOf: () => endpoint })
  expect(found).toEqual([
    {
      __address__: '10.0.0.1:80',
      __meta_oci_availability_domain: 'AD-1',
      __meta_oci_compartment_id: 'c1',
      __meta_oci_defined_tag_Operations_Cost_Center: '42',
      __meta_oci_fault_domain: 'FD-1',
      __meta_oci_hostname_label: 'web',
      __meta_oci_image_id: 'img',
      __meta_oci_instance_id: 'i1',
      __meta_oci_instance_name: 'web',
      __meta_oci_instance_shape: 'VM.Standard.E4.Flex',
      __meta_oci_instance_state: 'RUNNING',
      __meta_oci_ipv6_addresses: ',2001:db8::1,2001:db8::2,',
      __meta_oci_private_ip: '10.0.0.1',
      __meta_oci_public_ip: '198.51.100.1',
      __meta_oci_region: 'iad',
      __meta_oci_tag_appOwner: 'me',
      __meta_oci_tenancy_id: 'ten',
      __meta_oci_vnic_id: 'v1',
    },
  ])
  expect(signed.length).toBeGreaterThan(5)
  expect(signed.every(Boolean)).toBe(true)
})
