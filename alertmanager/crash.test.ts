import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { randomOf } from '../lib/seeded-random.ts'
import { decodeLog } from './store/frame.ts'

let dir = ''
let server: Server
let url = ''
/** What each webhook heard: `path: status alertnames`. */
let heard: string[] = []
let answerDelayMs = 0
/** Paths that do not answer for now. */
const stuck = new Set<string>()
const children = new Set<ChildProcessWithoutNullStreams>()

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alert-crash-'))
  heard = []
  answerDelayMs = 0
  stuck.clear()
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (stuck.has(request.url ?? '')) return
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        alerts: { status: string; labels: { alertname: string } }[]
      }
      heard.push(`${request.url}: ${body.alerts.map((a) => `${a.labels.alertname} ${a.status}`).join(', ')}`)
      setTimeout(() => response.end(), answerDelayMs)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const child of children) await kill(child)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(dir, { recursive: true })
})

class Process {
  readonly child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  constructor(config: string) {
    const script = join(import.meta.dirname, 'crash-child.ts')
    this.child = spawn(process.execPath, ['--import', 'tsx', script, dir, config], {
      cwd: join(import.meta.dirname, '..'),
    })
    children.add(this.child)
    const lines: Interface = createInterface({ input: this.child.stdout })
    this.#lines = lines[Symbol.asyncIterator]()
    this.child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk))
  }

  async expectLine(wanted: string): Promise<void> {
    expect((await this.#lines.next()).value).toBe(wanted)
  }

  async command(line: string): Promise<void> {
    this.child.stdin.write(`${line}\n`)
    await this.expectLine('done')
  }
}

async function started(config: string): Promise<Process> {
  const process = new Process(config)
  await process.expectLine('ready')
  return process
}

async function kill(child: ChildProcessWithoutNullStreams): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Processes are started from sources, which takes seconds where the machine has other work. */
const PATIENCE = { timeout: 120_000 }

async function hears(count: number): Promise<void> {
  for (let i = 0; i < 3000 && heard.length < count; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(heard.length).toBeGreaterThanOrEqual(count)
}

const config = (groupWait: string, groupInterval = '300ms') => `
route: { receiver: two, group_by: [alertname], group_wait: ${groupWait}, group_interval: ${groupInterval}, repeat_interval: 1h }
receivers:
  - name: two
    webhook_configs: [{ url: '${url}/1' }, { url: '${url}/2', timeout: 5m }]
`

test('killed in the middle of notifying: who was told is not told again, who was not is told', PATIENCE, async () => {
  stuck.add('/2')
  const first = await started(config('50ms'))
  await first.command('push Quiet')
  await first.command('silence Silenced')
  await first.command('push Silenced')
  await hears(1)
  await isRecorded('Quiet')
  await first.command('pause 500')
  await kill(first.child)
  expect(heard).toEqual(['/1: Quiet firing'])

  stuck.clear()
  // So long that nothing is told of the resolve before it dies.
  const second = await started(config('50ms', '1m'))
  await hears(2)
  expect(heard).toEqual(['/1: Quiet firing', '/2: Quiet firing'])

  // The resolve that came while it was dying goes out once to each; the silence still holds.
  await second.command('resolve Quiet')
  await kill(second.child)
  const third = await started(config('50ms'))
  await hears(4)
  await third.command('push Loud')
  await hears(6)
  await kill(third.child)
  expect([...heard].sort()).toEqual([
    '/1: Loud firing',
    '/1: Quiet firing',
    '/1: Quiet resolved',
    '/2: Loud firing',
    '/2: Quiet firing',
    '/2: Quiet resolved',
  ])
})

test('killed before the first notification: it goes out after the restart, every time', PATIENCE, async () => {
  for (let round = 0; round < 3; round++) {
    const dying = await started(config('1h'))
    await dying.command(`push Round${round}`)
    await kill(dying.child)
  }
  await started(config('1ms'))
  await hears(6)
  expect(new Set(heard)).toEqual(
    new Set([0, 1, 2].flatMap((round) => [`/1: Round${round} firing`, `/2: Round${round} firing`])),
  )
  expect(heard).toHaveLength(6)
})

// A soak is the same with more rounds: BELLTOWER_CRASH_ROUNDS=50.
const ROUNDS = Number(process.env['BELLTOWER_CRASH_ROUNDS'] ?? 10)

test(`killed ${ROUNDS} times between an alert's arrival and the provider's answer: told at least once, twice only if it was being told`, {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  const seed = Number(process.env['BELLTOWER_CRASH_SEED'] ?? Date.now() % 100_000)
  const random = randomOf(seed)
  console.log(`kills with seed ${seed}`)
  const lifeOf = (life: number): string =>
    config('1ms')
      .replace(/, \{ url: '[^']*\/2'.*\}\]/, ']')
      .replace("/1'", `/${life}'`)
  /** Which rounds were on record as told when a life had ended. */
  const recorded: ReadonlySet<string>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    answerDelayMs = Math.floor(random() * 40)
    const process = await started(lifeOf(round))
    await process.command(`push Round${round}`)
    await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 80)))
    // Now and then one is left alone until what it told is on record: that is never told again.
    if (round % 5 === 4) await isRecorded(`Round${round}`)
    await kill(process.child)
    recorded.push(await recordedAsTold())
  }
  answerDelayMs = 0
  const last = await started(lifeOf(ROUNDS))
  const lifesThatTold = (round: number): number[] =>
    heard.flatMap((line) => {
      const [, life, name] = /^\/(\d+): (Round\d+) firing$/.exec(line) ?? []
      return name === `Round${round}` ? [Number(life)] : []
    })
  const all = Array.from({ length: ROUNDS }, (_, round) => round)
  for (let i = 0; i < 3000 && all.some((round) => lifesThatTold(round).length === 0); i++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  // What would be told twice without reason is told in this time.
  await new Promise((resolve) => setTimeout(resolve, 700))
  await kill(last.child)
  let repeats = 0
  for (const round of all) {
    const lives = lifesThatTold(round)
    const message = `Round${round}, told in lives ${lives.join(', ')}, seed ${seed}`
    expect(lives.length, message).toBeGreaterThanOrEqual(1)
    // One telling of a group is under way at a time, so a kill costs it one repetition at most.
    expect(new Set(lives).size, message).toBe(lives.length)
    // Told again only because the kill fell between the provider's answer and its record.
    for (const life of lives.slice(0, -1)) expect(recorded[life]!.has(`Round${round}`), message).toBe(false)
    repeats += lives.length - 1
  }
  console.log(`${ROUNDS} kills, ${repeats} of them between a provider's answer and its record`)
})

async function isRecorded(name: string): Promise<void> {
  for (let i = 0; i < 3000 && !(await recordedAsTold()).has(name); i++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect([...(await recordedAsTold())]).toContain(name)
}

/** Names of alerts of which the notification log on disk says that they were told. */
async function recordedAsTold(): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const file of await readdir(dir))
    for (const [kind, key] of decodeLog(await readFile(join(dir, file))).records)
      if (kind === 'notified') names.add(/alertname="(\w+)"/.exec(String(key))?.[1] ?? '')
  return names
}
