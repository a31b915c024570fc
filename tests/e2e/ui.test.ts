// What somebody on call does, in a real browser against a running server with hostile label values: read alerts, silence one,
// take another on, ask what a rule would have done; by mouse and by keyboard, in both themes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder, waitFor } from '../support/belltower.ts'

const CHROMIUM = process.env.BELLTOWER_CHROMIUM ?? '/usr/bin/chromium'
const HOSTILE = '"><img src=x onerror="document.title=\'owned\'">'
const RIGHT_TO_LEFT = '\u202Eshtap eht\u202C'
const WIDTHS = [1920, 768, 360] as const
const PAGES = [
  '/?from=now-1m&to=now',
  '/dashboards',
  '/dashboards/built-in/node?var-job=belltower',
  '/dashboards/built-in/fleet',
  '/dashboards/built-in/push',
  '/dashboards/built-in/alerts',
  '/services',
  '/query?g0.expr=up&g0.tab=graph',
  '/targets?health=dropped',
  '/targets',
  '/alerts',
  '/alerts?tab=notified',
  '/alerts?tab=sent',
  '/silences?new=1',
  '/on-call',
  '/rules?rule=Broken',
  '/routes?labels=team%3D%22a%22',
  '/push',
  '/status',
  '/status?tab=cardinality',
  '/status?tab=queries',
  '/status?tab=flags',
  '/status?tab=config',
]

const RULES = `groups:
  - name: group
    rules:
      - alert: Broken
        expr: broken_parts > 2
        for: 2s
        labels: { team: a }
        annotations: { summary: 'broken: {{ $labels.part }}' }
      - alert: TargetDown
        expr: up == 0
        labels: { severity: critical }
`
const alertmanagerConfig = (url: string) => `route:
  receiver: everybody
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  routes: [{ matchers: [team="a"], receiver: team-a }]
receivers:
  - { name: everybody, webhook_configs: [{ url: '${url}' }] }
  - { name: team-a, webhook_configs: [{ url: '${url}' }] }
`
const CONFIG = `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: gone
    static_configs: [{ targets: ['127.0.0.1:9'] }]
    relabel_configs: [{ target_label: place, replacement: cellar }]
belltower:
  self_monitoring: true
  alertmanager: alertmanager.yml
  on_call:
    people: [{ name: ada }, { name: grace }, { name: '<img src=x>' }]
    schedules:
      - name: primary
        time_zone: Europe/Berlin
        layers: [{ people: [ada, grace, '<img src=x>'], start: 2026-01-05, hand_over: '09:00', rotation: daily }]
    receivers:
      - { receiver: team-a, escalation: { steps: [{ after: 30m, receiver: everybody }] } }
    expected_heartbeats: [{ name: backup, interval: 24h, grace: 1h }]
`

interface FocusedPage {
  readonly document: { readonly activeElement: unknown }
}

const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser) console.warn(`skipped: ${CHROMIUM} is missing (Debian: apt-get install chromium)`)

describe.skipIf(!hasBrowser)('the pages for whoever is on call', () => {
  const folder = temporaryFolder()
  let receiver: Server
  let server: Belltower
  let browser: Browser

  beforeAll(async () => {
    receiver = createServer((request, response) => void request.resume().on('end', () => response.end('noted')))
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    const { port } = receiver.address() as AddressInfo
    writeFileSync(join(folder.path, 'belltower.yml'), CONFIG)
    writeFileSync(join(folder.path, 'rules.yml'), RULES)
    writeFileSync(join(folder.path, 'alertmanager.yml'), alertmanagerConfig(`http://127.0.0.1:${port}`))
    server = await startBelltower(folder.path)
    await pushHostile(server.url)
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
    await waitFor(
      'notifications',
      async () => {
        const sent = (await (await server.get('/api/belltower/v1/alerting/notifications')).json()) as unknown[]
        return sent.length >= 2 ? true : undefined
      },
      60_000,
    )
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    receiver?.closeAllConnections()
    receiver?.close()
    folder.remove()
  })

  /** Opens a page; at the end of the test it must have complained about nothing and asked nobody else. */
  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1300, height: 1000 }, ...options })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url)) complaints.push(`request to ${request.url()}`)
    })
    onTestFinished(async () => {
      const title = await page.title()
      await context.close()
      expect(complaints).toEqual([])
      expect(title).not.toBe('owned')
    })
    await page.goto(server.url + path)
    return page
  }

  test('an alert: graph, who was told, what was sent; it is silenced with a preview', async () => {
    const page = await open('/alerts?search=Broken')
    const alert = page.locator('.instance', { hasText: HOSTILE }).first()
    await alert.getByRole('button', { name: /^Details/ }).click()
    await alert.locator('canvas').waitFor()
    await alert.getByText('Limit > 2').waitFor()
    await alert.locator('.verdict', { hasText: 'team-a' }).waitFor()
    await alert.getByText('delivered').first().waitFor()
    await alert.getByRole('button', { name: 'Silence' }).click()
    await alert.getByText(/Quiets 1 of \d+ present alerts/).waitFor()
    await alert.getByLabel('Your name').fill('Ada')
    await alert.getByLabel('Why').fill('Part is being replaced')
    await alert.getByRole('button', { name: 'Create silence' }).click()
    await alert.locator('.verdict', { hasText: 'silence' }).waitFor({ timeout: 15_000 })
    await alert.getByRole('link', { name: 'silenced', exact: true }).waitFor({ timeout: 15_000 })
    expect(await page.locator('img[src="x"]').count()).toBe(0)
  }, 60_000)

  test('an alert is acknowledged, which is shown and can be taken back', async () => {
    const page = await open('/alerts?search=TargetDown')
    await page.getByRole('button', { name: /^Details/ }).click()
    await page.getByRole('button', { name: 'Acknowledge' }).click()
    const form = page.getByRole('form', { name: 'Acknowledge' })
    await form.getByLabel('Your name').fill('Grace')
    await form.getByRole('button', { name: 'Take it on' }).click()
    await page.locator('.verdict', { hasText: 'Acknowledged by Grace' }).waitFor({ timeout: 15_000 })
    await page.locator('.state-acked', { hasText: 'acked by Grace' }).waitFor({ timeout: 15_000 })
    await page.getByRole('button', { name: 'Take back' }).click()
    await page.locator('.state-acked').waitFor({ state: 'detached', timeout: 15_000 })
  }, 60_000)

  test('who is on call, and for how long; somebody takes a shift over and gives it back', async () => {
    const page = await open('/on-call')
    const schedule = page.getByRole('region', { name: 'Schedule primary' })
    await schedule.getByText(/ by /).waitFor()
    await page
      .getByRole('region', { name: 'Escalations' })
      .getByText(/^everybody in /)
      .waitFor()
    await page.getByRole('region', { name: 'Signs of life' }).getByText('backup is expected').waitFor()
    await schedule.getByRole('button', { name: 'Override' }).click()
    const form = page.getByRole('form', { name: 'Override of primary' })
    await form.getByLabel('Your name').fill('Ada')
    await form.getByRole('button', { name: 'grace', exact: true }).click()
    await form.getByRole('button', { name: '1h' }).click()
    await form.getByRole('button', { name: 'Put on call' }).click()
    await schedule.locator('.on-duty', { hasText: 'grace by override' }).waitFor()
    await schedule.getByText('The next two weeks').click()
    await schedule.getByRole('cell', { name: 'override' }).waitFor()
    await schedule.getByRole('button', { name: 'Take back' }).click()
    await schedule.locator('.on-duty', { hasText: 'override' }).waitFor({ state: 'detached' })
    expect(await page.locator('img[src="x"]').count()).toBe(0)
  }, 60_000)

  test('a rule is tested against the past; a longer hold would not have fired', async () => {
    const page = await open('/rules?rule=Broken')
    const backTest = page.getByRole('region', { name: 'Back-test of Broken' })
    await backTest.getByRole('button', { name: '1h' }).click()
    await backTest.getByText(/Would have fired 2 times in the last hour/).waitFor()
    await backTest.getByRole('cell', { name: HOSTILE }).first().waitFor()
    await backTest.getByLabel('for').fill('30m')
    await backTest.getByText(/not once in the last hour; 2 times it was over before it fired/).waitFor()
  })

  test('a target tells what made its labels; a route tells who gets an alert', async () => {
    const page = await open('/targets?search=gone')
    await page.getByText('ECONNREFUSED').waitFor()
    await page.getByRole('button', { name: 'http://127.0.0.1:9/metrics' }).click()
    await page.locator('.step .label-added', { hasText: 'place=cellar' }).waitFor()
    await page.goto(`${server.url}/routes`)
    await page.getByLabel('Where would an alert').fill('team="a"')
    await page.locator('.route-hit', { hasText: 'team-a' }).waitFor()
    await page.getByLabel('Where would an alert').fill('team=~"a"')
    await page.getByText('An alert has labels').waitFor()
  })

  test('a pushed group shows its values as text, and is deleted once that is confirmed', async () => {
    await pushHostile(server.url, 'short_lived')
    const page = await open('/push?search=short_lived')
    await page.locator('.rule-head').click()
    await page.getByText(RIGHT_TO_LEFT).first().waitFor()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('button', { name: 'Delete the group now?' }).click()
    await page.getByText('No group matches.').waitFor({ timeout: 15_000 })
  })

  test('built-in boards are offered for what is there, and draw', async () => {
    const page = await open('/dashboards')
    const offers = page.getByRole('region', { name: 'Built in' })
    await offers.getByRole('link', { name: 'Push groups' }).waitFor()
    expect(await offers.getByText('Probes').count()).toBe(0) // Nothing is probed.
    await offers.getByRole('link', { name: 'Hosts' }).click()
    await page.locator('[data-panel-id="fleet-cpu-use"] canvas').waitFor()
    await page.locator('[data-panel-id="fleet-hosts-table"] tbody tr').first().waitFor()
  })

  test('by keyboard alone: to the alerts, to one of them, into its silence form and out of it', async () => {
    const page = await open('/')
    await page.locator('main h1').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await page.locator('.instance-open').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.locator('.alert-detail').waitFor()
    await page.keyboard.press('s')
    const name = page.getByLabel('Your name')
    await name.waitFor()
    await page.getByRole('button', { name: 'Silence', exact: true }).focus()
    const focused = () =>
      name.evaluate((field) => field === (globalThis as unknown as FocusedPage).document.activeElement)
    for (let i = 0; i < 20 && !(await focused()); i++) await page.keyboard.press('Tab')
    await page.keyboard.type('Ada')
    expect(await name.inputValue()).toBe('Ada')
    await page.getByRole('button', { name: 'Cancel' }).press('Enter')
    await name.waitFor({ state: 'detached' })
  })

  test('a query with an error says where; a right one is drawn with hostile labels as text', async () => {
    const page = await open('/query?g0.expr=sum(rate(up[5m]&g0.tab=graph')
    const error = page.getByRole('alert')
    await error.waitFor()
    expect(await error.innerText()).toContain('unclosed left parenthesis')
    expect(await error.locator('pre').textContent()).toMatch(/^sum\(rate\(up\[5m\]\n +\^/)
    await page.goto(`${server.url}/query?g0.expr=broken_parts&g0.tab=graph&g0.range_input=5m`)
    await page.locator('.query-card canvas').waitFor()
    await page.locator('.query-card', { hasText: '<img src=x' }).waitFor()
    await page.goto(`${server.url}/query?g0.expr=broken_parts&g0.tab=table`)
    await page.locator('.series-cell', { hasText: 'yyyy' }).waitFor()
    expect(await page.locator('img[src="x"]').count()).toBe(0)
  })

  test('no page has a serious accessibility fault in either theme, and none is wider than its screen', async () => {
    const page = await open('/', { colorScheme: 'dark' })
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    for (const path of PAGES) {
      await page.setViewportSize({ width: 1300, height: 1000 })
      await page.goto(server.url + path)
      await page.locator('main h1').waitFor()
      await page.waitForLoadState('networkidle').catch(() => undefined)
      if (path === '/alerts') await page.locator('.instance-open').first().click()
      await page.evaluate(axe)
      for (const colorScheme of ['dark', 'light'] as const) {
        await page.emulateMedia({ colorScheme })
        const rules = colorScheme === 'dark' ? ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] : ['color-contrast'] // The rest is the same.
        const faults = await page.evaluate(
          `axe.run({ runOnly: ${JSON.stringify(rules)} }).then(({ violations }) =>
             violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) =>
               v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))`,
        )
        expect.soft(faults, `${path}, ${colorScheme}`).toEqual([])
      }
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 })
        // Charts follow the width a moment later.
        await expect
          .poll(() => page.evaluate('document.documentElement.scrollWidth'), { timeout: 5000, message: path })
          .toBeLessThanOrEqual(width)
      }
    }
  }, 240_000)
})

/** Two series whose labels want to be more than text, one of them very long. */
async function pushHostile(url: string, job = 'factory'): Promise<void> {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  const body = `# TYPE broken_parts gauge
broken_parts{part=${quoted(HOSTILE)},note=${quoted(RIGHT_TO_LEFT)}} 3
broken_parts{part="long",note=${quoted(`${'y'.repeat(10_000)}\u0000end`)}} 4
`
  const response = await fetch(`${url}/pushgateway/metrics/job/${job}`, { method: 'PUT', body })
  if (!response.ok) throw new Error(`push: ${response.status} ${await response.text()}`)
}
