/** The ports: everything on the main one, and the Alertmanager and the Pushgateway on ports of their own where asked. */
import type { Logger, Registry } from '../../lib/index.ts'
import { type HttpMetrics, registerHttpMetrics } from '../self-metrics.ts'
import type { Settings } from '../settings.ts'
import type { Stack } from '../stack.ts'
import type { QuerySide } from '../store-and-queries.ts'
import { WebGuard } from '../web/web-guard.ts'
import type { AppOptions } from './apps.ts'
import { DirectRoutes } from './direct.ts'
import { addDirectRoutes } from './direct-api.ts'
import { addEarlyRoutes } from './early-api.ts'
import { Port } from './port.ts'

type Apps = typeof import('./apps.ts')

export type ServeOptions = Pick<AppOptions, 'settings' | 'flags' | 'quit'>

export class Listeners {
  /** Of the main port. */
  readonly url: string
  /** What links start with: `--web.external-url`, else the main port's address and prefix. */
  readonly externalUrl: string
  readonly #logger: Logger
  readonly #main: Port
  readonly #alertmanager: Port | undefined
  readonly #pushgateway: Port | undefined
  readonly #guard: WebGuard | undefined
  #metrics: HttpMetrics | undefined

  private constructor(
    settings: Settings,
    logger: Logger,
    ports: [Port, Port | undefined, Port | undefined],
    guard: WebGuard | undefined,
  ) {
    this.#guard = guard
    this.#logger = logger
    ;[this.#main, this.#alertmanager, this.#pushgateway] = ports
    this.url = this.#main.url
    this.externalUrl = settings.externalUrl !== '' ? settings.externalUrl : `${this.url}${settings.routePrefix}`
  }

  /** Takes the ports; they answer 503 until `serve`, but for queries from `serveQueries` on. @throws {ListenError} @throws {ConfigError} of `--web.config.file` */
  static async open(settings: Settings, logger: Logger): Promise<Listeners> {
    const { listen, alertmanagerListen, pushgatewayListen } = settings
    const guard = WebGuard.forFile(settings.webConfigPath, logger)
    if (!guard?.hasUsers && !/^(127\.|localhost$|::1$)/.test(listen.host)) {
      logger.warn({ host: listen.host }, 'listening beyond this machine without authentication')
    }
    const opened: Port[] = []
    const open = async (address: Settings['listen'] | undefined): Promise<Port | undefined> => {
      if (!address) return undefined
      const port = await Port.open(address, guard)
      opened.push(port)
      return port
    }
    try {
      const ports: [Port, Port | undefined, Port | undefined] = [
        (await open(listen))!,
        await open(alertmanagerListen),
        await open(pushgatewayListen),
      ]
      return new Listeners(settings, logger.child({ module: 'http' }), ports, guard)
    } catch (error) {
      for (const port of opened) await port.close()
      throw error
    }
  }

  /** From now on queries are answered. */
  serveQueries(queries: QuerySide, registry: Registry, settings: Settings): void {
    const direct = new DirectRoutes(this.#metricsOf(registry).observe)
    addEarlyRoutes(direct, queries, settings)
    this.#main.prepareEarly(direct)
  }

  /** From now on everything is answered. */
  serve(stack: Stack, options: ServeOptions): void {
    const metrics = this.#metricsOf(stack.registry)
    const logger = this.#logger
    const app: AppOptions = { ...options, stack, logger, metrics, startTimeMs: Date.now() }
    const direct = new DirectRoutes(metrics.observe)
    addDirectRoutes(direct, stack, app)
    this.#main.prepareDirect(direct)
    const build = (prepare: (apps: Apps) => Promise<void>) => async (): Promise<void> => {
      try {
        await prepare(await import('./apps.ts'))
      } catch (err) {
        logger.error({ err }, 'the router could not be built')
        throw err
      }
    }
    this.#main.begin(build((apps) => apps.prepareMainApp(this.#main, app)))
    this.#alertmanager?.begin(build((apps) => apps.prepareAlertmanagerApp(this.#alertmanager!, app)))
    this.#pushgateway?.begin(build((apps) => apps.preparePushgatewayApp(this.#pushgateway!, app)))
  }

  #metricsOf(registry: Registry): HttpMetrics {
    return (this.#metrics ??= registerHttpMetrics(registry))
  }

  async close(): Promise<void> {
    const ports = [this.#main, this.#alertmanager, this.#pushgateway]
    await Promise.all(ports.map(async (port) => port?.close()))
    await this.#guard?.close()
  }
}
