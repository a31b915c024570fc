import { execFile, spawnSync } from 'node:child_process'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../lib/index.ts'
import { alertmanagerApi } from '../index.ts'
import { Scenario, START_MS } from '../test-support.ts'

const CONFIG = `
route:
  receiver: team.x
  group_by: [alertname]
  routes: [{ receiver: pager, matchers: ['severity="page"'] }]
receivers: [{ name: team.x, webhook_configs: [{ url: 'http://hook/' }] }, { name: pager, labels: { tier: one } }, { name: unused }]
inhibit_rules: [{ source_matchers: [alertname=Source], target_matchers: [alertname=Target] }]
`
const apps: FastifyInstance[] = []

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()))
})

async function start(
  prefix = '',
  clock?: Clock,
  config = CONFIG,
): Promise<{ scenario: Scenario; app: FastifyInstance }> {
  const scenario = await Scenario.start(config, clock && { clock })
  const app = Fastify()
  apps.push(app)
  app.addHook('onClose', () => scenario.alertmanager.stop())
  await app.register(alertmanagerApi(scenario.alertmanager), { prefix })
  return { scenario, app }
}

const iso = (second: number): string => new Date(START_MS + second * 1000).toISOString()
const json = { 'content-type': 'application/json' }
const someSilence = {
  matchers: [{ name: 'alertname', value: 'Down', isRegex: false }],
  startsAt: iso(0),
  endsAt: iso(3600),
  createdBy: 'me',
  comment: 'why',
}
const without = (key: keyof typeof someSilence) => ({ ...someSilence, [key]: undefined })
const UNKNOWN_ID = '9a2ff6a1-5b0c-4b0c-8d0a-000000000000'

describe('exchanges', () => {
  const cases: [what: string, method: string, path: string, body: unknown, status: number, answer: unknown][] = [
    ['no labels', 'POST', '/alerts', [{ labels: {} }], 400, 'at least one label pair required'],
    ['only empty values', 'POST', '/alerts', [{ labels: { a: '' } }], 400, 'at least one label pair required'],
    ['nothing', 'POST', '/alerts', [], 200, undefined],
    [
      'labels absent',
      'POST',
      '/alerts',
      [{ annotations: {} }],
      422,
      { code: 602, message: '0.labels in body is required' },
    ],
    [
      'bad link',
      'POST',
      '/alerts',
      [{ labels: { a: 'b' }, generatorURL: '::' }],
      422,
      { code: 601, message: '0.generatorURL in body must be of type uri: "::"' },
    ],
    [
      'ends before it starts',
      'POST',
      '/alerts',
      [{ labels: { a: 'b' }, startsAt: iso(5), endsAt: iso(4) }],
      400,
      'start time must be before end time',
    ],
    ['bad matcher', 'GET', '/alerts?filter=foo', undefined, 400, 'bad matcher format: foo'],
    [
      'bad receiver',
      'GET',
      '/alerts?receiver=(',
      undefined,
      400,
      'failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`',
    ],
    ['odd flag', 'GET', '/alerts?active=maybe', undefined, 200, []],
    [
      'silence over',
      'POST',
      '/silences',
      { ...someSilence, startsAt: iso(-9), endsAt: iso(-1) },
      400,
      "Failed to create silence: end time can't be in the past",
    ],
    [
      'silence backwards',
      'POST',
      '/silences',
      { ...someSilence, startsAt: iso(9), endsAt: iso(8) },
      400,
      'Failed to create silence: start time must be before end time',
    ],
    [
      'silence of everything',
      'POST',
      '/silences',
      { ...someSilence, matchers: [{ name: 'a', value: '.*', isRegex: true }] },
      400,
      'silence invalid: at least one matcher must not match the empty string',
    ],
    [
      'no matchers',
      'POST',
      '/silences',
      { ...someSilence, matchers: [] },
      422,
      { code: 612, message: 'matchers in body should have at least 1 items' },
    ],
    ['no comment', 'POST', '/silences', without('comment'), 422, { code: 602, message: 'comment in body is required' }],
    ['unknown silence', 'POST', '/silences', { ...someSilence, id: UNKNOWN_ID }, 404, 'silence not found'],
    [
      'bad id',
      'GET',
      '/silence/zzz',
      undefined,
      422,
      { code: 601, message: 'silenceID in path must be of type uuid: "zzz"' },
    ],
    ['unknown id', 'GET', `/silence/${UNKNOWN_ID}`, undefined, 404, undefined],
    ['expire unknown id', 'DELETE', `/silence/${UNKNOWN_ID}`, undefined, 404, 'silence not found'],
    ['no such path', 'GET', '/nope', undefined, 404, { code: 404, message: 'path /api/v2/nope was not found' }],
    [
      'wrong method',
      'PUT',
      '/alerts',
      undefined,
      405,
      { code: 405, message: 'method PUT is not allowed, but [POST,GET] are' },
    ],
    ['receivers in use', 'GET', '/receivers', undefined, 200, [{ name: 'team.x' }, { name: 'pager' }]],
    ['receivers by label', 'GET', '/receivers?receiver_matchers=tier=one', undefined, 200, [{ name: 'pager' }]],
  ]

  test.each(cases)('%s: %s %s', async (_what, method, path, body, status, answer) => {
    const { app } = await start()
    const response = await app.inject({
      method: method as 'GET',
      url: `/api/v2${path}`,
      headers: body === undefined ? {} : json,
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })
    expect(response.body === '' ? undefined : response.json()).toEqual(answer)
    expect(response.statusCode).toBe(status)
    expect(response.headers['access-control-allow-origin']).toBe('*')
    expect(response.headers['cache-control']).toBe('no-store')
  })

  test('a body that is no JSON, or says that it is none', async () => {
    const { app } = await start()
    const post = (type: string, payload: string) =>
      app.inject({ method: 'POST', url: '/api/v2/alerts', headers: { 'content-type': type }, payload })
    expect((await post('application/x-www-form-urlencoded', '[]')).json()).toEqual({
      code: 415,
      message: 'unsupported media type "application/x-www-form-urlencoded", only [application/json] are allowed',
    })
    for (const body of ['x', '{}']) {
      const response = await post('application/json', body)
      expect(response.statusCode).toBe(400)
      expect(response.json<{ message: string }>().message).toMatch(/^parsing alerts body from "" failed, because /)
    }
  })

  test('the good alerts of a batch are kept when another is refused', async () => {
    const { app } = await start()
    const payload = JSON.stringify([{ labels: {} }, { labels: { alertname: 'Good' } }])
    const response = await app.inject({ method: 'POST', url: '/api/v2/alerts', headers: json, payload })
    expect(response.statusCode).toBe(400)
    expect((await app.inject('/api/v2/alerts')).json()).toHaveLength(1)
  })

  test('management, at the root and under a prefix', async () => {
    for (const prefix of ['', '/alertmanager']) {
      const { app } = await start(prefix)
      const get = async (path: string) => app.inject(`${prefix}${path}`)
      for (const path of ['/-/healthy', '/-/ready']) expect((await get(path)).body).toBe('OK')
      expect((await get('/-/reload')).statusCode).toBe(405)
      expect((await app.inject({ method: 'POST', url: `${prefix}/-/reload` })).statusCode).toBe(200)
      const old = await get('/api/v1/alerts')
      expect([old.statusCode, old.json<{ status: string }>().status]).toEqual([410, 'deprecated'])
      expect((await get('/api/v2/nope')).json<{ message: string }>().message).toBe('path /api/v2/nope was not found')
      const metrics = (await get('/metrics')).body
      expect(metrics).toContain('alertmanager_http_request_duration_seconds_count{handler="/-/ready",method="get"')
      expect(metrics).toContain('alertmanager_receivers 2')
    }
  })

  test('a failed reload says why', async () => {
    const scenario = await Scenario.start(CONFIG)
    const app = Fastify()
    apps.push(app)
    await app.register(
      alertmanagerApi(scenario.alertmanager, { reload: () => Promise.reject(new Error('a.yml:1:1: no')) }),
    )
    const response = await app.inject({ method: 'POST', url: '/-/reload' })
    expect([response.statusCode, response.body]).toEqual([500, 'failed to reload config: a.yml:1:1: no\n'])
    await scenario.alertmanager.stop()
  })
})

interface ShownAlert {
  fingerprint: string
  status: { state: string; silencedBy: string[]; inhibitedBy: string[] }
}

describe('what is shown', () => {
  test('an alert with everything about it; its state follows silences and inhibitors at once', async () => {
    const { app, scenario } = await start()
    await scenario.push({ name: 'Target', labels: { severity: 'page' }, annotation: 'x', startS: -1 })
    const shown = async (query = '') => (await app.inject(`/api/v2/alerts${query}`)).json<ShownAlert[]>()
    expect(await shown()).toEqual([
      {
        annotations: { ann: 'x' },
        endsAt: iso(300),
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        receivers: [{ name: 'pager' }],
        startsAt: iso(-1),
        status: { inhibitedBy: [], mutedBy: [], silencedBy: [], state: 'active' },
        updatedAt: iso(0),
        labels: { alertname: 'Target', severity: 'page' },
      },
    ])
    await scenario.push({ name: 'Source' })
    expect((await shown('?filter=alertname=Target'))[0]!.status).toMatchObject({ state: 'suppressed' })
    expect(await shown('?inhibited=false')).toHaveLength(1)
    expect(await shown('?receiver=pag.*')).toHaveLength(1)
    await scenario.push({ name: 'Source', endS: 0 })
    expect((await shown())[0]!.status.inhibitedBy).toEqual([])

    const post = (silence: unknown) =>
      app.inject({ method: 'POST', url: '/api/v2/silences', headers: json, payload: JSON.stringify(silence) })
    const matchers = [{ name: 'alertname', value: 'T.*', isRegex: true }]
    const { silenceID } = (await post({ ...someSilence, matchers })).json<{ silenceID: string }>()
    expect((await shown())[0]!.status.silencedBy).toEqual([silenceID])
    expect(await shown('?silenced=false')).toEqual([])
    const groups = (await app.inject('/api/v2/alerts/groups')).json<{ labels: unknown; receiver: unknown }[]>()
    expect(groups).toMatchObject([{ labels: { alertname: 'Target' }, receiver: { name: 'pager' }, routeLabels: {} }])

    const longer = await post({ ...someSilence, matchers, id: silenceID, endsAt: iso(7200) })
    expect(longer.json<{ silenceID: string }>().silenceID).toBe(silenceID)
    const other = await post({ ...someSilence, id: silenceID })
    expect(other.json<{ silenceID: string }>().silenceID).not.toBe(silenceID)
    const states = (await app.inject('/api/v2/silences')).json<{ status: { state: string } }[]>()
    expect(states.map(({ status }) => status.state)).toEqual(['active', 'expired'])
    expect((await app.inject({ method: 'DELETE', url: `/api/v2/silence/${silenceID}` })).statusCode).toBe(200)
  })

  test('fingerprints are those of the original', async () => {
    const { app, scenario } = await start()
    await scenario.push({ name: 'Bar', labels: { node: '1' } })
    await scenario.push({ name: 'Foo', labels: { severity: 'page', instance: 'x' } })
    const shown = (await app.inject('/api/v2/alerts')).json<ShownAlert[]>()
    expect(shown.map(({ fingerprint }) => fingerprint)).toEqual(['1b04a29ab64a461e', '9ae3daebc8c0b01b'])
  })
})

const amtool = spawnSync('amtool', ['--version']).status === 0

describe.skipIf(!amtool)('the real amtool (skipped unless amtool is on the PATH)', () => {
  test('queries, adds, silences, updates, expires, shows', async () => {
    // amtool reckons with the real time, and reads the configuration by the rules of its own release.
    const { app } = await start('', systemClock, CONFIG.replace('labels: { tier: one }', ''))
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const run = (...args: string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        execFile('amtool', [`--alertmanager.url=${url}`, '--no-version-check', ...args], (error, stdout, stderr) => {
          if (error) reject(new Error(`${args.join(' ')}: ${stderr}`))
          else resolve(stdout)
        })
      })
    await run('alert', 'add', 'Down', 'severity=page', '--annotation=summary=broken')
    expect(await run('alert', 'query', 'severity=~pa.*')).toMatch(/Down .* broken +active/)
    const id = (await run('silence', 'add', 'alertname=Down', '-c', 'works', '-a', 'me', '-d', '1h')).trim()
    expect(await run('silence', 'query')).toContain(id)
    expect(await run('alert', 'query')).not.toContain('Down')
    expect(await run('alert', 'query', '--silenced')).toContain('suppressed')
    expect(await run('silence', 'update', '-d', '3h', id)).toContain(id)
    await run('silence', 'expire', id)
    expect(await run('silence', 'query', '-q')).toBe('')
    expect(await run('config', 'routes', 'test', 'severity=page')).toBe('pager\n')
    expect(await run('config', 'show')).toContain('http://<secret>')
    expect(await run('cluster', 'show')).toContain('disabled')
  })
})
