// Pushing: CPU-seconds and memory per push beside the real Pushgateway, and whether showing 100 k series holds anything up.
// Ours writes every push to disk before it answers; the real one writes its file every five minutes, as by default.
// Measures HTTP, parsing, the consistency check and the page; the clients' own cost is not counted.
// Run: npm run bench -- push [--seconds=10]
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { loadavg } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import { endsWithBench, makeBenchFolder, removeBenchFolder } from './bench-folder.ts'
import { printTable, ratioText } from './table.ts'
import { usageOf } from './usage.ts'

const CLI = fileURLToPath(new URL('../../server/cli.js', import.meta.url))
const READY_TIMEOUT_MS = 30_000
const CONNECTIONS = 4
const ANSWER_SECONDS_MAX = 60

export interface PushBenchOptions {
  /** How long each system is pushed to in each case. */
  readonly seconds: number
  readonly cases: readonly PushCase[]
}

export interface PushCase {
  readonly groups: number
  readonly seriesPerGroup: number
}

export const PUSH_CASES: readonly PushCase[] = [
  { groups: 100, seriesPerGroup: 100 },
  { groups: 10_000, seriesPerGroup: 10 },
]

export interface PushResult {
  readonly name: string
  readonly pushesPerSecond: number
  readonly cpuMsPerPush: number
  readonly residentBytes: number
  readonly pageMs: number
  readonly pageCpuMs: number
  /** Of small requests that were sent while the page was written, by what was asked for. */
  readonly slowestOthersMs: Readonly<Record<PageKind, number>>
}

type PageKind = 'first after a start' | 'text' | 'OpenMetrics' | 'protobuf'

const ACCEPTED: Readonly<Record<PageKind, string>> = {
  'first after a start': 'text/plain',
  text: 'text/plain',
  OpenMetrics: 'application/openmetrics-text;version=1.0.0',
  protobuf: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
}

interface Gateway {
  readonly name: string
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

export async function runPushBench(options: PushBenchOptions): Promise<Map<PushCase, PushResult[]>> {
  console.log(`load average at start: ${loadavg()[0]!.toFixed(2)}`)
  const results = new Map<PushCase, PushResult[]>()
  for (const one of options.cases) {
    const measured: PushResult[] = []
    for (const start of [startOurs, startTheirs]) {
      const folder = makeBenchFolder()
      try {
        const result = await measureOne(start, folder, { ...options, one })
        if (result !== undefined) measured.push(result)
      } finally {
        removeBenchFolder(folder)
      }
    }
    results.set(one, measured)
  }
  return results
}

export function printPushResults(results: ReadonlyMap<PushCase, readonly PushResult[]>): void {
  for (const [{ groups, seriesPerGroup }, measured] of results) {
    console.log(`${groups} groups x ${seriesPerGroup} series`)
    const [ours, theirs] = measured
    const row = (title: string, pick: (result: PushResult) => number, digits: number): string[] => [
      title,
      ...measured.map((result) => pick(result).toFixed(digits)),
      theirs === undefined ? '-' : ratioText(pick(theirs), ours && pick(ours)),
    ]
    printTable(
      ['', ...measured.map(({ name }) => name), 'real / ours'],
      [
        row('pushes per second', (r) => r.pushesPerSecond, 0),
        row('CPU ms per push', (r) => r.cpuMsPerPush, 3),
        row('resident MB', (r) => r.residentBytes / 1e6, 1),
        row('page ms', (r) => r.pageMs, 1),
        row('page CPU ms', (r) => r.pageCpuMs, 1),
        ...(Object.keys(ACCEPTED) as PageKind[]).map((kind) =>
          row(`slowest other request during a page, ${kind}, ms`, (r) => r.slowestOthersMs[kind], 1),
        ),
      ],
    )
  }
}

type Start = (folder: string, options: { readonly forLoading: boolean }) => Promise<Gateway | undefined>

/** Fills it first and starts it anew, so that every group is there and nothing else is measured. */
async function measureOne(
  start: Start,
  folder: string,
  { one, seconds }: { readonly one: PushCase; readonly seconds: number },
): Promise<PushResult | undefined> {
  const loading = await start(folder, { forLoading: true })
  if (loading === undefined) return undefined
  try {
    await load(loading, one, bodyOf(one.seriesPerGroup), { amount: one.groups })
  } finally {
    await loading.stop()
  }
  const gateway = (await start(folder, { forLoading: false }))!
  try {
    return await measure(gateway, one, seconds)
  } finally {
    await gateway.stop()
  }
}

async function measure(gateway: Gateway, one: PushCase, seconds: number): Promise<PushResult> {
  const body = bodyOf(one.seriesPerGroup)
  const first = await measurePage(gateway, 'first after a start', 1)
  const before = { ...usageOf(gateway.pid), atMs: performance.now() }
  const pushes = await load(gateway, one, body, { seconds })
  const after = { ...usageOf(gateway.pid), atMs: performance.now() }
  const [text, openMetrics, protobuf] = [
    await measurePage(gateway, 'text', PAGE_ROUNDS),
    await measurePage(gateway, 'OpenMetrics', PAGE_ROUNDS),
    await measurePage(gateway, 'protobuf', PAGE_ROUNDS),
  ]
  return {
    name: gateway.name,
    pushesPerSecond: (pushes * 1000) / (after.atMs - before.atMs),
    cpuMsPerPush: ((after.cpuSeconds - before.cpuSeconds) * 1000) / pushes,
    residentBytes: after.residentBytes,
    pageMs: text.pageMs,
    pageCpuMs: text.pageCpuMs,
    slowestOthersMs: {
      'first after a start': first.slowestOtherMs,
      text: text.slowestOtherMs,
      OpenMetrics: openMetrics.slowestOtherMs,
      protobuf: protobuf.slowestOtherMs,
    },
  }
}

/** A batch job's page: as many series, in families of ten. */
function bodyOf(series: number): string {
  const lines: string[] = []
  for (let i = 0; i < series; i++) {
    const name = `batch_job_step${Math.floor(i / 10)}_seconds`
    if (i % 10 === 0) lines.push(`# HELP ${name} How long a step took.`, `# TYPE ${name} gauge`)
    lines.push(`${name}{step="step-${i % 10}",zone="eu-west"} ${(i * 37.25 + 0.125).toFixed(3)}`)
  }
  return `${lines.join('\n')}\n`
}

/** Pushes to the groups in turn. @returns how many were taken */
async function load(
  { url }: Gateway,
  { groups }: PushCase,
  body: string,
  limit: { readonly seconds?: number; readonly amount?: number },
): Promise<number> {
  let next = 0
  const run = autocannon({
    url,
    connections: Math.min(CONNECTIONS, groups),
    timeout: ANSWER_SECONDS_MAX,
    ...(limit.amount === undefined ? { duration: limit.seconds! } : { amount: limit.amount }),
    requests: [
      {
        method: 'PUT',
        body,
        setupRequest: (request) => ({ ...request, path: `/metrics/job/batch/instance/host-${next++ % groups}` }),
      },
    ],
  })
  const result = await run
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx + result.errors} pushes failed`)
  return result.requests.total
}

/** Pages of each kind. */
const PAGE_ROUNDS = 5

async function measurePage(
  { url, pid }: Gateway,
  kind: PageKind,
  rounds: number,
): Promise<{ readonly pageMs: number; readonly pageCpuMs: number; readonly slowestOtherMs: number }> {
  let slowestOtherMs = 0
  let isDone = false
  const others = (async () => {
    while (!isDone) {
      const start = performance.now()
      await (await fetch(`${url}/-/healthy`)).text()
      slowestOtherMs = Math.max(slowestOtherMs, performance.now() - start)
    }
  })()
  const cpuBefore = usageOf(pid).cpuSeconds
  const pageMs = await readPages(url, ACCEPTED[kind], rounds)
  isDone = true
  await others
  return { pageMs, pageCpuMs: ((usageOf(pid).cpuSeconds - cpuBefore) * 1000) / rounds, slowestOtherMs }
}

/** Mean time of a page, read by a process of its own: taking in megabytes here would delay the small requests beside it. */
async function readPages(url: string, accept: string, rounds: number): Promise<number> {
  const script = `
    const start = performance.now()
    for (let i = 0; i < ${rounds}; i++)
      await (await fetch('${url}/metrics', { headers: { 'accept-encoding': 'identity', accept: '${accept}' } })).arrayBuffer()
    console.log((performance.now() - start) / ${rounds})`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  return Number(stdout)
}

async function startOurs(folder: string): Promise<Gateway | undefined> {
  if (!existsSync(CLI)) return undefined
  const address = `127.0.0.1:${await freePort()}`
  const args = [CLI, 'pushgateway', `--web.listen-address=${address}`, `--persistence.path=${folder}`]
  return running('belltower', process.execPath, args, address)
}

/** To fill it, without its check: with it, each push costs as much as there is already. */
async function startTheirs(
  folder: string,
  { forLoading }: { readonly forLoading: boolean },
): Promise<Gateway | undefined> {
  const program = ['prometheus-pushgateway', 'pushgateway'].map(findOnPath).find((path) => path !== undefined)
  if (program === undefined) {
    console.log('pushgateway: not here, left out')
    return undefined
  }
  const address = `127.0.0.1:${await freePort()}`
  return running(
    'pushgateway',
    program,
    [
      `--web.listen-address=${address}`,
      `--persistence.file=${join(folder, 'pushgateway.data')}`,
      ...(forLoading ? ['--push.disable-consistency-check'] : []),
    ],
    address,
  )
}

async function running(name: string, program: string, args: string[], address: string): Promise<Gateway> {
  const child = endsWithBench(spawn(program, args, { stdio: 'ignore' }))
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
  }
  const url = `http://${address}`
  await untilReady(url, child).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { name, pid: child.pid!, url, stop }
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (const deadlineMs = Date.now() + READY_TIMEOUT_MS; Date.now() < deadlineMs; ) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    if (child.exitCode !== null) throw new Error(`ended with code ${child.exitCode} before it was ready`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('was not ready in time')
}

function findOnPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
