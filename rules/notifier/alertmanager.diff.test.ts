import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { createExternalNotifier } from '../index.ts'

const BINARY = 'prometheus-alertmanager'
const hasAlertmanager = spawnSync(BINARY, ['--version']).status === 0
if (!hasAlertmanager) console.log(`skipped: ${BINARY} is not on PATH (Debian: apt install prometheus-alertmanager)`)

/** Its address, once it listens. */
async function startAlertmanager(folder: string): Promise<{ process: ChildProcess; url: string }> {
  await writeFile(join(folder, 'am.yml'), 'route: {receiver: none}\nreceivers: [{name: none}]\n')
  const child = spawn(
    BINARY,
    [
      `--config.file=${join(folder, 'am.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
      '--cluster.listen-address=',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  const address = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`alertmanager did not start: ${log}`)))
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      const found = /Listening on.*address=(127\.0\.0\.1:\d+)/.exec(log)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  return { process: child, url: `http://${address}` }
}

test.skipIf(!hasAlertmanager)('a real Alertmanager takes what we send', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'belltower-am-'))
  const alertmanager = await startAlertmanager(folder)
  const client = createHttpClient({})
  try {
    const notifier = createExternalNotifier({ clock: systemClock, logger: silentLogger, registry: new Registry() })
    notifier.setAlertmanagers([{ url: alertmanager.url, client, timeoutMs: 5000 }])
    const startsAtMs = Math.floor(Date.now() / 1000) * 1000 - 60_000
    await notifier.send([
      {
        labels: ['alertname', 'Down', 'job', 'nöde "1"'],
        annotations: ['summary', 'line 1\nline 2'],
        startsAtMs,
        endsAtMs: startsAtMs + 300_000,
        generatorUrl: 'http://bell.example/graph?g0.expr=up&g0.tab=1',
      },
    ])
    await notifier.stop(5000)
    const response = await client.request({ url: `${alertmanager.url}/api/v2/alerts`, timeoutMs: 5000 })
    const iso = (timeMs: number): string => new Date(timeMs).toISOString()
    expect(JSON.parse(Buffer.from(response.body).toString())).toEqual([
      expect.objectContaining({
        labels: { alertname: 'Down', job: 'nöde "1"' },
        annotations: { summary: 'line 1\nline 2' },
        startsAt: iso(startsAtMs),
        endsAt: iso(startsAtMs + 300_000),
        generatorURL: 'http://bell.example/graph?g0.expr=up&g0.tab=1',
      }),
    ])
  } finally {
    await client.close()
    alertmanager.process.kill('SIGTERM')
    if (alertmanager.process.exitCode === null) await once(alertmanager.process, 'exit')
    await rm(folder, { recursive: true })
  }
})
