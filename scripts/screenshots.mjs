// Takes pictures of every page of a running server into docs/screenshots: `npm run build`, then `npm run screenshots`.
// `--only=home,alerts` takes some, `--out=folder` and `--format=png` put them elsewhere and otherwise. Starts a server of its own
// on a free port with data in a temporary folder; needs Chromium (BELLTOWER_CHROMIUM or /usr/bin/chromium).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { actOnAlerts, startScene } from './screenshots/scene.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'docs/screenshots') },
    format: { type: 'string', default: 'webp' },
    only: { type: 'string', default: '' },
    'warm-up': { type: 'string', default: '100' },
  },
})
const outDir = resolve(values.out)
const VIEWPORT = { width: 1360, height: 850 }
const QUALITY = 82
const SETTLE_MS = 900
const MARGIN_PX = 16
const RANGE = 'from=now-2m&to=now'
const CPU = 'sum by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[30s]))'

const openFirst = (name) => async (page) => {
  await page.locator(name).first().click()
}
const fillSilence = async (page) => {
  await page.getByLabel('Your name').fill('Ada')
  await page.getByLabel('Why').fill('The payment provider is being changed')
}
/** Name of the picture, address, and what is done before it is taken. */
const PAGES = [
  ['home', `/?${RANGE}`],
  ['dashboard', `/d/tour/x?${RANGE}`],
  ['dashboards', '/dashboards'],
  ['services', `/services?${RANGE}`],
  ['service', `/services/shop?${RANGE}`],
  ['objective', `/services/shop?${RANGE}&objective=90`],
  ['node', `/dashboards/built-in/node?${RANGE}&var-job=shop`],
  ['hosts', `/dashboards/built-in/fleet?${RANGE}`],
  ['alerts-board', `/dashboards/built-in/alerts?${RANGE}`],
  ['push-board', `/dashboards/built-in/push?${RANGE}`],
  ['query', `/query?g0.expr=${encodeURIComponent(CPU)}&g0.tab=graph&g0.range_input=2m`],
  ['targets', '/targets', (page) => page.locator('.endpoint-button').last().click()],
  ['alerts', '/alerts', openFirst('.instance-open')],
  ['alerts-sent', '/alerts?tab=sent'],
  ['silence', '/silences?new=1&filter=%7Bteam%3D%22checkout%22%7D', fillSilence],
  ['on-call', '/on-call'],
  ['rules', '/rules?rule=CheckoutFails', (page) => page.locator('.back-test .chip >> text=1h').click()],
  ['routes', '/routes?labels=alertname%3D%22CheckoutFails%22%2C+team%3D%22checkout%22%2C+severity%3D%22critical%22'],
  ['push', '/push', openFirst('.rule-head >> text=nightly_report')],
  ['cardinality', '/status?tab=cardinality'],
  ['status', '/status'],
]

/** Down to where the page ends, where that is above the window's edge. */
function contentHeight(page) {
  return page.evaluate(
    ([most, below]) => {
      const last = globalThis.document.querySelector('main').lastElementChild
      return Math.min(most, Math.ceil(last.getBoundingClientRect().bottom) + below)
    },
    [VIEWPORT.height, MARGIN_PX],
  )
}

/** WebP is a fifth of the size of PNG, and only the browser's own protocol can write it. */
async function takePicture(page, path, format) {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', {
    format,
    ...(format === 'png' ? {} : { quality: QUALITY }),
    clip: { x: 0, y: 0, width: VIEWPORT.width, height: await contentHeight(page), scale: 1 },
  })
  await session.detach()
  writeFileSync(path, Buffer.from(data, 'base64'))
}

const only = values.only.split(',').filter((name) => name !== '')
const folder = mkdtempSync(join(tmpdir(), 'belltower-shots-'))
let browser
let scene
try {
  scene = await startScene(root, folder)
  const { url } = scene
  console.log(`collecting data for ${values['warm-up']} s`)
  await setTimeout(Number(values['warm-up']) * 1000)
  await actOnAlerts(url)
  mkdirSync(outDir, { recursive: true })
  browser = await chromium.launch({
    executablePath: process.env.BELLTOWER_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  })
  for (const colorScheme of ['dark', 'light']) {
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme })
    for (const [name, path, prepare] of PAGES.filter(([one]) => only.length === 0 || only.includes(one))) {
      await page.goto(url + path)
      await page.locator('main h1').waitFor()
      await page.waitForLoadState('networkidle').catch(() => undefined)
      await prepare?.(page)
      await setTimeout(SETTLE_MS)
      await takePicture(page, join(outDir, `${name}-${colorScheme}.${values.format}`), values.format)
      console.log(`${name}-${colorScheme}.${values.format}`)
    }
    await page.close()
  }
} finally {
  await browser?.close()
  await scene?.stop()
  rmSync(folder, { recursive: true, force: true })
}
