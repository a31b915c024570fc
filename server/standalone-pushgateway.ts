/** `belltower pushgateway`: the Pushgateway alone, at the root of its port, with the original's flags. */
import { systemClock } from '../lib/index.ts'
import { createLogger } from '../lib/log.ts'
import { Registry } from '../lib/metrics.ts'
import { createPushgateway, pushgatewayApi } from '../pushgateway/index.ts'
import { type FlagSpec, flag, type ParsedFlags, parseListenAddress } from './flags.ts'
import { createHttpApp } from './http/app.ts'
import { Port } from './http/port.ts'
import { untilSignal } from './signals.ts'
import { VERSION } from './version.ts'

export const PUSHGATEWAY_FLAGS: readonly FlagSpec[] = [
  flag('web.listen-address', 'string', '127.0.0.1:9091', 'Address of the page and of the API.'),
  flag('web.enable-admin-api', 'boolean', 'false', 'Allow to delete everything at once.'),
  flag('web.enable-lifecycle', 'boolean', 'false', 'Allow shutdown by HTTP request.'),
  flag('persistence.path', 'string', 'data/', 'Folder in which pushes are kept; empty = in memory only.'),
  flag('push.disable-consistency-check', 'boolean', 'false', 'Accept pushes without comparing them with the others.'),
]

export async function runStandalonePushgateway({ values, warnings }: ParsedFlags): Promise<void> {
  const logger = createLogger()
  for (const warning of warnings) logger.warn(warning)
  const isOn = (name: string): boolean => values.get(name) === 'true'
  const port = await Port.open(parseListenAddress(values.get('web.listen-address')!))
  const ending = untilSignal(logger)
  const dataDir = values.get('persistence.path')
  const gateway = await createPushgateway({
    dataDir: dataDir === '' ? undefined : dataDir,
    clock: systemClock,
    logger,
    registry: new Registry(),
    version: VERSION,
    enableAdminApi: isOn('web.enable-admin-api'),
    disableConsistencyCheck: isOn('push.disable-consistency-check'),
    flags: Object.fromEntries(values),
    ...(isOn('web.enable-lifecycle') ? { onQuit: ending.now } : {}),
  })
  const app = await createHttpApp(port, logger)
  await app.register(pushgatewayApi(gateway))
  await app.ready()
  port.begin()
  logger.info({ url: port.url }, 'listening')
  await ending.signal
  await port.close()
  await gateway.close()
}
