import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { endsWithBench } from './bench-folder.ts'
import type { FakeTargets } from './fake-targets.ts'

const READY_TIMEOUT_MS = 120_000
const READY_POLL_MS = 20
const CLI = fileURLToPath(new URL('../../server/cli.js', import.meta.url))

export const SYSTEM_NAMES = ['belltower', 'prometheus', 'victoria-metrics'] as const
export type SystemName = (typeof SYSTEM_NAMES)[number]

/** A monitoring system that runs as a child of the benchmark. */
export interface RunningSystem {
  readonly name: SystemName
  readonly pid: number
  readonly url: string
  readonly dataFolder: string
  /** Samples it says it has stored since it started. */
  samplesStored(): Promise<number>
  stop(): Promise<void>
  /** Ends it without a chance to tidy up. */
  kill(): Promise<void>
}

interface Recipe {
  /** File that runs it, if it is here. */
  findProgram(): string | undefined
  args(parts: { config: string; data: string; address: string }): string[]
  /** Further arguments, where remote write must be switched on. */
  readonly remoteWriteArgs: readonly string[]
  readonly samplesCounter: RegExp
}

const RECIPES: Readonly<Record<SystemName, Recipe>> = {
  belltower: {
    // The benchmark runs from dist/, where the server is built beside it.
    findProgram: () => (existsSync(CLI) ? process.execPath : undefined),
    args: ({ config, data, address }) => [
      CLI,
      'server',
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    remoteWriteArgs: ['--web.enable-remote-write-receiver'],
    samplesCounter: /^prometheus_tsdb_head_samples_appended_total(?:\{[^}]*\})? (\S+)/gm,
  },
  prometheus: {
    findProgram: () => findOnPath('prometheus'),
    args: ({ config, data, address }) => [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    remoteWriteArgs: ['--web.enable-remote-write-receiver'],
    samplesCounter: /^prometheus_tsdb_head_samples_appended_total(?:\{[^}]*\})? (\S+)/gm,
  },
  'victoria-metrics': {
    findProgram: () => findOnPath('victoria-metrics'),
    args: ({ config, data, address }) => [
      `-promscrape.config=${config}`,
      `-storageDataPath=${data}`,
      `-httpListenAddr=${address}`,
      '-loggerLevel=ERROR',
      '-search.latencyOffset=0s',
    ],
    remoteWriteArgs: [],
    samplesCounter: /^vm_rows_inserted_total\{type="(?:promscrape|promremotewrite)"\} (\S+)/gm,
  },
}

export function isInstalled(name: SystemName): boolean {
  return RECIPES[name].findProgram() !== undefined
}

/** Resolves when it is ready to answer. @param folder taken for its configuration and data */
export async function startSystem(
  name: SystemName,
  folder: string,
  config: string,
  options: {
    readonly takesRemoteWrite?: boolean
    /** Of Node, for ours. */
    readonly nodeFlags?: readonly string[]
    /** Gets each line that ours prints. */
    readonly onLine?: (line: string) => void
  } = {},
): Promise<RunningSystem> {
  const recipe = RECIPES[name]
  const dataFolder = join(folder, name)
  mkdirSync(dataFolder, { recursive: true })
  const configFile = join(folder, `${name}.yml`)
  writeFileSync(configFile, config)
  const address = `127.0.0.1:${await freePort()}`
  const further = options.takesRemoteWrite ? recipe.remoteWriteArgs : []
  const nodeFlags = name === 'belltower' ? (options.nodeFlags ?? []) : []
  const args = [...nodeFlags, ...recipe.args({ config: configFile, data: dataFolder, address }), ...further]
  const onLine = name === 'belltower' ? options.onLine : undefined
  const child = endsWithBench(
    spawn(recipe.findProgram()!, args, {
      stdio: ['ignore', onLine === undefined ? 'ignore' : 'pipe', 'inherit'],
      cwd: folder,
    }),
  )
  if (onLine !== undefined) createInterface({ input: child.stdout! }).on('line', onLine)
  const ended = once(child, 'exit')
  const url = `http://${address}`
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  const stop = (): Promise<void> => end('SIGTERM')
  try {
    await untilReady(url, name, child)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name,
    pid: child.pid!,
    url,
    dataFolder,
    stop,
    kill: () => end('SIGKILL'),
    async samplesStored() {
      const text = await (await fetch(`${url}/metrics`)).text()
      return [...text.matchAll(recipe.samplesCounter)].reduce((sum, [, value]) => sum + Number(value), 0)
    },
  }
}

/** A configuration that all three understand: each fake target is an instance of its own. */
export function scrapeConfig(targets: FakeTargets, options: { count: number; intervalMs: number }): string {
  const entries = [...Array(options.count).keys()].map((index) => {
    const { host, path } = targets.address(index)
    return `      - targets: ['${host}']\n        labels: { instance: 'host${index}', __metrics_path__: '${path}' }\n`
  })
  return [
    'global:\n',
    `  scrape_interval: ${options.intervalMs}ms\n`,
    `  scrape_timeout: ${options.intervalMs}ms\n`,
    'scrape_configs:\n',
    '  - job_name: node\n',
    '    static_configs:\n',
    ...entries,
  ].join('')
}

async function untilReady(url: string, name: string, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode} before it was ready`)
    if (Date.now() > deadlineMs) throw new Error(`${name} was not ready after ${READY_TIMEOUT_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
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
