// Dashboards as Grafana writes them, in a running server and a real browser: import, variables, zoom, editing, versions, links.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder } from '../support/belltower.ts'
import { BOARD, HOSTILE, OLD_BOARD } from '../support/boards.ts'

const CHROMIUM = process.env.BELLTOWER_CHROMIUM ?? '/usr/bin/chromium'
const FIXTURES = new URL('../../dashboards/grafana/testdata/', import.meta.url)
const SIZES = [
  [360, 740],
  [768, 1024],
  [1280, 800],
  [1920, 1080],
] as const

describe.skipIf(!existsSync(CHROMIUM))('dashboards of a running server', () => {
  const folder = temporaryFolder()
  let server: Belltower
  let browser: Browser

  beforeAll(async () => {
    const config = 'global: { scrape_interval: 1s }\nbelltower: { self_monitoring: true }\n'
    writeFileSync(join(folder.path, 'belltower.yml'), config)
    mkdirSync(join(folder.path, 'boards', 'Old'), { recursive: true })
    writeFileSync(join(folder.path, 'boards', 'Old', 'old.json'), JSON.stringify(OLD_BOARD))
    cpSync(FIXTURES, join(folder.path, 'boards', 'Fixtures'), { recursive: true })
    server = await startBelltower(folder.path, ['--dashboards.path=boards'])
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
    await save({ dashboard: BOARD, overwrite: true })
    for (let i = 0; i < 100 && (await server.query('count(up == 1)'))[0]?.value !== '3'; i++) await setTimeout(200)
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    folder.remove()
  })

  const save = async (body: unknown): Promise<{ status: number; answer: Record<string, unknown> }> => {
    const response = await fetch(`${server.url}/api/dashboards/db`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
  }

  /** At the end of the test the page must have complained about nothing and asked nobody else. */
  async function open(path: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(10_000)
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(server.url))
        complaints.push(request.url())
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

  test('every kind of panel is drawn; what cannot be is said to be so; hostile text stays text', async () => {
    const page = await open('/d/every/x?from=now-5m&to=now&refresh=off')
    await page.locator('[data-panel-id="1"] canvas').waitFor()
    expect(await page.locator('[data-panel-id="1"]').getAttribute('aria-label')).toBe(HOSTILE)
    expect(await page.locator('[data-panel-id="90"]').getAttribute('data-placeholder')).toContain('geomap')
    for (const id of await page
      .locator('[data-panel-id]')
      .evaluateAll((all) =>
        all.map((one) => (one as { getAttribute(name: string): string }).getAttribute('data-panel-id')),
      )) {
      const panel = page.locator(`[data-panel-id="${id}"]`)
      await panel.scrollIntoViewIfNeeded()
      await panel
        .locator(
          'canvas, svg:not(.icon), table, .tile-value, .bar-gauge-track, .rich-text, .mini-list, .state, .placeholder',
        )
        .first()
        .waitFor()
      expect(await panel.locator('.state-error').count(), `panel ${id}`).toBe(0)
    }
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    expect(await page.locator('.rich-text strong').innerText()).toBe('bold')
  })

  test('every feature of the fixtures is drawn without an error', async () => {
    const page = await open('/dashboards')
    const found = (await (await fetch(`${server.url}/api/search?query=&tag=fixture`)).json()) as { uid: string }[]
    const uids = found.map(({ uid }) => uid).filter((uid) => uid.startsWith('fixture-'))
    expect(uids).toHaveLength(readdirSync(FIXTURES).length)
    for (const uid of uids) {
      await page.goto(`${server.url}/d/${uid}/x?refresh=off&kiosk`)
      await page.locator('[data-panel-id]').first().waitFor()
      // All panels near the screen at once.
      await page.setViewportSize({ width: 1400, height: 3000 })
      await page.waitForLoadState('networkidle')
      expect(await page.locator('.state-error, .variable-error, [data-placeholder]').allInnerTexts(), uid).toEqual([])
      expect(await page.locator('.panel-notes').count(), uid).toBe(0)
    }
    expect(await page.locator('script:not([src])').count()).toBe(0)
  }, 60_000)

  test('variables: chained, chosen in the bar, kept in the address, repeated over', async () => {
    const page = await open('/d/every/x?from=now-5m&to=now&refresh=off&var-job=node')
    await page.locator('[data-panel-id="20"]').waitFor()
    expect(await page.locator('[data-panel-id="20"]').getAttribute('aria-label')).toBe('Up of node')
    await page.getByRole('button', { name: /^job:/ }).click()
    await page.getByRole('checkbox', { name: 'belltower' }).check()
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.waitForURL(/var-job=node&var-job=belltower/)
    await page.locator('[data-panel-id="20-belltower"]').waitFor()
    await page.goBack()
    await page.locator('[data-panel-id="20-belltower"]').waitFor({ state: 'detached' })
  })

  test('filters: every query gets them, the address keeps them, they can be taken out', async () => {
    await save({
      dashboard: {
        uid: 'filtered',
        title: 'Filtered',
        templating: {
          list: [{ type: 'adhoc', name: 'Filters', filters: [{ key: 'job', operator: '!=', value: 'x' }] }],
        },
        panels: [
          {
            id: 1,
            type: 'timeseries',
            title: 'Up',
            targets: [{ expr: 'up * on (job) group_left up{instance!=""}', legendFormat: '{{job}}' }],
            gridPos: { x: 0, y: 0, w: 24, h: 9 },
          },
        ],
      },
      overwrite: true,
    })
    const page = await open('/d/filtered/x?from=now-5m&to=now&refresh=off')
    const legend = page.getByRole('list', { name: 'Series of Up' }).getByRole('button')
    await expect.poll(() => legend.count()).toBe(3)
    await page.getByRole('button', { name: 'Filter', exact: true }).click()
    await page.getByLabel('Label', { exact: true }).fill('job')
    await page.getByLabel('Value', { exact: true }).fill('belltower')
    await page.keyboard.press('Enter')
    await page.waitForURL(/var-Filters=job%7C%21%3D%7Cx&var-Filters=job%7C%3D%7Cbelltower/)
    await expect.poll(() => legend.allInnerTexts()).toEqual(['belltower'])
    await page.getByRole('button', { name: 'Remove filter job = belltower' }).click()
    await page.getByRole('button', { name: 'Remove filter job != x' }).click()
    await expect.poll(() => legend.count()).toBe(3)
    await page.reload()
    await expect.poll(() => legend.count()).toBe(3)
    expect(await page.locator('.adhoc-filter').count()).toBe(0)
  })

  test('a named time zone is that of the axis, the tooltip and the range', async () => {
    const page = await open('/d/every/x?from=now-5m&to=now&refresh=off&timezone=Asia/Kathmandu')
    await page.locator('[data-panel-id="1"] canvas').waitFor()
    await page.locator('.time-controls .tag', { hasText: 'Kathmandu' }).waitFor()
    await page.locator('[data-panel-id="1"] .chart').hover()
    const shown = await page.locator('.tooltip-time').innerText()
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Kathmandu', hour: '2-digit', minute: '2-digit' })
    const minutes = Array.from({ length: 8 }, (_, i) => clock.format(Date.now() - i * 60_000))
    expect(minutes).toContain(/(\d\d:\d\d):\d\d$/.exec(shown)?.[1])
    await page.locator('.time-controls [aria-haspopup="dialog"]').click()
    await page.getByLabel('Time zone').selectOption('utc')
    await page.waitForURL(/timezone=utc/)
    await page.locator('.time-controls .tag', { hasText: 'UTC' }).waitFor()
  })

  test('an old board from a file: rows fold, dragging zooms, back undoes, one panel alone', async () => {
    const page = await open('/d/old-board/x?from=now-5m&to=now&refresh=off')
    const row = page.locator('[data-row]', { hasText: 'Folded' })
    expect(await row.getAttribute('aria-expanded')).toBe('false')
    await row.click()
    await page.locator('[data-panel-type="gauge"] svg').first().waitFor()
    const box = (await page.locator('[data-panel-type="timeseries"] .chart-surface').first().boundingBox())!
    await page.mouse.move(box.x + 120, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + 260, box.y + 60)
    await page.mouse.up()
    await page.waitForURL(/from=\d{13}/)
    await page.goBack()
    expect(page.url()).toContain('from=now-5m')
    await page.goto(`${server.url}/d/old-board/x?viewPanel=1`)
    await page.locator('[data-panel-id]').waitFor()
    expect(await page.locator('[data-panel-id]').count()).toBe(1)
  })

  test('edit with the keyboard and the drawer, save, compare, restore', async () => {
    await save({
      dashboard: {
        uid: 'edited',
        title: 'Edited',
        panels: [
          {
            id: 1,
            type: 'stat',
            title: 'Targets',
            targets: [{ expr: 'count(up)' }],
            gridPos: { x: 0, y: 0, w: 6, h: 4 },
          },
        ],
      },
      overwrite: true,
    })
    const page = await open('/d/edited/x')
    await page.getByRole('heading', { name: 'Targets' }).waitFor()
    await page.keyboard.press('e')
    await page.locator('.dash-cell').focus()
    await page.keyboard.press('Shift+ArrowRight')
    await page.getByRole('button', { name: 'Edit: Targets' }).click()
    await page.getByRole('complementary', { name: 'Edit panel' }).getByLabel('Title').fill('Up now')
    await page.locator('[data-panel-id="1"][aria-label="Up now"]').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByLabel('What has changed').fill('renamed')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const stored = (await (await fetch(`${server.url}/api/dashboards/uid/edited`)).json()) as {
      dashboard: { panels: { title: string; gridPos: object }[] }
    }
    expect(stored.dashboard.panels[0]).toMatchObject({ title: 'Up now', gridPos: { w: 7, h: 4 } })
    await page.locator('summary[aria-label="More"]').click()
    await page.getByRole('button', { name: 'Versions' }).click()
    await page.getByRole('button', { name: 'Compare' }).last().click()
    await page.locator('.diff-added', { hasText: 'Up now' }).waitFor()
    await page.getByRole('button', { name: 'Restore' }).click()
    await page.locator('[data-panel-id="1"][aria-label="Targets"]').waitFor()
  })

  test('import in the page says what will be missing before it stores anything', async () => {
    const page = await open('/dashboards')
    await page.getByRole('button', { name: 'Import' }).click()
    await page.getByLabel('Or its text').fill(JSON.stringify({ ...BOARD, uid: 'imported', title: 'Imported' }))
    await page.getByText('of them drawn here').waitFor()
    await page.getByText('“geomap” cannot be drawn here').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Import' }).click()
    await page.waitForURL(/\/d\/imported\//)
  })

  test("Grafana's addresses: search, conflict, a file refuses to be saved, delete", async () => {
    const found = (await (await fetch(`${server.url}/api/search?query=old`)).json()) as {
      uid: string
      folderTitle: string
    }[]
    expect(found).toMatchObject([{ uid: 'old-board', folderTitle: 'Old' }])
    expect(await save({ dashboard: { ...OLD_BOARD } })).toMatchObject({ status: 403 })
    expect((await save({ dashboard: { uid: 'gone', title: 'Gone', panels: [] } })).status).toBe(200)
    expect(await save({ dashboard: { uid: 'gone', title: 'Gone', panels: [] } })).toMatchObject({
      status: 412,
      answer: { status: 'version-mismatch' },
    })
    expect(await save({ dashboard: 7 })).toMatchObject({ status: 400 })
    expect((await fetch(`${server.url}/api/dashboards/uid/gone`, { method: 'DELETE' })).status).toBe(200)
    expect((await fetch(`${server.url}/api/dashboards/uid/gone`)).status).toBe(404)
  })

  test('no accessibility fault in both themes, at four sizes nothing is wider than the screen', async () => {
    const page = await open('/dashboards', { colorScheme: 'light' })
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    for (const path of ['/dashboards', '/d/every/x?from=now-5m&to=now&refresh=off', '/d/old-board/x?refresh=off']) {
      await page.goto(server.url + path)
      await page.locator('main h1').waitFor()
      await page.waitForLoadState('networkidle')
      await page.evaluate(axe)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        const faults = await page.evaluate(
          `axe.run({ runOnly: ${colorScheme === 'light' ? "['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']" : "['color-contrast']"} }).then(({ violations }) =>
             violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))`,
        )
        expect(faults, `${path}, ${colorScheme}`).toEqual([])
      }
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height })
        // Charts follow the width a moment later.
        await expect
          .poll(() => page.evaluate('document.documentElement.scrollWidth'), { message: `${path} at ${width}` })
          .toBeLessThanOrEqual(width)
      }
    }
  }, 120_000)
})
