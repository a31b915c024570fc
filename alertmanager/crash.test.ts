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
/** Paths that do not answer for now. */
const stuck = new Set<string>()
const children = new Set<ChildProcessWithoutNullStreams>()

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alert-crash-'))
  heard = []
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
      response.end()
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
