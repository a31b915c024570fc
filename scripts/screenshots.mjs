// Takes pictures of every page of a running demo into docs/screenshots: `npm run build`, then `npm run screenshots`.
// Starts a server of its own on a free port with data in a temporary folder; needs Chromium (BELLTOWER_CHROMIUM or /usr/bin/chromium).
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const outDir = join(root, 'docs/screenshots')
const WARM_UP_MS = Number(process.env.BELLTOWER_WARM_UP_MS ?? 90_000)
const PAGES = [
  ['home', '/?from=now-5m&to=now'],
  ['dashboard', '/d/tour/x?from=now-5m&to=now'],
  ['dashboards', '/dashboards'],
  ['query', '/query?g0.expr=rate(node_cpu_seconds_total%5B30s%5D)&g0.tab=graph&g0.range_input=5m'],
  ['targets', '/targets'],
  ['alerts', '/alerts'],
  ['silences', '/silences'],
  ['push', '/push'],
  ['status', '/status'],
]

const panel = (id, type, title, x, y, w, h, exprs, unit, more = {}) => ({
  id,
  type,
  title,
  gridPos: { x, y, w, h },
  targets: exprs.map(([expr, legendFormat], i) => ({ refId: 'ABCD'[i], expr, legendFormat })),
  fieldConfig: {
    defaults: { unit, custom: { fillOpacity: 15, ...more.custom }, ...more.defaults },
    overrides: more.overrides ?? [],
  },
  options: { legend: { displayMode: 'list', placement: 'bottom', calcs: [] }, ...more.options },
})
const limits = (warn, crit) => ({
  thresholds: {
    mode: 'absolute',
    steps: [
      { value: null, color: 'green' },
      { value: warn, color: 'orange' },
      { value: crit, color: 'red' },
    ],
  },
  color: { mode: 'thresholds' },
})
const BUSY = '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))'
const tour = {
  uid: 'tour',
  title: 'Tour of a host',
  tags: ['host'],
  graphTooltip: 1,
  refresh: 'off',
  time: { from: 'now-5m', to: 'now' },
  templating: {
    list: [
      {
        name: 'job',
        type: 'query',
        query: 'label_values(up, job)',
        multi: true,
        includeAll: true,
        current: { value: ['$__all'] },
      },
    ],
  },
  panels: [
    panel(1, 'stat', 'Targets up', 0, 0, 4, 4, [['sum(up)', 'up']], 'none', {
      defaults: limits(100, 200),
      options: { colorMode: 'background' },
    }),
    panel(2, 'gauge', 'CPU busy', 4, 0, 4, 4, [[BUSY, 'busy']], 'percentunit', {
      defaults: { min: 0, max: 1, ...limits(0.7, 0.9) },
    }),
    panel(3, 'bargauge', 'Samples per scrape', 8, 0, 8, 4, [['scrape_samples_scraped', '{{job}}']], 'short', {
      options: { orientation: 'horizontal', displayMode: 'lcd' },
      defaults: { min: 0, ...limits(500, 1500) },
    }),
    panel(
      4,
      'piechart',
      'Memory',
      16,
      0,
      8,
      4,
      [
        ['node_memory_MemAvailable_bytes', 'available'],
        ['node_memory_Cached_bytes', 'cached'],
        ['node_memory_Slab_bytes', 'slab'],
      ],
      'bytes',
      { options: { pieType: 'donut', legend: { placement: 'right', values: ['percent'] } } },
    ),
    panel(
      5,
      'timeseries',
      'CPU by mode',
      0,
      4,
      12,
      8,
      [['sum by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[$__rate_interval]))', '{{mode}}']],
      'percentunit',
      { custom: { stacking: { mode: 'normal', group: 'A' }, fillOpacity: 45, lineInterpolation: 'smooth' } },
    ),
    panel(
      6,
      'timeseries',
      'Network',
      12,
      4,
      12,
      8,
      [
        ['sum by (device) (rate(node_network_receive_bytes_total[$__rate_interval]))', '{{device}} in'],
        ['sum by (device) (rate(node_network_transmit_bytes_total[$__rate_interval]))', '{{device}} out'],
      ],
      'Bps',
      {
        overrides: [
          {
            matcher: { id: 'byRegexp', options: '/out$/' },
            properties: [{ id: 'custom.transform', value: 'negative-Y' }],
          },
        ],
      },
    ),
    panel(7, 'heatmap', 'Scrape durations', 0, 12, 12, 7, [['scrape_duration_seconds', '{{job}}']], 's', {
      options: { calculate: true, yAxis: { unit: 's' } },
    }),
    panel(8, 'state-timeline', 'Targets over time', 12, 12, 12, 7, [['up{job=~"$job"}', '{{job}}']], 'none', {
      defaults: {
        mappings: [
          { type: 'value', options: { 1: { text: 'up', color: 'green' }, 0: { text: 'down', color: 'red' } } },
        ],
      },
    }),
  ],
}

const folder = mkdtempSync(join(tmpdir(), 'belltower-shots-'))
writeFileSync(join(folder, 'belltower.yml'), 'global: { scrape_interval: 2s }\nbelltower: { self_monitoring: true }\n')
const child = spawn(
  process.execPath,
  [join(root, 'dist/server/cli.js'), 'server', '--web.listen-address=127.0.0.1:0'],
  { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
)
let browser
try {
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /"url":"(http:[^"]+)"/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  await fetch(`${url}/api/dashboards/db`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ dashboard: tour, overwrite: true }),
  })
  console.log(`collecting data for ${WARM_UP_MS / 1000} s`)
  await setTimeout(WARM_UP_MS)
  mkdirSync(outDir, { recursive: true })
  browser = await chromium.launch({
    executablePath: process.env.BELLTOWER_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  })
  for (const colorScheme of ['dark', 'light']) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme })
    for (const [name, path] of PAGES) {
      await page.goto(url + path)
      await page.locator('main h1').waitFor()
      await page.waitForLoadState('networkidle').catch(() => undefined)
      await setTimeout(600)
      await page.screenshot({ path: join(outDir, `${name}-${colorScheme}.png`) })
      console.log(`${name}-${colorScheme}.png`)
    }
    await page.close()
  }
} finally {
  await browser?.close()
  child.kill('SIGTERM')
  await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()))
  rmSync(folder, { recursive: true, force: true })
}
