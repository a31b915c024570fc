/** The whole server inside the test's process, on free ports, in a folder of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Turns } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { SERVER_FLAGS } from '../flags.ts'
import { Listeners } from '../http/listeners.ts'
import { settingsOf } from '../settings.ts'
import { buildStack, type Stack } from '../stack.ts'

export interface TestServer {
  readonly url: string
  readonly folder: string
  readonly stack: Stack
  readonly listeners: Listeners
  /** Stores samples as a remote sender would. */
  write(samples: readonly { labels: readonly string[]; timestampMs: number; value: number }[]): Promise<void>
  stop(): Promise<void>
}

/** What a test may do while the server starts. */
export interface Starting {
  readonly turns?: Turns
  /** Told once the port is taken. */
  readonly onListening?: (url: string) => void
}

/** @param flags without dashes, laid over the defaults */
export async function startTestServer(
  flags: Readonly<Record<string, string>> = {},
  config = 'global: { external_labels: { region: eu } }\n',
  { turns, onListening }: Starting = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'belltower-server-'))
  const configPath = join(folder, 'prometheus.yml')
  writeFileSync(configPath, config)
  const values = new Map(SERVER_FLAGS.map((spec) => [spec.name, spec.default]))
  const given = { 'web.listen-address': '127.0.0.1:0', 'storage.tsdb.path': join(folder, 'data'), 'query.workers': '1' }
  for (const [name, value] of Object.entries({ ...given, ...flags })) values.set(name, value)
  const settings = settingsOf({ values, warnings: [] })
  const listeners = await Listeners.open(settings, silentLogger)
  onListening?.(listeners.url)
  const stack = await buildStack(settings, {
    clock: systemClock,
    logger: silentLogger,
    env: {},
    externalUrl: listeners.externalUrl,
    configPath,
    turns,
    onQueries: (queries, registry) => listeners.serveQueries(queries, registry, settings),
  })
  listeners.serve(stack, { settings, flags: values, quit: () => undefined })
  await stack.start()
  return {
    url: listeners.url,
    folder,
    stack,
    listeners,
    async write(samples) {
      const appender = stack.tsdb.appender({ stream: 'test' })
      for (const { labels, timestampMs, value } of samples) appender.append(undefined, labels, timestampMs, value)
      await appender.commit()
    },
    async stop() {
      await listeners.close()
      await stack.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
