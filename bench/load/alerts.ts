// A great many alerts: 100,000 active ones in 5,000 groups by default, given to our Alertmanager and to the real one, one
// after the other. Measures how long each call takes, how long small requests had to wait meanwhile (is anything held up?),
// the CPU of the process, its memory, and when the notifications of all groups had arrived.
// The data go over loopback; answers are read and not parsed. Ours writes every alert to its log before it answers.
// Run: npm run bench -- alerts; about three minutes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { loadavg } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endsWithBench, makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { sleepSeconds } from './session.ts'
import { printTable, ratioText } from './table.ts'
import { usageOf } from './usage.ts'

const CLI = fileURLToPath(new URL('../../server/cli.js', import.meta.url))
const READY_TIMEOUT_MS = 30_000
const CALL_TIMEOUT_MS = 120_000
/** As many as a Prometheus sends at once. */
const BATCH = 256
const DISPATCH_PATIENCE_SECONDS = 120
const PULSE_MS = 5

export interface AlertsBenchOptions {
  readonly alerts: number
  readonly groups: number
  /** Time for the calls before the first notification. */
  readonly groupWaitSeconds: number
}

interface CallResult {
  readonly call: string
  readonly ms: number
  readonly cpuMs: number
  /** Of small requests that were sent meanwhile. */
  readonly slowestOtherMs: number
  readonly bytes: number
}

export interface AlertsResult {
  readonly name: string
  readonly calls: readonly CallResult[]
  /** From the time at which the last group was due to the last notification. */
  readonly dispatchSeconds: number
  readonly notifications: number
  readonly slowestDuringDispatchMs: number
  readonly residentBytes: number
}

interface Contender {
  readonly name: string
  readonly program: string
  args(parts: { config: string; data: string; address: string }): string[]
}

const CONTENDERS: readonly Contender[] = [
  {
    name: 'belltower',
    program: process.execPath,
    args: ({ config, data, address }) => [
      CLI,
      'alertmanager',
      `--config.file=${config}`,
      `--storage.path=${data}`,
      `--web.listen-address=${address}`,
    ],
  },
  {
    name: 'alertmanager',
    program: 'prometheus-alertmanager',
    args: ({ config, data, address }) => [
      `--config.file=${config}`,
      `--storage.path=${data}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
  },
]

export async function runAlertsBench(options: AlertsBenchOptions): Promise<AlertsResult[]> {
  console.log(`load average at start: ${loadavg()[0]!.toFixed(2)}`)
  const results: AlertsResult[] = []
  for (const contender of CONTENDERS) {
    if (isHere(contender.program)) results.push(await measure(contender, options))
    else console.log(`${contender.name}: not here, left out`)
  }
  return results
}

export function printAlertsResults(results: readonly AlertsResult[]): void {
  const base = results.find(({ name }) => name === 'belltower')
  const others = results.filter((result) => result !== base)
  const row = (title: string, pick: (result: AlertsResult) => number, digits: number): string[] => [
    title,
    ...results.map((result) => pick(result).toFixed(digits)),
    ...others.map((result) => ratioText(pick(result), base && pick(base))),
  ]
  const calls = results[0]?.calls ?? []
  printTable(
    ['', ...results.map(({ name }) => name), ...others.map(({ name }) => `${name} / belltower`)],
    [
      ...calls.flatMap(({ call }, i) => [
        row(`${call}: ms`, (r) => r.calls[i]!.ms, 0),
        row('  slowest other request: ms', (r) => r.calls[i]!.slowestOtherMs, 0),
        row('  CPU ms', (r) => r.calls[i]!.cpuMs, 0),
        row('  answer: MB', (r) => r.calls[i]!.bytes / 1e6, 1),
      ]),
      row('notifications', (r) => r.notifications, 0),
      row('  the last one, after all were due: s', (r) => r.dispatchSeconds, 1),
      row('  slowest other request: ms', (r) => r.slowestDuringDispatchMs, 0),
      row('resident MB', (r) => r.residentBytes / 1e6, 1),
    ],
  )
}

async function measure(contender: Contender, options: AlertsBenchOptions): Promise<AlertsResult> {
  const folder = makeBenchFolder()
  const hook = await startHook()
  const address = `127.0.0.1:${await freePort()}`
  const config = join(folder, 'alertmanager.yml')
  writeFileSync(config, configText(hook.url, options.groupWaitSeconds))
  const args = contender.args({ config, data: join(folder, 'data'), address })
  const child = endsWithBench(spawn(contender.program, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: folder }))
  const agent = new Agent({ keepAlive: true })
  try {
    const url = `http://${address}`
    await untilReady(url, agent)
    const call = (name: string, bodies: readonly (string | undefined)[], path: string): Promise<CallResult> =>
      timed(name, { pid: child.pid!, url, agent }, async () => {
        let bytes = 0
        for (const body of bodies) bytes += await send(`${url}/api/v2${path}`, agent, body)
        return bytes
      })
    const batches = batchesOf(options)
    const posted = await call(`POST, ${BATCH} alerts at a time`, batches, '/alerts')
    // By then the waiting of every group is over.
    const dueAtMs = Date.now() + options.groupWaitSeconds * 1000
    const calls = [
      posted,
      await call('POST, all at once', [`[${batches.map((batch) => batch.slice(1, -1)).join(',')}]`], '/alerts'),
      await call('GET alerts', [undefined], '/alerts'),
      await call('GET alerts, filtered', [undefined], '/alerts?filter=severity%3D%22page%22'),
      await call('GET groups', [undefined], '/alerts/groups'),
    ]
    const pulse = startPulse(url, agent)
    const deadlineMs = dueAtMs + DISPATCH_PATIENCE_SECONDS * 1000
    while (hook.groups.size < options.groups && Date.now() < deadlineMs) await sleepSeconds(0.05)
    const slowestDuringDispatchMs = await pulse.stop()
    return {
      name: contender.name,
      calls,
      dispatchSeconds: Math.max(0, hook.lastAtMs() - dueAtMs) / 1000,
      notifications: hook.groups.size,
      slowestDuringDispatchMs,
      residentBytes: usageOf(child.pid!).residentBytes,
    }
  } finally {
    agent.destroy()
    child.kill('SIGKILL')
    await once(child, 'exit')
    await hook.close()
    removeBenchFolder(folder)
  }
}

const configText = (hookUrl: string, groupWaitSeconds: number): string => `route:
  receiver: none
  group_by: [alertname]
  group_wait: ${groupWaitSeconds}s
  group_interval: 5m
  routes: [{ receiver: hook, matchers: [team=~"t.*"] }]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="page"]
    equal: [alertname]
receivers:
  - name: none
  - name: hook
    webhook_configs: [{ url: '${hookUrl}', max_alerts: 5 }]
`

/** Bodies of `BATCH` alerts each. */
function batchesOf({ alerts, groups }: AlertsBenchOptions): string[] {
  const bodies: string[] = []
  const startsAt = new Date().toISOString()
  const endsAt = new Date(Date.now() + 3_600_000).toISOString()
  for (let first = 0; first < alerts; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, alerts - first) }, (_, i) => {
      const id = first + i
      return {
        labels: {
          alertname: `Alert${id % groups}`,
          instance: `host${id}.example.org:9100`,
          job: `job${id % 50}`,
          severity: id % 10 === 0 ? 'page' : 'warning',
          team: `t${id % 7}`,
        },
        annotations: {
          summary: `Something is wrong on host${id}`,
          description: 'A sentence that says more about it, as they do, with a number: 0.9317',
        },
        startsAt,
        endsAt,
        generatorURL: `http://prometheus.example.org/graph?g0.expr=up%7Bjob%3D%22job${id % 50}%22%7D+%3D%3D+0&g0.tab=1`,
      }
    })
    bodies.push(JSON.stringify(batch))
  }
  return bodies
}

async function timed(
  call: string,
  target: { readonly pid: number; readonly url: string; readonly agent: Agent },
  run: () => Promise<number>,
): Promise<CallResult> {
  const pulse = startPulse(target.url, target.agent)
  const cpuBefore = usageOf(target.pid).cpuSeconds
  const startedAt = performance.now()
  const bytes = await run()
  const ms = performance.now() - startedAt
  const cpuMs = (usageOf(target.pid).cpuSeconds - cpuBefore) * 1000
  return { call, ms, cpuMs, bytes, slowestOtherMs: await pulse.stop() }
}

/** Asks whether it is healthy, again and again. */
function startPulse(url: string, agent: Agent): { stop(): Promise<number> } {
  let isRunning = true
  let slowestMs = 0
  const done = (async () => {
    while (isRunning) {
      const startedAt = performance.now()
      await send(`${url}/-/healthy`, agent)
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      await sleepSeconds(PULSE_MS / 1000)
    }
  })()
  return {
    async stop() {
      isRunning = false
      await done
      return slowestMs
    },
  }
}

/** @returns bytes of the answer */
function send(url: string, agent: Agent, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const call = request(url, { agent, method, headers, timeout: CALL_TIMEOUT_MS }, (answer) => {
      let bytes = 0
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length))
      answer.once('error', reject)
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve(bytes)
        else reject(new Error(`${method} ${url}: status ${answer.statusCode}`))
      })
    })
    call.once('timeout', () => call.destroy(new Error(`${method} ${url}: no answer`)))
    call.once('error', reject)
    call.end(body)
  })
}

/** Takes notifications, and notes which groups it was told of. */
async function startHook() {
  const groups = new Set<string>()
  let lastAtMs = 0
  const server = createServer((incoming, response) => {
    let text = ''
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
    incoming.on('end', () => {
      groups.add((JSON.parse(text) as { groupKey: string }).groupKey)
      lastAtMs = Date.now()
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    groups,
    lastAtMs: () => lastAtMs,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function untilReady(url: string, agent: Agent): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const isReady = await send(`${url}/-/ready`, agent).then(
      () => true,
      () => false,
    )
    if (isReady) return
    if (Date.now() > deadlineMs) throw new Error(`${url} was not ready after ${READY_TIMEOUT_MS} ms`)
    await sleepSeconds(0.1)
  }
}

/** Whether the real one can be measured. */
export const isAlertmanagerHere = (): boolean => isHere('prometheus-alertmanager')

const isHere = (program: string): boolean =>
  existsSync(program)
    ? existsSync(CLI)
    : (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, program)))

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
