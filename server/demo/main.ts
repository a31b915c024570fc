/**
 * `npm run demo`: a shop under load, a batch job, a mailbox, and Belltower watching them. `--check` waits until the alert
 * has been delivered and has resolved, and says by its exit code whether it has.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { errorMessage, systemClock } from '../../lib/index.ts'
import { startBatchJob } from './batch-job.ts'
import { waitForMessages } from './check.ts'
import { type Child, startChild } from './child.ts'
import { writeDemoConfig } from './config.ts'
import { type Mailbox, startMailbox } from './mailbox.ts'

const CHECK_TIMEOUT_MS = 240_000

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    port: { type: 'string', default: '9090' },
    'shop-port': { type: 'string', default: '0' },
    'mailbox-port': { type: 'string', default: '8025' },
    'smtp-port': { type: 'string', default: '0' },
    /** When the shop's errors begin and end, in seconds after the start. */
    'errors-from': { type: 'string', default: '30' },
    'errors-to': { type: 'string', default: '150' },
  },
})

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
const cleanups: (() => unknown)[] = []
const stopping = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
})
let stopped = false
void stopping.then(() => {
  stopped = true
})

try {
  await run()
} catch (error) {
  console.error(errorMessage(error))
  process.exitCode = 1
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup()
}

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-demo-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  const mailbox = await startMailbox({
    port: Number(values['mailbox-port']),
    smtpPort: Number(values['smtp-port']),
    clock: systemClock,
  })
  cleanups.push(() => mailbox.close())
  const shop = await startShopProcess(folder)
  const belltower = await startBelltower(folder, { shop, mailbox })
  const stopJob = startBatchJob({
    pushgatewayUrl: `${belltower.url}/pushgateway`,
    clock: systemClock,
    onError: (message) => console.error(message),
  })
  cleanups.push(stopJob)
  printUrls(belltower, shop, mailbox)

  const childEnded = Promise.race([shop.ended, belltower.ended]).then(() => {
    if (!stopped) throw new Error('a part of the demo ended by itself')
  })
  if (values.check) await Promise.race([check(mailbox), childEnded])
  else await Promise.race([stopping, childEnded])
  stopped = true
}

async function startShopProcess(folder: string): Promise<Child> {
  const errors = [values['errors-from'], values['errors-to']].map((seconds) => String(Number(seconds) * 1000))
  const shop = await startChild([here('./shop-process.js'), values['shop-port'], ...errors], /^(http:\S+)$/, folder)
  cleanups.push(() => shop.stop())
  return shop
}

async function startBelltower(folder: string, parts: { shop: Child; mailbox: Mailbox }): Promise<Child> {
  const config = writeDemoConfig(folder, {
    shop: new URL(parts.shop.url).host,
    smtp: parts.mailbox.smtpAddress,
    smsGatewayUrl: parts.mailbox.url,
  })
  const belltower = await startChild(
    [
      here('../cli.js'),
      'server',
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${values.port}`,
      '--log.format=json',
    ],
    /"url":"(http:[^"]+)"/,
    folder,
  )
  cleanups.push(() => belltower.stop())
  return belltower
}

async function check(mailbox: Mailbox): Promise<void> {
  const missing = await waitForMessages(mailbox, {
    clock: systemClock,
    timeoutMs: CHECK_TIMEOUT_MS,
    stopped: () => stopped,
  })
  if (missing.length > 0) throw new Error(`did not arrive: ${missing.join(', ')}`)
}

function printUrls(belltower: Child, shop: Child, mailbox: Mailbox): void {
  console.log(`
  Belltower   ${belltower.url}
  Shop        ${shop.url}/metrics
  Batch job   pushes every 15 s to ${belltower.url}/pushgateway
  Mailbox     ${mailbox.url}

  The shop's checkout fails from ${values['errors-from']} s to ${values['errors-to']} s after the start. The alert CheckoutFails then
  fires, an e-mail and an SMS reach the mailbox, and another e-mail when it is over. Ctrl-C ends everything.
`)
}
