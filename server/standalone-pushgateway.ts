/** `belltower pushgateway`: the Pushgateway alone, at the root of its port, with the original's flags. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from '../lib/index.ts'
import { createLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { parseConfig } from '../lib/yaml-config.ts'
import { parseDuration } from '../model/index.ts'
import { parseSelector } from '../promql/index.ts'
import { createPushgateway, pushgatewayApi, pushGroupsApi } from '../pushgateway/index.ts'
import { type PushSection, pushSchema, type PushSettings, pushSettingsOf } from './config/push-schema.ts'
import { type FlagSpec, flag, type ParsedFlags, parseListenAddress } from './flags.ts'
import { createHttpApp } from './http/app.ts'
import { Port } from './http/port.ts'
import { untilSignal } from './signals.ts'
import { WebGuard } from './web/web-guard.ts'
import { VERSION } from './version.ts'

export const PUSHGATEWAY_FLAGS: readonly FlagSpec[] = [
  flag('web.listen-address', 'string', '127.0.0.1:9091', 'Address of the page and of the API.'),
  flag('web.route-prefix', 'string', '', 'Path prefix of every route; default: the path of --web.external-url.'),
  flag('web.config.file', 'string', '', 'File with TLS, users and headers of the port; default: none of these.'),
  flag('web.external-url', 'string', '', 'URL under which users reach the server.'),
  flag('web.telemetry-path', 'string', '/metrics', 'Only /metrics is possible: pushes go below it.'),
  flag('web.enable-admin-api', 'boolean', 'false', 'Allow to delete everything at once.'),
  flag('web.enable-lifecycle', 'boolean', 'false', 'Allow shutdown by HTTP request.'),
  flag('persistence.path', 'string', 'data/', 'Folder in which pushes are kept; empty = in memory only.'),
  flag('persistence.file', 'string', '', "The original's file: taken over at the first start, then kept beside it."),
  flag('persistence.interval', 'duration', '5m', 'Has no effect: every push is on disk before it is acknowledged.'),
  flag('push.disable-consistency-check', 'boolean', 'false', 'Accept pushes without comparing them with the others.'),
  flag('push.enable-utf8-names', 'boolean', 'false', 'Take names of any characters.'),
  flag('push.ttl', 'duration', '0s', 'Groups go so long after their last push unless it says otherwise; 0 = never.'),
  flag('push.config.file', 'string', '', 'YAML file with tokens, limits and the like.'),
  flag('log.level', 'string', 'info', 'debug, info, warn or error.'),
  flag('log.format', 'string', 'json', 'json, logfmt or pretty.'),
]

/** @throws {ConfigError} */
export async function runStandalonePushgateway({ values, warnings }: ParsedFlags): Promise<void> {
  const logger = createLogger({
    level: values.get('log.level') as 'info',
    format: values.get('log.format') as 'json',
  })
  for (const warning of warnings) logger.warn(warning)
  const isOn = (name: string): boolean => values.get(name) === 'true'
  const push = readPushConfig(values.get('push.config.file') ?? '')
  const ttlMs = parseDuration(values.get('push.ttl')!)
  const guard = WebGuard.forFile(values.get('web.config.file')!, logger)
  const port = await Port.open(parseListenAddress(values.get('web.listen-address')!), guard)
  const ending = untilSignal(logger)
  const gateway = await createPushgateway({
    ...storageOf(values),
    clock: systemClock,
    logger,
    registry: new Registry(),
    version: VERSION,
    enableAdminApi: isOn('web.enable-admin-api'),
    disableConsistencyCheck: isOn('push.disable-consistency-check'),
    utf8Names: isOn('push.enable-utf8-names'),
    flags: Object.fromEntries(values),
    ...(ttlMs === 0 ? {} : { ttlMs }),
    ...(isOn('web.enable-lifecycle') ? { onQuit: ending.now } : {}),
    ...push,
  })
  const app = await createHttpApp(port, logger)
  const prefix = routePrefix(values)
  await app.register(pushgatewayApi(gateway), { prefix })
  const pushGroups = pushGroupsApi(gateway, { nowMs: () => systemClock.nowMs(), parseSelector })
  await app.register(pushGroups, { prefix: `${prefix}/api/belltower/v1` })
  await app.ready()
  port.begin()
  logger.info({ url: port.url }, 'listening')
  await ending.signal
  await port.close()
  await guard?.close()
  await gateway.close()
}

/** A folder of our own, beside the original's file where that is named. */
function storageOf(values: ParsedFlags['values']): { dataDir: string | undefined; importFile?: string } {
  const file = values.get('persistence.file') ?? ''
  const folder = file === '' ? (values.get('persistence.path') ?? '') : dirname(file)
  return {
    dataDir: folder === '' ? undefined : folder,
    ...(file !== '' && existsSync(file) ? { importFile: file } : {}),
  }
}

function readPushConfig(path: string): PushSettings {
  if (path === '') return {}
  return pushSettingsOf(parseConfig<PushSection>(path, readFileSync(path, 'utf8'), pushSchema).value)
}

function routePrefix(values: ParsedFlags['values']): string {
  const externalUrl = values.get('web.external-url') ?? ''
  const prefix = values.get('web.route-prefix') || (externalUrl === '' ? '' : new URL(externalUrl).pathname)
  return prefix.replace(/^(?!\/|$)/, '/').replace(/\/+$/, '')
}
