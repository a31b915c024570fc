import { Command } from 'commander'
import Fastify from 'fastify'
import { vi } from 'vitest'
import {
  type Alertmanager,
  type AlertmanagerConfig,
  alertmanagerApi,
  createAlertmanager,
  ownAlertsApi,
} from '../../alertmanager/index.ts'
import type { Clock } from '../../lib/index.ts'
import { silentLogger } from '../../lib/log.ts'
import { Registry } from '../../lib/metrics.ts'
import { createHttpClient } from '../../lib/undici-client.ts'

/** A running Alertmanager, and commands that talk to it; what they print is caught. Close it after the test. */
export class CommandRig {
  readonly alertmanager: Alertmanager
  readonly #url: string
  readonly #stop: () => Promise<unknown>
  #printed: string[] = []

  private constructor(alertmanager: Alertmanager, url: string, stop: () => Promise<unknown>) {
    this.alertmanager = alertmanager
    this.#url = url
    this.#stop = stop
    vi.spyOn(console, 'log').mockImplementation((text: unknown) => void this.#printed.push(String(text)))
    vi.spyOn(console, 'error').mockImplementation((text: unknown) => void this.#printed.push(`! ${String(text)}`))
    process.exitCode = 0
  }

  static async start(config: AlertmanagerConfig, clock: Clock): Promise<CommandRig> {
    const alertmanager = await createAlertmanager({
      config,
      dataDir: undefined,
      clock,
      logger: silentLogger,
      registry: new Registry(),
      externalUrl: 'http://127.0.0.1/alertmanager',
      httpClientFactory: (http) => createHttpClient(http),
    })
    const app = Fastify()
    await app.register(alertmanagerApi(alertmanager), { prefix: '/alertmanager' })
    await app.register(ownAlertsApi(alertmanager), { prefix: '/api/belltower/v1' })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    return new CommandRig(alertmanager, url, async () => {
      await app.close()
      await alertmanager.stop()
    })
  }

  /** @returns the lines printed; those of errors begin with `! ` */
  async run(words: readonly string[], ...commands: ((program: Command) => void)[]): Promise<string[]> {
    this.#printed = []
    const program = new Command('belltower').exitOverride()
    for (const register of commands) register(program)
    await program.parseAsync([...words, '--server.url', this.#url], { from: 'user' })
    return this.#printed
  }

  async close(): Promise<void> {
    vi.restoreAllMocks()
    process.exitCode = 0
    await this.#stop()
  }
}
