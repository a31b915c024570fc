import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'

const folder = temporaryFolder()
let server: Belltower

beforeAll(async () => {
  server = await startBelltower(folder.path)
})

afterAll(async () => {
  await server?.stop()
  folder.remove()
})

test('without any configuration it scrapes itself, this host and the Pushgateway', async () => {
  const up = await waitFor('three targets that are up', async () => {
    const samples = await server.query('up')
    return samples.length >= 3 ? samples : undefined
  })
  expect(up.map(({ labels, value }) => [labels.job, value]).sort()).toEqual([
    ['belltower', '1'],
    ['node', '1'],
    ['pushgateway', '1'],
  ])
  expect(await server.query('node_uname_info')).toHaveLength(1)
  expect(await server.query('prometheus_tsdb_head_series')).toHaveLength(1)
})

test("Prometheus' endpoints answer in Prometheus' forms", async () => {
  expect(await (await server.get('/-/healthy')).text()).toBe('Prometheus Server is Healthy.\n')
  expect(await (await server.get('/-/ready')).text()).toBe('Prometheus Server is Ready.\n')
  const targets = await server.api<{ activeTargets: { health: string }[] }>('/api/v1/targets')
  expect(targets.activeTargets.map((target) => target.health)).toEqual(['up', 'up', 'up'])
  expect(await server.api('/api/v1/label/job/values')).toEqual(['belltower', 'node', 'pushgateway'])
  const rules = await server.api<{ groups: { rules: unknown[] }[] }>('/api/v1/rules')
  expect(rules.groups.length).toBeGreaterThan(2)
  expect(await server.api('/api/v1/status/buildinfo')).toHaveProperty('version')
  const bad = await server.get('/api/v1/query?query=sum(')
  expect(bad.status).toBe(400)
  expect(await bad.json()).toMatchObject({
    status: 'error',
    errorType: 'bad_data',
    error: 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis',
  })
  expect((await server.get('/api/v1/nonsense')).status).toBe(404)
})

test('the page is served with a strict content security policy', async () => {
  const page = await server.get('/')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await page.text()).toContain('<div id="app"')
})
