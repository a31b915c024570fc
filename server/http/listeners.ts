/** The ports: everything on the main one, and the Alertmanager and the Pushgateway on ports of their own where asked. */
import type { FastifyInstance } from 'fastify'
import { alertmanagerApi, ownAlertsApi } from '../../alertmanager/index.ts'
import { errorMessage, type Logger } from '../../lib/index.ts'
import { parseSelector } from '../../promql/index.ts'
import { pushgatewayApi, pushGroupsApi } from '../../pushgateway/index.ts'
import { registerHttpMetrics } from '../self-metrics.ts'
import type { Settings } from '../settings.ts'
import { metricsPage, type Stack } from '../stack.ts'
import { BUILD_INFO } from '../version.ts'
import { registerApi, registerFederation, registerOwnApi } from './api.ts'
import { registerDashboardsApi } from './api-dashboards.ts'
import { createHttpApp } from './app.ts'
import { DirectRoutes } from './direct.ts'
import { registerManagement } from './management.ts'
import { WebGuard } from '../web/web-guard.ts'
import { Port } from './port.ts'
import { registerProbe } from './probe.ts'
import { registerUi } from './ui.ts'

export interface ServeOptions {
  readonly settings: Settings
  /** As `/api/v1/status/flags` shows them. */
  readonly flags: ReadonlyMap<string, string>
  /** What `/-/quit` does. */
  readonly quit: () => void
}

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

  /** Takes the ports; they answer 503 until `serve`. @throws {ListenError} @throws {ConfigError} of `--web.config.file` */
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

  async serve(stack: Stack, options: ServeOptions): Promise<void> {
    const apps = [await mainApp(this.#main, this.#logger, stack, options)]
    const reload = (): Promise<void> => stack.reload()
    if (this.#alertmanager) {
      const app = await createHttpApp(this.#alertmanager, this.#logger)
      await app.register(alertmanagerApi(stack.alertmanager, { reload }))
      await app.register(ownAlertsApi(stack.alertmanager), { prefix: '/api/belltower/v1' })
      apps.push(app)
    }
    if (this.#pushgateway) {
      const app = await createHttpApp(this.#pushgateway, this.#logger)
      await app.register(pushgatewayApi(stack.pushgateway))
      apps.push(app)
    }
    await Promise.all(apps.map((app) => app.ready()))
    for (const port of [this.#main, this.#alertmanager, this.#pushgateway]) port?.begin()
  }

  async close(): Promise<void> {
    const ports = [this.#main, this.#alertmanager, this.#pushgateway]
    await Promise.all(ports.map(async (port) => port?.close()))
    await this.#guard?.close()
  }
}

async function mainApp(port: Port, logger: Logger, stack: Stack, options: ServeOptions): Promise<FastifyInstance> {
  const app = await createHttpApp(port, logger)
  const direct = new DirectRoutes(registerHttpMetrics(app, stack.registry))
  port.prepareDirect(direct)
  await app.register(
    async (scope) => {
      registerManagement(scope, {
        metrics: () => metricsPage(stack.registries),
        isReady: () => true,
        reload: () => stack.reload(),
        quit: options.quit,
        lifecycleEnabled: options.settings.lifecycleEnabled,
        version: BUILD_INFO,
      })
      await scope.register((api) => registerApi(api, stack, { ...options, logger, direct }), { prefix: '/api/v1' })
      await scope.register(async (api) => registerOwnApi(api, stack, options.settings), { prefix: '/api/belltower/v1' })
      registerFederation(scope, stack, options.settings)
      registerProbe(scope, stack.prober)
      const reload = (): Promise<void> => stack.reload()
      await scope.register(alertmanagerApi(stack.alertmanager, { reload }), { prefix: '/alertmanager' })
      await scope.register(ownAlertsApi(stack.alertmanager), { prefix: '/api/belltower/v1' })
      await scope.register(pushgatewayApi(stack.pushgateway), { prefix: '/pushgateway' })
      const pushGroups = pushGroupsApi(stack.pushgateway, { nowMs: () => Date.now(), parseSelector })
      await scope.register(pushGroups, { prefix: '/api/belltower/v1' })
      await registerDashboardsApi(scope, stack.dashboards, options.settings.routePrefix)
      await registerUi(scope, options.settings.routePrefix)
    },
    { prefix: options.settings.routePrefix },
  )
  app.addHook('onError', (request, _reply, error, done) => {
    logger.debug({ url: request.url, reason: errorMessage(error) }, 'request failed')
    done()
  })
  return app
}
