import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runBelltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'

const folder = temporaryFolder()
const path = join(folder.path, 'belltower.yml')
afterAll(() => folder.remove())

const GOOD = 'global: { scrape_interval: 1s }\nscrape_configs: []\n'
const BAD = `global:
  scrape_interval: 5 minutes
scrape_configs:
  - job_name: a
    metrics_pth: /x
    relabel_configs:
      - { regex: '(', action: drop }
      - { regex: 5, action: 7 }
`
const FAULTS = [
  'belltower.yml:2:3: global.scrape_interval',
  'belltower.yml:5:5: scrape_configs.0.metrics_pth',
  'belltower.yml:7:11: scrape_configs.0.relabel_configs.0.regex',
  'belltower.yml:8:21: scrape_configs.0.relabel_configs.1.action',
]

test('a broken file names every fault with line and column, and the program exits 1', async () => {
  writeFileSync(path, BAD)
  for (const args of [
    ['server', '--config.file=belltower.yml'],
    ['check', 'config', 'belltower.yml'],
  ]) {
    const { code, output } = await runBelltower(args, folder.path)
    expect(code).toBe(1)
    for (const fault of FAULTS) expect(output).toContain(fault)
  }
})

test('the same file at a reload changes nothing and answers 500 with the faults', async () => {
  writeFileSync(path, GOOD)
  const server = await startBelltower(folder.path, ['--config.file=belltower.yml', '--web.enable-lifecycle'])
  try {
    const before = await server.api('/api/v1/status/config')
    writeFileSync(path, BAD)
    const reload = await fetch(`${server.url}/-/reload`, { method: 'POST' })
    expect(reload.status).toBe(500)
    const text = await reload.text()
    for (const fault of FAULTS) expect(text).toContain(fault)
    expect(await server.api('/api/v1/status/config')).toEqual(before)
    expect(await (await server.get('/metrics')).text()).toContain('prometheus_config_last_reload_successful 0')

    writeFileSync(path, GOOD.replace('1s', '2s'))
    server.process.kill('SIGHUP')
    await waitFor('the reload by signal', async () => {
      const { yaml } = await server.api<{ yaml: string }>('/api/v1/status/config')
      return yaml.includes('scrape_interval: 2s') ? true : undefined
    })
  } finally {
    expect(await server.stop()).toBe(0)
  }
})

test('an unknown flag is refused with the nearest name', async () => {
  const { code, output } = await runBelltower(['server', '--storage.tsdb.pth=x'], folder.path)
  expect(code).not.toBe(0)
  expect(output).toContain('--storage.tsdb.path')
})
