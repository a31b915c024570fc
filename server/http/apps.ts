/**
 * The routers of the ports. They and what they need are loaded when somebody first asks for something that is not answered
 * ahead of them: it takes a tenth of a second, which a start has not, and some megabytes, which a server that only scrapes and
 * answers queries never needs.
 */
import { alertmanagerApi, ownAlertsApi } from '../../alertmanager/index.ts'
import { errorMessage, type Logger } from '../../lib/index.ts'
import { parseSelector } from '../../promql/index.ts'
import { pushgatewayApi, pushGroupsApi } from '../../pushgateway/index.ts'
import { type HttpMetrics, observeRouter } from '../self-metrics.ts'
import type { Settings } from '../settings.ts'
import { metricsPage, type Stack } from '../stack.ts'
import { BUILD_INFO } from '../version.ts'
import { registerApi, registerFederation, registerOwnApi } from './api.ts'
import { registerDashboardsApi } from './api-dashboards.ts'
import { createHttpApp } from './app.ts'
import { registerManagement } from './management.ts'
import type { Port } from './port.ts'
import { registerProbe } from './probe.ts'
import { registerUi } from './ui.ts'

export interface AppOptions {
  readonly stack: Stack
  readonly settings: Settings
  /** As `/api/v1/status/flags` shows them. */
  readonly flags: ReadonlyMap<string, string>
  /** What `/-/quit` does. */
  readonly quit: () => void
  readonly startTimeMs: number
  readonly logger: Logger
  readonly metrics: HttpMetrics
}

/** Everything on the main port. */
export async function prepareMainApp(port: Port, { stack, ...options }: AppOptions): Promise<void> {
  const { logger } = options
  const app = await createHttpApp(port, logger)
  observeRouter(app, options.metrics.observe)
  await app.register(
    async (scope) => {
      registerManagement(scope, {
        metrics: () => metricsPage(stack.registries),
        reload: () => stack.reload(),
        quit: options.quit,
        lifecycleEnabled: options.settings.lifecycleEnabled,
        version: BUILD_INFO,
      })
      await scope.register((api) => registerApi(api, stack, options), { prefix: '/api/v1' })
      await scope.register(async (api) => registerOwnApi(api, stack, options.settings), { prefix: '/api/belltower/v1' })
      registerFederation(scope, stack, options)
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
  await app.ready()
}

/** The Alertmanager on a port of its own. */
export async function prepareAlertmanagerApp(port: Port, { stack, logger }: AppOptions): Promise<void> {
  const app = await createHttpApp(port, logger)
  await app.register(alertmanagerApi(stack.alertmanager, { reload: () => stack.reload() }))
  await app.register(ownAlertsApi(stack.alertmanager), { prefix: '/api/belltower/v1' })
  await app.ready()
}

/** The Pushgateway on a port of its own. */
export async function preparePushgatewayApp(port: Port, { stack, logger }: AppOptions): Promise<void> {
  const app = await createHttpApp(port, logger)
  await app.register(pushgatewayApi(stack.pushgateway))
  await app.ready()
}
