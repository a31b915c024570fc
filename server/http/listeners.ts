/** The ports: everything on the main one, and the Alertmanager and the Pushgateway on ports of their own where asked. */
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { alertmanagerApi } from '../../alertmanager/index.ts'
import { errorMessage, type Logger } from '../../lib/index.ts'
import { pushgatewayApi } from '../../pushgateway/index.ts'
import { registerHttpMetrics } from '../self-metrics.ts'
import { retentionText, type Settings } from '../settings.ts'
import { metricsPage, type Stack } from '../stack.ts'
import { BUILD_INFO } from '../version.ts'
import { registerMetadataApi } from './api-metadata.ts'
import { registerQueryApi } from './api-query.ts'
import { registerRulesApi } from './api-rules.ts'
import { registerStatusApi } from './api-status.ts'
import { registerTargetsApi } from './api-targets.ts'
import { createHttpApp } from './app.ts'
import { registerManagement } from './management.ts'
import { Port } from './port.ts'
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

  private constructor(settings: Settings, logger: Logger, ports: [Port, Port | undefined, Port | undefined]) {
    this.#logger = logger
    ;[this.#main, this.#alertmanager, this.#pushgateway] = ports
    this.url = this.#main.url
    this.externalUrl = settings.externalUrl !== '' ? settings.externalUrl : `${this.url}${settings.routePrefix}`
  }

  /** Takes the ports; they answer 503 until `serve`. @throws {ListenError} */
  static async open(settings: Settings, logger: Logger): Promise<Listeners> {
    const { listen, alertmanagerListen, pushgatewayListen } = settings
    if (!/^(127\.|localhost$|::1$)/.test(listen.host)) {
      logger.warn({ host: listen.host }, 'listening beyond this machine without authentication')
    }
    const opened: Port[] = []
    const open = async (address: Settings['listen'] | undefined): Promise<Port | undefined> => {
      if (!address) return undefined
      const port = await Port.open(address)
      opened.push(port)
      return port
    }
    try {
      const ports: [Port, Port | undefined, Port | undefined] = [
        (await open(listen))!,
        await open(alertmanagerListen),
        await open(pushgatewayListen),
      ]
      return new Listeners(settings, logger.child({ module: 'http' }), ports)
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
  }
}

async function mainApp(port: Port, logger: Logger, stack: Stack, options: ServeOptions): Promise<FastifyInstance> {
  const app = await createHttpApp(port, logger)
  registerHttpMetrics(app, stack.registry)
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
      await scope.register((api) => registerApi(api, stack, options), { prefix: '/api/v1' })
      const reload = (): Promise<void> => stack.reload()
      await scope.register(alertmanagerApi(stack.alertmanager, { reload }), { prefix: '/alertmanager' })
      await scope.register(pushgatewayApi(stack.pushgateway), { prefix: '/pushgateway' })
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

async function registerApi(api: FastifyInstance, stack: Stack, { settings, flags }: ServeOptions): Promise<void> {
  const nowMs = (): number => Date.now()
  await api.register(cors, {
    origin: settings.corsOrigin.source === '^(?:.*)$' ? '*' : settings.corsOrigin,
    methods: ['GET', 'POST', 'OPTIONS'],
    allowedHeaders: ['Accept', 'Authorization', 'Content-Type', 'Origin'],
    exposedHeaders: ['Date'],
    strictPreflight: false,
  })
  const { pool } = stack
  registerQueryApi(api, { pool, nowMs, timeoutMs: settings.queryTimeoutMs })
  registerMetadataApi(api, pool)
  registerTargetsApi(api, { scrapes: stack.scrapes, alertmanagers: () => stack.config().alertmanagers })
  registerRulesApi(api, stack.rules)
  registerStatusApi(api, {
    tsdb: stack.tsdb,
    pool,
    flags,
    buildInfo: BUILD_INFO,
    startTimeMs: nowMs(),
    nowMs,
    configYaml: () => stack.config().yaml,
    lastReload: () => stack.reloadState,
    retentionText: () => {
      const { timeMs, bytes } = stack.config().retention
      return retentionText(timeMs ?? settings.retentionMs, bytes ?? settings.retentionBytes)
    },
  })
}
