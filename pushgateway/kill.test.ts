import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../lib/index.ts'
import { silentLogger } from '../lib/log.ts'
import { createPushgateway } from './index.ts'

// Goal: a push that was answered 200 survives kill -9, and none is there by half. Method: clients push at once to a real
// process, which is killed in the middle of it, several times; each push writes one number to two families.
// Whatever was acknowledged must be there when the folder is opened again, and both families must hold the same number.
// Long run: BELLTOWER_SOAK_PUSHES=10000.

const SERVER = `
  const { createPushgateway, pushgatewayApi } = await import(process.env.GATEWAY)
  const { systemClock } = await import(process.env.CLOCK)
  const { silentLogger } = await import(process.env.LOG)
  const { Registry } = await import('prom-client')
  const { fastify } = await import('fastify')
  const gateway = await createPushgateway({
    dataDir: process.env.DATA_DIR, clock: systemClock, logger: silentLogger, registry: new Registry(),
  })
  const app = fastify()
  await app.register(pushgatewayApi(gateway))
  console.log(await app.listen({ port: 0, host: '127.0.0.1' }))
`
const CLIENTS = 16
const ROUNDS = 4
const PUSHES_BEFORE_KILL = Number(process.env.BELLTOWER_SOAK_PUSHES ?? 600) / ROUNDS

let server: ChildProcess | undefined
let dataDir = ''
afterEach(async () => {
  if (server?.exitCode === null && server.signalCode === null) {
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  await rm(dataDir, { recursive: true, force: true })
})

test('every acknowledged push survives kill -9', async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pushgateway-kill-'))
  const acknowledged = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    const url = await startServer()
    let count = 0
    const client = async (id: number): Promise<void> => {
      for (let i = 1; ; i++) {
        const job = `client${id}`
        const value = round * 1e6 + i
        const status = await push(
          `${url}/metrics/job/${job}`,
          `value ${value}\ncopy{pad="${'x'.repeat(200)}"} ${value}\n`,
        )
        if (status !== 200) return
        acknowledged.set(job, value)
        if (++count === PUSHES_BEFORE_KILL) server!.kill('SIGKILL')
      }
    }
    const ended = once(server!, 'exit')
    await Promise.all([...Array(CLIENTS).keys()].map(client))
    await ended
    const restored = await readValues()
    for (const [job, value] of acknowledged) expect(restored.get(job), job).toBeGreaterThanOrEqual(value)
  }
  expect(acknowledged.size).toBe(CLIENTS)
}, 120_000)

async function startServer(): Promise<string> {
  server = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', SERVER], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      GATEWAY: new URL('./index.ts', import.meta.url).href,
      CLOCK: new URL('../lib/clock.ts', import.meta.url).href,
      LOG: new URL('../lib/log.ts', import.meta.url).href,
    },
  })
  const [line] = (await once(server.stdout!, 'data')) as [Buffer]
  return line.toString().trim()
}

/** Undefined when the server went away. */
async function push(url: string, body: string): Promise<number | undefined> {
  try {
    const answer = await fetch(url, { method: 'POST', body })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return undefined
  }
}

async function readValues(): Promise<Map<string, number>> {
  const gateway = await createPushgateway({
    dataDir,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
  })
  const page = new TextDecoder().decode(await gateway.scrape())
  await gateway.close()
  const numbersOf = (series: RegExp) => new Map([...page.matchAll(series)].map((m) => [m[1]!, Number(m[2])]))
  const values = numbersOf(/^value\{instance="",job="(.*)"\} (\S+)$/gm)
  expect(numbersOf(/^copy\{instance="",job="(.*)",pad="x+"\} (\S+)$/gm)).toEqual(values)
  return values
}
