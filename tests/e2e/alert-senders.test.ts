// A real Prometheus and a real vmalert send their alerts to us, as they would to an Alertmanager.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'
import { freePort, hasProgram, startProgram } from '../support/programs.ts'

const ACTIVE_SECONDS = 15

interface Told {
  readonly status: string
  readonly alerts: readonly { status: string; labels: Record<string, string>; generatorURL: string }[]
}

const folder = temporaryFolder()
const told: Told[] = []
const hook = createServer((request, response) => {
  let text = ''
  request.on('data', (chunk: Buffer) => (text += chunk.toString()))
  request.on('end', () => {
    told.push(JSON.parse(text) as Told)
    response.end()
  })
})
let server: Belltower

beforeAll(async () => {
  hook.listen(0, '127.0.0.1')
  await once(hook, 'listening')
  writeFileSync(
    join(folder.path, 'alertmanager.yml'),
    `route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s }
receivers: [{ name: hook, webhook_configs: [{ url: 'http://127.0.0.1:${(hook.address() as AddressInfo).port}/' }] }]
`,
  )
  server = await startBelltower(folder.path, [
    `--alertmanager.config.file=${join(folder.path, 'alertmanager.yml')}`,
    `--storage.tsdb.path=${join(folder.path, 'data')}`,
  ])
}, 60_000)

afterAll(async () => {
  await server?.stop()
  hook.closeAllConnections()
  hook.close()
  folder.remove()
}, 30_000)

/** An alert that is active for a while from now on. */
function writeRules(name: string): string {
  const untilSeconds = Math.ceil(Date.now() / 1000) + ACTIVE_SECONDS
  const path = join(folder.path, `${name}.yml`)
  writeFileSync(
    path,
    `groups:
  - name: g
    interval: 1s
    rules: [{ alert: ${name}, expr: 'vector(time()) < ${untilSeconds}', labels: { severity: page }, annotations: { summary: "at {{ $value }}" } }]
`,
  )
  return path
}

/** Both ends are told, and the alert is shown meanwhile. */
async function expectWholeLife(name: string): Promise<void> {
  const toldOf = (status: string) =>
    waitFor(
      `${name} ${status}`,
      async () => told.find((one) => one.status === status && one.alerts[0]?.labels['alertname'] === name),
      40_000,
    )
  const firing = await toldOf('firing')
  expect(firing.alerts).toMatchObject([{ labels: { severity: 'page' } }])
  expect(URL.canParse(firing.alerts[0]!.generatorURL)).toBe(true)
  const filter = encodeURIComponent(`alertname="${name}"`)
  const shown = (await (await server.get(`/alertmanager/api/v2/alerts?filter=${filter}`)).json()) as unknown[]
  expect(shown).toMatchObject([{ labels: { alertname: name }, receivers: [{ name: 'hook' }] }])
  const nothing = await server.get(`/alertmanager/api/v2/alerts?filter=${encodeURIComponent('alertname="Other"')}`)
  expect(await nothing.json()).toEqual([])
  await toldOf('resolved')
}

const hasPrometheus = hasProgram('prometheus')
if (!hasPrometheus) console.log('skipped: needs prometheus on PATH (Debian: apt install prometheus)')

test.skipIf(!hasPrometheus)('Prometheus', { timeout: 90_000, concurrent: true }, async () => {
  const rules = writeRules('FromPrometheus')
  writeFileSync(
    join(folder.path, 'prometheus.yml'),
    `global: { evaluation_interval: 1s }
rule_files: ['${rules}']
alerting: { alertmanagers: [{ path_prefix: /alertmanager, static_configs: [{ targets: ['${new URL(server.url).host}'] }] }] }
`,
  )
  const { stop } = startProgram(
    'prometheus',
    [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=prometheus',
      `--web.listen-address=127.0.0.1:${await freePort()}`,
      '--rules.alert.resend-delay=1s',
    ],
    folder.path,
  )
  try {
    await expectWholeLife('FromPrometheus')
  } finally {
    await stop()
  }
})

const hasVmalert = hasProgram('vmalert')
if (!hasVmalert) console.log('skipped: needs vmalert on PATH (Debian: apt install victoria-metrics)')

test.skipIf(!hasVmalert)('vmalert', { timeout: 90_000, concurrent: true }, async () => {
  const rules = writeRules('FromVmalert')
  const { stop } = startProgram(
    'vmalert',
    [
      `-rule=${rules}`,
      `-datasource.url=${server.url}`,
      `-notifier.url=${server.url}/alertmanager`,
      `-httpListenAddr=127.0.0.1:${await freePort()}`,
    ],
    folder.path,
  )
  try {
    await expectWholeLife('FromVmalert')
  } finally {
    await stop()
  }
})
