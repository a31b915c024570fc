// What the pictures show: a shop under load that begins to fail, a target that is down, alerts on their way to three receivers,
// people on call, and batch jobs that push.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { tourBoard } from './tour-board.mjs'

const ERRORS_FROM_SECONDS = 25
const PUSH_EVERY_MS = 5000

/** Writes the configuration. @param shop host and port @param receiver address that takes webhooks */
function writeConfig(folder, shop, receiver) {
  writeFileSync(
    join(folder, 'belltower.yml'),
    `global:
  scrape_interval: 2s
  evaluation_interval: 2s
  external_labels: { site: example }
rule_files: [rules.yml]
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: ['${shop}']
        labels: { team: checkout, tier: web }
    relabel_configs:
      - { source_labels: [__address__], regex: '127.0.0.1:.*', target_label: instance, replacement: shop-1 }
      - { regex: tier, action: labeldrop }
  - job_name: payments
    static_configs:
      - targets: ['127.0.0.1:9']
        labels: { team: checkout }
belltower:
  self_monitoring: true
  alertmanager: alertmanager.yml
  on_call:
    people: [{ name: ada }, { name: boris }, { name: chloe }]
    schedules:
      - name: primary
        time_zone: Europe/Berlin
        layers: [{ people: [ada, boris, chloe], start: 2026-01-05, hand_over: '09:00', rotation: daily }]
      - name: office
        time_zone: Europe/Berlin
        layers:
          - people: [boris, ada]
            start: 2026-01-05
            rotation: weekly
            active: [{ weekdays: ['monday:friday'] }]
    receivers: [{ receiver: operations, escalation: { steps: [{ after: 10m, receiver: checkout-team }] } }]
    expected_heartbeats: [{ name: backup, interval: 24h, grace: 1h }]
`,
  )
  const failing = 'route="/checkout", status_code=~"5.."'
  writeFileSync(
    join(folder, 'rules.yml'),
    `groups:
  - name: shop
    rules:
      - record: job_route:http_requests:rate30s
        expr: sum by (job, route) (rate(http_request_duration_seconds_count[30s]))
      - alert: CheckoutFails
        expr: |
          sum by (job) (rate(http_request_duration_seconds_count{${failing}}[20s]))
            / sum by (job) (rate(http_request_duration_seconds_count{route="/checkout"}[20s])) > 0.1
        for: 10s
        labels: { severity: critical, team: checkout }
        annotations:
          summary: '{{ $value | humanizePercentage }} of the checkouts fail'
          description: Customers cannot pay. More than one checkout in ten has failed for a while.
          runbook_url: https://wiki.example/runbooks/checkout
      - alert: ManyOpenCarts
        expr: shop_open_carts > 5
        for: 1h
        labels: { severity: warning, team: checkout }
        annotations: { summary: '{{ $value }} carts wait for a checkout' }
  - name: targets
    rules:
      - alert: TargetDown
        expr: up == 0
        for: 10s
        labels: { severity: critical }
        annotations: { summary: '{{ $labels.job }} on {{ $labels.instance }} cannot be scraped' }
      - alert: DiskFillsUp
        expr: predict_linear(node_filesystem_avail_bytes{mountpoint="/"}[10m], 24 * 3600) < 0
        for: 30m
        labels: { severity: warning }
      - record: instance:cpu_busy:ratio
        expr: 1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[30s]))
`,
  )
  writeFileSync(
    join(folder, 'alertmanager.yml'),
    `route:
  receiver: operations
  group_by: [alertname, team]
  group_wait: 2s
  group_interval: 5s
  repeat_interval: 4h
  routes:
    - matchers: [team="checkout"]
      receiver: checkout-team
      routes:
        - { matchers: [severity="critical"], receiver: checkout-pager, repeat_interval: 30m }
    - { matchers: [severity="warning"], receiver: daytime, group_by: [alertname], group_wait: 30s }
inhibit_rules:
  - { source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [team] }
receivers:
${['operations', 'checkout-team', 'checkout-pager', 'daytime'].map((name) => `  - name: ${name}\n    webhook_configs: [{ url: '${receiver}/${name}' }]`).join('\n')}
`,
  )
}

/** @returns the process, and a promise of the first match of `pattern` in what it prints */
function startProgram(args, cwd, pattern) {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  const found = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = pattern.exec(line)?.[1]
      if (match !== undefined) resolve(match)
    })
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}`)))
  })
  return { child, found }
}

async function post(url, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
}

async function push(url, path, body) {
  const response = await fetch(`${url}/pushgateway/metrics${path}`, { method: 'PUT', body })
  await response.text()
}

/** One round of what the batch jobs send. */
async function pushAll(url, round) {
  const rows = 900 + Math.round(120 * Math.sin(round))
  await push(
    url,
    '/job/nightly_report/shop/main',
    `# TYPE report_rows gauge\n# HELP report_rows Rows of the last report.\nreport_rows{kind="orders"} ${rows}\nreport_rows{kind="refunds"} ${Math.round(rows / 40)}\n# TYPE report_duration_seconds gauge\nreport_duration_seconds ${2 + Math.sin(round)}\n`,
  )
  await push(url, '/job/backup/database/orders', `backup_bytes ${2.1e9 + round * 4e6}\nbackup_duration_seconds 41.8\n`)
  if (round % 3 === 0) await push(url, '/job/image_resize', 'resized_total 12\nresized_total 12\n')
}

/** Silences one alert and takes the other on, so that the pictures have both. */
export async function actOnAlerts(url) {
  const startsAt = new Date()
  await post(`${url}/alertmanager/api/v2/silences`, {
    matchers: [{ name: 'job', value: 'payments', isRegex: false, isEqual: true }],
    startsAt: startsAt.toISOString(),
    endsAt: new Date(startsAt.getTime() + 2 * 3_600_000).toISOString(),
    createdBy: 'Grace',
    comment: 'The payment provider moves to new machines',
  })
  const own = `${url}/api/belltower/v1/alerting`
  const alerts = await (await fetch(`${url}/alertmanager/api/v2/alerts`)).json()
  const failing = alerts.find(({ labels }) => labels.alertname === 'CheckoutFails')
  if (failing === undefined) throw new Error('the checkout does not fail yet')
  const { destinations } = await (await fetch(`${own}/explain?fingerprint=${failing.fingerprint}`)).json()
  await post(`${own}/acknowledgements`, { groupKey: destinations[0].groupKey, by: 'Ada', comment: 'Looking at it' })
}

/** @returns the address of the server, and a function that ends everything */
export async function startScene(root, folder) {
  const cleanups = []
  const stop = async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
  const run = async (args, pattern) => {
    const { child, found } = startProgram(args, folder, pattern)
    cleanups.push(() => {
      if (child.exitCode !== null) return undefined
      child.kill('SIGTERM')
      return new Promise((resolve) => child.once('exit', resolve))
    })
    return found
  }
  try {
    const receiver = createServer((request, response) => {
      request.resume().on('end', () => response.end('noted'))
    })
    await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => {
      receiver.closeAllConnections()
      receiver.close()
    })
    const shopArgs = ['0', String(ERRORS_FROM_SECONDS * 1000), String(3_600_000)]
    const shop = await run([join(root, 'dist/server/demo/shop-process.js'), ...shopArgs], /^(http:\S+)$/)
    writeConfig(folder, new URL(shop).host, `http://127.0.0.1:${receiver.address().port}`)
    const server = [join(root, 'dist/server/cli.js'), 'server', '--web.listen-address=127.0.0.1:0', '--log.format=json']
    const url = await run(server, /"url":"(http:[^"]+)"/)
    await post(`${url}/api/dashboards/db`, { dashboard: tourBoard, overwrite: true })
    let round = 0
    const timer = setInterval(() => void pushAll(url, round++).catch(() => undefined), PUSH_EVERY_MS)
    cleanups.push(() => clearInterval(timer))
    return { url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
