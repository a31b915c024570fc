/**
 * Draws a dashboard of many panels in a real browser: the built pages, with answers made up by a server beside them. Measures
 * the time from data to paint of the visible panels, the frame rate while scrolling, the JavaScript heap and the cost of a
 * pointer move over charts that share a crosshair. Does not measure queries. `npm run bench -- ui`; needs Chromium.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { pack } from 'msgpackr'
import { type Browser, chromium, type Page } from 'playwright-core'
import { uiAssetsDir, uiContentSecurityPolicy, uiIndexHtml } from '../../dashboards/index.ts'
import { printTable } from './table.ts'

const CHROMIUM = process.env.BELLTOWER_CHROMIUM ?? '/usr/bin/chromium'
const MIME: Readonly<Record<string, string>> = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' }
const SETTLE_MS = 1500
const MOVES = 200

export interface UiBenchOptions {
  readonly panels: number
  readonly seriesPerPanel: number
  readonly points: number
  readonly scrollSeconds: number
}

export interface UiBenchResult {
  /** From the last answer for a visible panel to the last of them painted. */
  readonly firstPaintMs: number
  readonly scrollFps: number
  readonly worstFrameMs: number
  /** After a collection, all panels having been shown, less what an empty page of ours takes. */
  readonly heapMb: number
  readonly crosshairMs: number
}

/** @throws where no browser is installed or the user interface has not been built */
export async function runUiBench(options: UiBenchOptions): Promise<UiBenchResult> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing (Debian: apt-get install chromium)`)
  const server = await startServer(options)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let browser: Browser | undefined
  try {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu'] })
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
    await page.addInitScript(RECORDER)
    await page.goto(`${url}/dashboards`)
    await page.waitForTimeout(SETTLE_MS)
    const emptyMb = await heapMb(page)
    await page.goto(`${url}/d/bench/x`)
    await page.locator('.chart canvas').first().waitFor()
    await page.waitForTimeout(SETTLE_MS)
    const firstPaintMs = (await page.evaluate('window.lastPaintMs - window.lastAnswerMs')) as number
    const crosshairMs = (await page.evaluate(MOVE_POINTER)) as number
    const frames = (await page.evaluate(`(${SCROLL})(${options.scrollSeconds * 1000})`)) as number[]
    await page.waitForTimeout(SETTLE_MS)
    return {
      firstPaintMs: Math.max(0, firstPaintMs),
      scrollFps: frames.length / options.scrollSeconds,
      worstFrameMs: Math.max(...frames),
      heapMb: (await heapMb(page)) - emptyMb,
      crosshairMs,
    }
  } finally {
    await browser?.close()
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}

export function printUiResult(result: UiBenchResult): void {
  printTable(
    ['what', 'measured', 'aim'],
    [
      ['first paint of the visible panels after data', `${result.firstPaintMs.toFixed(0)} ms`, '< 300 ms'],
      ['scrolling', `${result.scrollFps.toFixed(1)} fps, worst frame ${result.worstFrameMs.toFixed(0)} ms`, '≥ 55 fps'],
      ['JavaScript heap over an empty page', `${result.heapMb.toFixed(1)} MB`, '< 40 MB'],
      ['pointer move over shared crosshairs', `${result.crosshairMs.toFixed(2)} ms`, '< 2 ms'],
    ],
  )
}

/** Notes in the page when answers came and when a chart was last painted. */
const RECORDER = `
  window.lastPaintMs = 0
  window.lastAnswerMs = 0
  const stroke = CanvasRenderingContext2D.prototype.stroke
  CanvasRenderingContext2D.prototype.stroke = function (...given) {
    window.lastPaintMs = performance.now()
    return stroke.apply(this, given)
  }
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.name.includes('query_range')) window.lastAnswerMs = Math.max(window.lastAnswerMs, entry.responseEnd)
    }
  }).observe({ type: 'resource', buffered: true })
`

/** The work that a move leaves to the next frame is done at once here, so that it is counted. */
const MOVE_POINTER = `(() => {
  const later = window.requestAnimationFrame
  window.requestAnimationFrame = (work) => (work(performance.now()), 0)
  const surface = document.querySelector('.chart-surface')
  const box = surface.getBoundingClientRect()
  const startedMs = performance.now()
  for (let i = 0; i < ${MOVES}; i++) {
    const clientX = box.left + 80 + ((box.width - 120) * i) / ${MOVES}
    surface.dispatchEvent(new PointerEvent('pointermove', { clientX, clientY: box.top + 60, bubbles: true }))
  }
  const meanMs = (performance.now() - startedMs) / ${MOVES}
  window.requestAnimationFrame = later
  return meanMs
})()`

const SCROLL = `(forMs) => new Promise((resolve) => {
  const frames = []
  const end = document.documentElement.scrollHeight - innerHeight
  const startedMs = performance.now()
  let lastMs = startedMs
  const step = (nowMs) => {
    frames.push(nowMs - lastMs)
    lastMs = nowMs
    scrollTo(0, (end * (nowMs - startedMs)) / forMs)
    if (nowMs - startedMs < forMs) requestAnimationFrame(step)
    else resolve(frames)
  }
  requestAnimationFrame(step)
})`

async function heapMb(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number }
  await session.detach()
  return usedSize / 1e6
}

async function startServer(options: UiBenchOptions): Promise<Server> {
  const html = await uiIndexHtml('')
  const server = createServer((request, response) => {
    answer(request, response, html, options).catch((thrown: unknown) => {
      response.writeHead(500).end(String(thrown))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  html: string,
  options: UiBenchOptions,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://x')
  const json = (body: unknown): void =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (pathname === '/api/dashboards/uid/bench')
    return json({ dashboard: board(options), meta: { canSave: false, folderTitle: 'General' } })
  if (pathname === '/api/search') return json([])
  if (pathname === '/api/belltower/v1/query_range_columns') {
    const asked = JSON.parse(await text(request)) as AskedColumns
    return void response
      .writeHead(200, { 'content-type': 'application/vnd.msgpack' })
      .end(columns(asked, options.seriesPerPanel))
  }
  if (pathname === '/api/v1/targets')
    return json({ status: 'success', data: { activeTargets: [], droppedTargets: [] } })
  if (pathname === '/api/v1/rules') return json({ status: 'success', data: { groups: [] } })
  if (pathname.startsWith('/api/')) return json({ status: 'success', data: [] })
  const type = MIME[extname(pathname)]
  if (type !== undefined) {
    const bytes = await readFile(new URL(`.${pathname}`, uiAssetsDir()))
    return void response.writeHead(200, { 'content-type': type }).end(bytes)
  }
  response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': uiContentSecurityPolicy }).end(html)
}

function board({ panels, points }: UiBenchOptions): unknown {
  const spanMs = (points - 1) * 15_000
  return {
    uid: 'bench',
    title: 'Bench',
    graphTooltip: 1,
    time: { from: String(1_700_000_000_000 - spanMs), to: '1700000000000' },
    refresh: '',
    panels: Array.from({ length: panels }, (_, i) => ({
      id: i + 1,
      type: 'timeseries',
      title: `Panel ${i + 1}`,
      gridPos: { x: (i % 2) * 12, y: Math.floor(i / 2) * 7, w: 12, h: 7 },
      maxDataPoints: points * 2,
      interval: '15s',
      targets: [{ refId: 'A', expr: `panel_${i}`, legendFormat: '{{series}}' }],
    })),
  }
}

interface AskedColumns {
  readonly queries: readonly unknown[]
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

/** Random walks from a fixed seed, as docs/formats/query-columns.md has them. */
function columns({ queries, startMs, endMs, stepMs }: AskedColumns, seriesPerPanel: number): Buffer {
  const count = Math.floor((endMs - startMs) / stepMs) + 1
  let seed = 12_345
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return seed / 2 ** 32 - 0.5
  }
  const series = Array.from({ length: seriesPerPanel }, (_, i) => {
    let value = i * 10
    const values = Float64Array.from({ length: count }, () => (value += random()))
    return { labels: ['series', `s${i}`], values: new Uint8Array(values.buffer) }
  })
  return pack([{ startMs, stepMs, count }, ...queries.map(() => ({ series, warnings: [], infos: [] }))])
}

async function text(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}
