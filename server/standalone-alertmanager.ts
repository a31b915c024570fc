/** `belltower alertmanager`: the Alertmanager alone, at the root of its port; takes alerts from any Prometheus. */
import { existsSync, readFileSync } from 'node:fs'
import {
  alertmanagerApi,
  createAlertmanager,
  ownAlertsApi,
  parseAlertmanagerConfig,
  withOnCall,
} from '../alertmanager/index.ts'
import { systemClock } from '../lib/index.ts'
import { createLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { createHttpClient } from '../lib/undici-client.ts'
import { parseDuration } from '../model/index.ts'
import { clusterOf } from './cluster-settings.ts'
import { CLUSTER_FLAGS, type FlagSpec, flag, type ParsedFlags, parseListenAddress } from './flags.ts'
import { createHttpApp } from './http/app.ts'
import { Port } from './http/port.ts'
import { WebGuard } from './web/web-guard.ts'
import { untilSignal } from './signals.ts'

export const ALERTMANAGER_FLAGS: readonly FlagSpec[] = [
  flag('config.file', 'string', 'alertmanager.yml', 'Configuration file.'),
  flag('on-call.config.file', 'string', '', 'File with people on call, escalations and heartbeats.'),
  flag('storage.path', 'string', 'data/', 'Folder of the state log.'),
  flag('data.retention', 'duration', '120h', 'How long ended silences and notification records are kept.'),
  flag('dispatch.start-delay', 'duration', '0s', 'No notification before this long after the start.'),
  flag('web.listen-address', 'string', '127.0.0.1:9093', 'Address of the API.'),
  ...CLUSTER_FLAGS,
  flag('web.config.file', 'string', '', 'File with TLS, users and headers of the port; default: none of these.'),
  flag('web.external-url', 'string', '', 'URL under which users reach the server; used in links.'),
]

export async function runStandaloneAlertmanager({ values, warnings }: ParsedFlags): Promise<void> {
  const logger = createLogger()
  for (const warning of warnings) logger.warn(warning)
  const path = values.get('config.file')!
  const onCallPath = values.get('on-call.config.file')!
  const load = () => {
    const own = parseAlertmanagerConfig(path, readFileSync(path, 'utf8'))
    return onCallPath === '' ? own : withOnCall(own, { fileName: onCallPath, text: readFileSync(onCallPath, 'utf8') })
  }
  const config = existsSync(path) ? load() : undefined
  const guard = WebGuard.forFile(values.get('web.config.file')!, logger)
  const port = await Port.open(parseListenAddress(values.get('web.listen-address')!), guard)
  const externalUrl = values.get('web.external-url')!.replace(/\/+$/, '')
  const cluster = clusterOf(values)
  const alertmanager = await createAlertmanager({
    config,
    dataDir: values.get('storage.path')!,
    clock: systemClock,
    logger,
    registry: new Registry(),
    externalUrl: externalUrl === '' ? port.url : externalUrl,
    httpClientFactory: (http) => createHttpClient(http),
    retentionMs: parseDuration(values.get('data.retention')!),
    startDelayMs: parseDuration(values.get('dispatch.start-delay')!),
    ...(cluster && { cluster }),
  })
  const reload = async (): Promise<void> => alertmanager.applyConfig(load())
  const app = await createHttpApp(port, logger)
  await app.register(alertmanagerApi(alertmanager, { reload }))
  await app.register(ownAlertsApi(alertmanager), { prefix: '/api/belltower/v1' })
  await app.ready()
  port.begin()
  process.on('SIGHUP', () => void reload().catch((err: unknown) => logger.error({ err }, 'configuration not reloaded')))
  logger.info({ url: port.url }, 'listening')
  await untilSignal(logger).signal
  await port.close()
  await guard?.close()
  await alertmanager.stop()
}
