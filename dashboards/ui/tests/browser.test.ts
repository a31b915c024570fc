// The built pages in a real browser, under a route prefix and the policy they are served with. Skipped where there is none.
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { HOSTILE, startTestServer, type TestServer } from './test-server.ts'

const CHROMIUM = process.env.BELLTOWER_CHROMIUM ?? '/usr/bin/chromium'
const PREFIX = '/some/prefix'
const JS_BUDGET_BYTES = 130 * 1024
const CSS_BUDGET_BYTES = 15 * 1024

const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser) console.warn(`browser tests are skipped: ${CHROMIUM} is missing (Debian: apt-get install chromium)`)

describe.skipIf(!hasBrowser)('the user interface in a browser', () => {
  let outDir: string
  let server: TestServer
  let browser: Browser

  beforeAll(async () => {
    outDir = await mkdtemp(join(tmpdir(), 'belltower-ui-'))
    const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url))
    await build({ configFile, logLevel: 'error', build: { outDir, emptyOutDir: true } })
    server = await startTestServer(PREFIX, pathToFileURL(`${outDir}/`))
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    if (outDir !== undefined) await rm(outDir, { recursive: true, force: true })
  })

  /** Opens a page; at the end of the test it must have complained about nothing and asked nobody else. */
  async function open(path: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context: BrowserContext = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('status of 400')) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.origin)) complaints.push(`request to ${request.url()}`)
    })
    onTestFinished(async () => {
      const title = await page.title()
      await context.close()
      expect(complaints).toEqual([])
      expect(title).not.toBe('owned')
    })
    await page.goto(server.origin + PREFIX + path)
    return page
  }

  test('home: facts, panels with charts that are painted, hostile labels as text', async () => {
    const page = await open('/')
    const panel = page.locator('[data-panel-id="cpu-saturation"]')
    await panel.locator('canvas').waitFor()
    expect(await panel.getAttribute('aria-label')).toBe('CPU saturation')
    expect(await paintedShare(page, '[data-panel-id="cpu-saturation"] canvas')).toBeGreaterThan(0.005)
    expect(await page.locator('.fact', { hasText: 'Targets up' }).innerText()).toContain('of 2')
    await page.locator('[data-panel-id="disk-space"]', { hasText: HOSTILE }).waitFor()
    expect(await page.locator('[data-panel-id="disk-utilisation"]').count()).toBe(0) // Its metric does not exist.
    expect(await page.locator('img[src="x"]').count()).toBe(0)
  })

  test('home: a row folds and the address remembers it, dragging zooms, back undoes', async () => {
    const page = await open('/?from=now-1h&to=now')
    const row = page.locator('[data-row="network"]')
    await row.click()
    expect(await row.getAttribute('aria-expanded')).toBe('false')
    expect(page.url()).toContain('folded=network')
    const surface = page.locator('[data-panel-id="cpu-saturation"] .chart-surface')
    const box = (await surface.boundingBox())!
    await page.mouse.move(box.x + 100, box.y + 60)
    await page.locator('.tooltip', { hasText: 'tasks waiting' }).waitFor()
    expect(await page.locator('.crosshair:not([hidden])').count()).toBeGreaterThan(2) // All charts share the instant.
    await page.mouse.down()
    await page.mouse.move(box.x + 180, box.y + 60)
    await page.mouse.up()
    await page.waitForURL(/from=\d{13}&to=\d{13}/)
    await page.goBack()
    expect(page.url()).toContain('from=now-1h')
  })

  test('home: a live page asks for all steps once, then only for the newest', async () => {
    const spans: number[] = []
    const page = await open('/?from=now-1h&to=now&refresh=1s&viewPanel=cpu-saturation')
    page.on('request', (request) => {
      if (!request.url().endsWith('/query_range_columns')) return
      const { startMs, endMs } = request.postDataJSON() as { startMs: number; endMs: number }
      spans.push(endMs - startMs)
    })
    await page.locator('[data-panel-id="cpu-saturation"] canvas').waitFor()
    await expect.poll(() => spans.filter((ms) => ms < 300_000).length, { timeout: 10_000 }).toBeGreaterThan(1)
    expect(await paintedShare(page, '[data-panel-id="cpu-saturation"] canvas')).toBeGreaterThan(0.005)
  })

  test('a service by deep link below the prefix: figures, routes, runtime', async () => {
    const page = await open('/services/shop')
    await page.locator('[data-panel-id="duration"] canvas').waitFor()
    await page.locator('[data-panel-id="routes"] td', { hasText: HOSTILE }).first().waitFor()
    await page.locator('[data-panel-id="node-cpu"]').waitFor()
    await page.getByRole('link', { name: 'All services' }).click()
    await page.getByRole('link', { name: 'shop' }).waitFor()
  })

  test('query: an old link opens its graph, a table twin, and errors show their place', async () => {
    const page = await open('/graph?g0.expr=up&g0.tab=0&g0.range_input=10m')
    await page.locator('canvas').waitFor()
    expect(await paintedShare(page, '.query-card canvas')).toBeGreaterThan(0.005)
    await page.getByRole('button', { name: 'Show values' }).click()
    await page.getByRole('rowheader').first().waitFor()
    await page.getByRole('textbox', { name: 'Expression' }).fill('sum(rate(up[5m]')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    const error = page.getByRole('alert')
    await error.waitFor()
    expect(await error.innerText()).toContain('unclosed left parenthesis')
    expect(await error.locator('pre').textContent()).toContain('\n    ^')
  })

  test('query: the editor comes when the field is entered, completes, marks faults, runs with Enter', async () => {
    const page = await open('/query?g0.expr=up')
    await page.getByRole('textbox', { name: 'Expression' }).click()
    const text = page.locator('.cm-content')
    await page.locator('.cm-focused').waitFor()
    expect(await text.innerText()).toBe('up')
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type('node_lo')
    await page.getByRole('option', { name: 'node_load1' }).waitFor()
    await page.waitForTimeout(200) // Offers cannot be accepted in the instant in which they appear.
    await page.keyboard.press('Enter')
    await expect.poll(() => text.innerText()).toBe('node_load1')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('> 2')
    await page.keyboard.press('Enter')
    await page.waitForURL(/g0\.expr=node_load1%0A%3E\+2/)
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type('sum(rate(up')
    await page.keyboard.press('Delete')
    await page.keyboard.press('Delete')
    await page.locator('.cm-lintRange-error, .cm-lintPoint-error').first().waitFor()
    await page.goBack()
    await expect.poll(() => text.innerText()).toBe('up')
    await page.getByLabel('Earlier expressions').selectOption({ index: 1 })
    await page.waitForURL(/g0\.expr=node_load1/)
  }, 60_000)

  test('query: plan, metrics, running queries', async () => {
    const page = await open('/query?g0.expr=sum(up)&g0.show_tree=1')
    await page.getByText('rate of hostile').waitFor()
    expect(await page.locator('.explain-text').first().innerText()).toBe(HOSTILE)
    await page.getByRole('button', { name: 'Run and measure' }).click()
    await page.getByText('3 of 3 series').first().waitFor()
    await page.getByRole('button', { name: 'Browse metrics' }).click()
    await page.getByLabel('Search metrics').fill('seconds_bucket http')
    const row = page.getByRole('row', { name: 'http_request_duration_seconds_bucket' })
    await row.getByText('histogram').waitFor()
    await page.getByRole('button', { name: 'http_request_duration_seconds_bucket', exact: true }).click()
    expect(await page.getByRole('textbox', { name: 'Expression' }).inputValue()).toContain('seconds_bucket')
    await page.getByRole('button', { name: 'Running queries' }).click()
    await page.getByRole('button', { name: 'End' }).click()
    await page.getByText('No query is running.').waitFor()
  })

  test('a link from a notification opens the silence form; it previews and posts', async () => {
    const page = await open(`/alertmanager/#/silences/new?filter=${encodeURIComponent('{alertname="Down"}')}`)
    await page.getByText('Quiets 1 of 1 present alerts').waitFor()
    await page.getByLabel('Your name').fill('Ada')
    await page.getByLabel('Why').fill('planned')
    await page.getByRole('button', { name: 'Create silence' }).click()
    await page.getByRole('button', { name: 'New silence' }).waitFor()
    expect(server.silences).toEqual([
      expect.objectContaining({
        createdBy: 'Ada',
        comment: 'planned',
        matchers: [{ name: 'alertname', value: 'Down', isRegex: false, isEqual: true }],
      }),
    ])
  })

  test('links in annotations and alerts are followed only where they are http', async () => {
    const page = await open('/alerts')
    await page.getByText('runbook_url').waitFor()
    await page.getByRole('button', { name: 'By notification group' }).click()
    await page.getByText('to pager').waitFor()
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
  })

  test('a page without any answer says so', async () => {
    const page = await open('/push')
    await page.getByText('Nothing has been pushed').waitFor()
  })

  test('no accessibility fault on any page in either theme, and nothing is wider than a small phone', async () => {
    const page = await open('/', { colorScheme: 'light' })
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    for (const path of [
      '/',
      '/services',
      '/services/shop',
      '/query?g0.expr=up&g0.tab=graph&g0.show_tree=1',
      '/targets',
      '/alerts',
      '/silences?new=1',
      '/push',
      '/status',
    ]) {
      await page.setViewportSize({ width: 1400, height: 1000 })
      await page.goto(server.origin + PREFIX + path)
      await page.locator('main h1').waitFor()
      await page.waitForLoadState('networkidle')
      await page.evaluate(axe)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const rules = colorScheme === 'light' ? ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] : ['color-contrast']
        const faults = await page.evaluate(
          `axe.run({ runOnly: ${JSON.stringify(rules)} }).then(({ violations }) =>
             violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))`,
        )
        expect(faults, `${path}, ${colorScheme}`).toEqual([])
      }
      await page.setViewportSize({ width: 360, height: 740 })
      await expect
        .poll(() => page.evaluate('document.documentElement.scrollWidth'), { message: path })
        .toBeLessThanOrEqual(360)
    }
  }, 120_000)

  test('what a dashboard loads stays within its budget, without the editor', async () => {
    const names = await readdir(join(outDir, 'assets'))
    const wanted = names.filter((name) => /^(?:index|dashboard)-.*\.js$/.test(name))
    expect(wanted).toHaveLength(2)
    const loaded = new Map<string, number>()
    for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
      if (loaded.has(name)) continue
      const source = await readFile(join(outDir, 'assets', name), 'utf8')
      loaded.set(name, gzipSync(source).length)
      for (const [, imported] of source.matchAll(/(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g))
        wanted.push(imported!)
    }
    expect(loaded.size).toBeGreaterThan(5)
    expect([...loaded.keys()].filter((name) => name.startsWith('promql-editor'))).toEqual([])
    expect([...loaded.values()].reduce((sum, size) => sum + size, 0)).toBeLessThan(JS_BUDGET_BYTES)
  })

  test('what the first page loads stays within its budget', async () => {
    const html = await readFile(join(outDir, 'index.html'), 'utf8')
    const first = [...html.matchAll(/assets\/[^"]+/g)].map(([path]) => path)
    const gzippedBytes = async (ext: string) => {
      const files = first.filter((path) => path.endsWith(ext))
      expect(files.length).toBeGreaterThan(0)
      const sizes = await Promise.all(files.map(async (path) => gzipSync(await readFile(join(outDir, path))).length))
      return sizes.reduce((sum, size) => sum + size, 0)
    }
    expect(await gzippedBytes('.js')).toBeLessThan(JS_BUDGET_BYTES)
    expect(await gzippedBytes('.css')).toBeLessThan(CSS_BUDGET_BYTES)
    for (const file of await readdir(join(outDir, 'assets'))) {
      expect(await readFile(join(outDir, 'assets', file), 'utf8'), file).not.toMatch(
        /https?:\/\/(?!www\.w3\.org|www\.chartjs\.org|localhost)[a-z]/,
      )
    }
  })
})

/** Share of a canvas' pixels that are not transparent. */
function paintedShare(page: Page, selector: string): Promise<number> {
  return page
    .waitForFunction(
      `(() => {
      const canvas = document.querySelector(${JSON.stringify(selector)})
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      let painted = 0
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) painted++
      return painted / (data.length / 4)
    })()`,
    )
    .then((handle) => handle.jsonValue()) as Promise<number>
}
