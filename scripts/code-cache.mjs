// Starts the built server once, on a folder of its own, and has every thread write down what V8 compiled for it, for the next
// starts (scripts/load-bundle.cjs). Without it the program starts more slowly and does the same.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads'

const CHANNEL = 'belltower:write-code-cache'
const READY_TIMEOUT_MS = 20_000
const SCRAPES_MS = 1500
const WRITE_MS = 1000
const QUERIES = [
  '/api/v1/query?query=count({__name__=~"process_.*"})',
  '/api/v1/query?query=sum%20by(job)(rate(prometheus_tsdb_head_samples_appended_total[1m]))',
  '/api/v1/query_range?query=sum(process_cpu_seconds_total)&start=START&end=END&step=15',
  '/api/v1/series?match[]=up',
  '/api/v1/targets',
  '/metrics',
]

const folder = mkdtempSync(join(tmpdir(), 'belltower-build-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const port = await freePort()
const config = join(folder, 'belltower.yml')
const job = `{ job_name: self, scrape_interval: 500ms, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }`
writeFileSync(config, `scrape_configs: [${job}]\n`)
process.chdir(folder)
process.argv.splice(
  2,
  process.argv.length,
  'server',
  `--config.file=${config}`,
  `--storage.tsdb.path=${join(folder, 'data')}`,
  `--web.listen-address=127.0.0.1:${port}`,
  '--web.enable-admin-api',
  '--log.level=error',
)
setEnvironmentData(CHANNEL, true)
await import('../dist/server/cli.js')

const url = `http://127.0.0.1:${port}`
await untilReady()
await new Promise((resolve) => setTimeout(resolve, SCRAPES_MS))
const endSeconds = Math.floor(Date.now() / 1000)
for (const query of QUERIES) {
  await ask(query.replace('START', String(endSeconds - 60)).replace('END', String(endSeconds)))
}
// Sealing and blocks have a thread of their own.
await ask('/api/v1/admin/tsdb/snapshot', { method: 'POST' })
new BroadcastChannel(CHANNEL).postMessage('write')
await new Promise((resolve) => setTimeout(resolve, WRITE_MS))
process.exit(0)

async function ask(path, options = {}) {
  const answer = await fetch(url + path, options)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
}

async function untilReady() {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    if (Date.now() > deadlineMs) throw new Error('the server did not start')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
