// The first minute of a new user: start, open the page, see this host's charts move.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Belltower, startBelltower, temporaryFolder } from '../support/belltower.ts'

const CHROMIUM = process.env.BELLTOWER_CHROMIUM ?? '/usr/bin/chromium'

describe.skipIf(!existsSync(CHROMIUM))('the home page of a running server', () => {
  const folder = temporaryFolder()
  let server: Belltower
  let browser: Browser

  beforeAll(async () => {
    writeFileSync(
      join(folder.path, 'belltower.yml'),
      'global: { scrape_interval: 1s }\nbelltower: { self_monitoring: true }\n',
    )
    server = await startBelltower(folder.path)
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    folder.remove()
  })

  test('charts of this host and of Belltower itself are painted and move; nothing leaves the machine', async () => {
    const page = await browser.newPage({ viewport: { width: 1400, height: 2200 } })
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url)) complaints.push(`request to ${request.url()}`)
    })
    await page.goto(`${server.url}/?from=now-5m&to=now`)
    for (const id of ['cpu-saturation', 'ingest-rate']) {
      const canvas = page.locator(`[data-panel-id="${id}"] canvas`)
      await canvas.waitFor({ timeout: 25_000 })
      const before = await canvas.evaluate((element: { toDataURL(): string }) => element.toDataURL())
      await page.waitForFunction(
        ([selector, old]) => {
          const found = (
            globalThis as unknown as { document: { querySelector(s: string): { toDataURL(): string } | null } }
          ).document
          return found.querySelector(selector!)?.toDataURL() !== old
        },
        [`[data-panel-id="${id}"] canvas`, before],
        { timeout: 20_000 },
      )
    }
    expect(await page.locator('.fact', { hasText: 'Targets up' }).innerText()).toContain('of 3')
    await page.close()
    expect(complaints).toEqual([])
  })
})
