import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'

let dir = ''
let server: Server
let url = ''
/** What each webhook heard: `path: status alertnames`. */
let heard: string[] = []
/** When each line of `heard` came, and whether its answer was held back for so long. */
let heardAtMs: number[] = []
let answerDelayMs = 0
/** Paths that do not answer for now. */
const stuck = new Set<string>()
const children = new Set<ChildProcessWithoutNullStreams>()

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alert-crash-'))
  heard = []
  heardAtMs = []
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
      heardAtMs.push(performance.now())
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

async function hears(count: number): Promise<void> {
  for (let i = 0; i < 1000 && heard.length < count; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(heard.length).toBeGreaterThanOrEqual(count)
}

const config = (groupWait: string) => `
route: { receiver: two, group_by: [alertname], group_wait: ${groupWait}, group_interval: 300ms, repeat_interval: 1h }
receivers:
  - name: two
    webhook_configs: [{ url: '${url}/1' }, { url: '${url}/2', timeout: 5m }]
`

test('killed in the middle of notifying: who was told is not told again, who was not is told', async () => {
  stuck.add('/2')
  const first = await started(config('50ms'))
  await first.command('push Quiet')
  await first.command('silence Silenced')
  await first.command('push Silenced')
  await hears(1)
  await first.command('pause 500')
  await kill(first.child)
  expect(heard).toEqual(['/1: Quiet firing'])

  stuck.clear()
  const second = await started(config('50ms'))
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

test('killed before the first notification: it goes out after the restart, every time', async () => {
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
  const oneHook = config('1ms').replace(/, \{ url: '[^']*\/2'.*\}\]/, ']')
  const lifeEndsMs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    answerDelayMs = Math.floor(random() * 40)
    const process = await started(oneHook)
    await process.command(`push Round${round}`)
    await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 80)))
    lifeEndsMs.push(performance.now())
    await kill(process.child)
  }
  answerDelayMs = 0
  const last = await started(oneHook)
  const told = (round: number): number[] =>
    heard.flatMap((line, i) => (line === `/1: Round${round} firing` ? [heardAtMs[i]!] : []))
  const all = Array.from({ length: ROUNDS }, (_, round) => round)
  for (let i = 0; i < 1500 && all.some((round) => told(round).length === 0); i++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  // What would be told twice without reason is told in this time.
  await new Promise((resolve) => setTimeout(resolve, 700))
  await kill(last.child)
  for (const round of all) {
    const times = told(round)
    expect(times.length, `Round${round}, seed ${seed}`).toBeGreaterThanOrEqual(1)
    // Told again only by another life: within one, what was told stays told.
    const lives = times.map((atMs) => lifeEndsMs.filter((endMs) => endMs < atMs).length)
    expect(new Set(lives).size, `Round${round} told in lives ${lives.join(', ')}, seed ${seed}`).toBe(lives.length)
  }
  // A kill hits at most the one notification that each group has under way.
  expect(heard.length - ROUNDS, `seed ${seed}`).toBeLessThanOrEqual(ROUNDS)
})

/** The same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
