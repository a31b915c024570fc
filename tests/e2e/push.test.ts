import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Gauge, Pushgateway, Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'
import { hasProgram } from '../support/programs.ts'

const folder = temporaryFolder()
let server: Belltower

const CONFIG = `global: { scrape_interval: 1s }
belltower: { self_monitoring: true }
`

beforeAll(async () => {
  writeFileSync(join(folder.path, 'belltower.yml'), CONFIG)
  server = await startBelltower(folder.path)
})

afterAll(async () => {
  await server?.stop()
  folder.remove()
})

const valueOf = (expr: string) =>
  waitFor(expr, async () => {
    const found = await server.query(expr)
    return found[0]
  })

test("prom-client's Pushgateway class: push, replace, delete", async () => {
  const registry = new Registry()
  const rows = new Gauge({ name: 'batch_rows', help: 'Rows of the last run.', registers: [registry] })
  rows.set(42)
  const gateway = new Pushgateway(`${server.url}/pushgateway`, {}, registry)
  await gateway.push({ jobName: 'nightly', groupings: { instance: 'db1' } })
  expect(await valueOf('batch_rows')).toMatchObject({
    labels: { __name__: 'batch_rows', job: 'nightly', instance: 'db1' },
    value: '42',
  })
  rows.set(43)
  await gateway.pushAdd({ jobName: 'nightly', groupings: { instance: 'db1' } })
  await valueOf('batch_rows == 43')

  await gateway.delete({ jobName: 'nightly', groupings: { instance: 'db1' } })
  await waitFor('the group to be gone', async () =>
    (await server.query('batch_rows')).length === 0 ? true : undefined,
  )
})

test.skipIf(!hasProgram('curl'))('curl pushes, and what was pushed is there after kill -9', async () => {
  execFileSync('curl', ['-sS', '--fail', '--data-binary', '@-', `${server.url}/pushgateway/metrics/job/by_curl`], {
    input: '# TYPE curl_pushed gauge\ncurl_pushed{kind="text"} 3.5\n',
  })
  expect((await valueOf('curl_pushed')).value).toBe('3.5')
  await server.kill()
  server = await startBelltower(folder.path)
  expect(await (await server.get('/pushgateway/metrics')).text()).toContain(
    'curl_pushed{instance="",job="by_curl",kind="text"} 3.5',
  )
})
