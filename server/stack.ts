/** Builds every part in order and knows how they hold together; `main.ts` gives it its life. */
import { mkdirSync } from 'node:fs'
import { dirname, resolve as resolvePath } from 'node:path'
import { type Alertmanager, createAlertmanager, parseAlertmanagerConfig, withOnCall } from '../alertmanager/index.ts'
import { type Clock, errorMessage, type Logger } from '../lib/index.ts'
import { Registry } from '../lib/metrics.ts'
import { createHttpClient } from '../lib/undici-client.ts'
import { labelsFromRecord, type RangeFunction } from '../model/index.ts'
import { DashboardStore } from '../dashboards/index.ts'
import { createPushgateway, type Pushgateway } from '../pushgateway/index.ts'
import {
  createExternalNotifier,
  createRuleManager,
  fanOutSink,
  labellingSink,
  type RuleManager,
  type RuleSettings,
} from '../rules/index.ts'
import {
  compileRelabel,
  createHostExporter,
  createProber,
  createScrapeManager,
  defaultProbeModules,
  type InProcessTarget,
  type Prober,
  type ScrapeManager,
} from '../scraper/index.ts'
import type { Tsdb } from '../tsdb/index.ts'
import { Notifications } from './http/notifications.ts'
import { IN_PROCESS } from './config/built-in.ts'
import { type LoadedConfig, loadConfig } from './config/load.ts'
import { ExternalAlertmanagers } from './external-alertmanagers.ts'
import { OperatorSource } from './operator-source.ts'
import type { QueryLog } from './query/query-log.ts'
import type { QueryPool } from './query/query-pool.ts'
import { batchedRuleQueries } from './query/rule-queries.ts'
import { TinyQueries } from './query/tiny-queries.ts'
import type { MatchRequest } from './query/query-worker.ts'
import { RemoteMetadata } from './remote-write/remote-metadata.ts'
import { RemoteWriteReceiver } from './remote-write/receiver.ts'
import { registerProcessMetrics, type ReloadState } from './self-metrics.ts'
import { type Settings, stateFolder } from './settings.ts'
import { engineSettings, openStoreAndQueries, type StoreAndQueriesOptions, storeSettings } from './store-and-queries.ts'
import { VERSION } from './version.ts'

export interface Stack {
  readonly registry: Registry
  /** Own metrics of the Alertmanager and the Pushgateway: also part of the process' page. */
  readonly registries: readonly Registry[]
  readonly tsdb: Tsdb
  readonly pool: QueryPool
  readonly tinyQueries: TinyQueries
  readonly alertmanager: Alertmanager
  readonly pushgateway: Pushgateway
  readonly dashboards: DashboardStore
  readonly scrapes: ScrapeManager
  readonly prober: Prober
  readonly remoteWrite: RemoteWriteReceiver
  /** What senders have said of their metrics. */
  readonly remoteMetadata: RemoteMetadata
  readonly rules: RuleManager
  readonly externalAlertmanagers: ExternalAlertmanagers
  readonly notifications: Notifications
  readonly queryLog: QueryLog
  readonly reloadState: ReloadState
  /** What is in force now. */
  readonly config: () => LoadedConfig
  /** Begins to scrape and to evaluate. */
  start(): Promise<void>
  /** Reads everything anew, checks everything, then applies everything. @throws what is wrong; nothing has changed then */
  reload(): Promise<void>
  /** In reverse order of starting; what has been acknowledged is on disk when it resolves. */
  stop(): Promise<void>
}

/** How long queued alerts may take to leave at the end. */
const NOTIFIER_DRAIN_MS = 3000

const RELOAD_FAILED = 'The configuration could not be reloaded; the previous one stays in force.'

const SECTION_WITHOUT_EFFECT =
  'this section of the configuration is valid and has no effect yet: nothing is sent or read by it'

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** @param externalUrl under which users reach the server, without a slash at its end */
export async function buildStack(
  settings: Settings,
  options: {
    env: NodeJS.ProcessEnv
    externalUrl: string
    configPath: string | undefined
  } & Omit<StoreAndQueriesOptions, 'registry'>,
): Promise<Stack> {
  const { clock, logger, externalUrl } = options
  const files = {
    path: options.configPath,
    alertmanagerPath: settings.alertmanagerConfigPath,
    env: options.env,
    features: settings.promql.parser,
  }
  let config = await loadConfig(files)
  const alertmanagerConfigOf = ({ alertmanager: file, onCall }: LoadedConfig) => {
    const own = file && parseAlertmanagerConfig(file.fileName, file.text)
    return onCall ? withOnCall(own, onCall) : own
  }
  const alertmanagerConfig = alertmanagerConfigOf(config)

  mkdirSync(settings.dataDir, { recursive: true })
  const registry = new Registry()
  const reloadState: ReloadState = { successful: true, timeMs: clock.nowMs() }
  registerProcessMetrics(registry, VERSION, reloadState)

  const { tsdb, queries } = await openStoreAndQueries(config, settings, { ...options, registry })
  const { pool } = queries

  const remoteMetadata = new RemoteMetadata()
  const remoteWrite = new RemoteWriteReceiver({
    metadata: remoteMetadata,
    appender: () => tsdb.appender({ stream: 'remote-write' }),
    clock,
    registry,
  })

  const notifications = new Notifications(clock)
  const tinyQueries = new TinyQueries({ tsdb, clock, settings: engineSettings(config, settings) })

  const alertmanagerRegistry = new Registry()
  const openingAlertmanager = createAlertmanager({
    config: alertmanagerConfig,
    dataDir: stateFolder(settings, 'alertmanager'),
    clock,
    logger,
    registry: alertmanagerRegistry,
    externalUrl: `${externalUrl}/alertmanager`,
    ownApiUrl: `${externalUrl}/api/belltower/v1`,
    ...(settings.cluster && { cluster: settings.cluster }),
    httpClientFactory: (http) => createHttpClient(http),
  })
  const pushgatewayRegistry = new Registry()
  const openingPushgateway = createPushgateway({
    dataDir: settings.dataDir,
    clock,
    logger,
    registry: pushgatewayRegistry,
    version: VERSION,
    utf8Names: true,
    ...config.push,
  })
  const openingDashboards = DashboardStore.open({
    dataDir: settings.dataDir,
    clock,
    logger: logger.child({ module: 'dashboards' }),
    path: settings.dashboardsPath,
  })
  // Each waits for the disk now and then.
  const [alertmanager, pushgateway, dashboards] = await Promise.all([
    openingAlertmanager,
    openingPushgateway,
    openingDashboards,
  ])
  const registries = [registry, alertmanagerRegistry, pushgatewayRegistry]

  const scrapes = createScrapeManager({
    store: tsdb,
    appendable: tsdb,
    clock,
    logger,
    registry,
    version: VERSION,
    createdZeros: settings.features.has('created-timestamp-zero-ingestion'),
    inProcess: inProcessTargets({ registries: [registry, alertmanagerRegistry], pushgateway, clock, logger }),
  })

  const notifier = createExternalNotifier({
    clock,
    logger,
    registry,
    queueCapacity: settings.notificationQueueCapacity,
  })
  const externalAlertmanagers = new ExternalAlertmanagers({
    clock,
    logger,
    onTargets: (targets) => notifier.setAlertmanagers(targets),
  })
  let relabelAlert = compileRelabel([])
  const sink = labellingSink(fanOutSink([alertmanager, notifier], logger), {
    externalLabels: () => labelsFromRecord(config.global.externalLabels),
    relabel: () => relabelAlert,
  })
  const query = batchedRuleQueries(pool, settings.queryTimeoutMs, { queryLog: queries.log, clock })
  const queryRange: RangeFunction = (selector, { startMs, endMs }) =>
    pool.run(
      'seriesPoints',
      { matchers: [selector], minTimeMs: startMs, maxTimeMs: endMs, limit: 0 } satisfies MatchRequest,
      { queryClass: 'rule' },
    )
  const ruleSettings = (loaded: LoadedConfig): RuleSettings => ({
    externalLabels: labelsFromRecord(loaded.global.externalLabels),
    evaluationIntervalMs: loaded.global.evaluationIntervalMs,
    queryOffsetMs: loaded.global.ruleQueryOffsetMs,
    externalUrl,
  })
  const rules = createRuleManager({
    clock,
    logger,
    registry,
    query,
    queryRange,
    appendable: { appender: () => tsdb.appender({ stream: 'rules' }) },
    sink,
    ...ruleSettings(config),
    resendDelayMs: settings.resendDelayMs,
    forOutageToleranceMs: settings.outageToleranceMs,
    forGracePeriodMs: settings.gracePeriodMs,
  })

  /** The jobs and rules of the files, and those that were found in a cluster. */
  const applyJobs = async (): Promise<void> => {
    const { found } = operator
    await scrapes.apply({
      global: { externalLabels: labelsFromRecord(config.global.externalLabels) },
      scrapeConfigs: [...config.scrapeConfigs, ...found.scrapeConfigs],
    })
    await rules.apply([...config.ruleGroups, ...found.ruleGroups], ruleSettings(config))
  }
  // One at a time: objects may change while a configuration is being applied.
  let applying: Promise<unknown> = Promise.resolve()
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = applying.then(work)
    applying = done.catch(() => undefined)
    return done
  }
  const operator = new OperatorSource({
    clock,
    logger,
    onChange: () =>
      void inTurn(applyJobs).catch((error: unknown) => logger.error({ err: error }, 'objects could not be applied')),
  })

  const apply = async (next: LoadedConfig): Promise<void> => {
    config = next
    pool.configure(engineSettings(next, settings))
    tinyQueries.configure(engineSettings(next, settings))
    const { queryLogFile } = next.global
    queries.log.configure(queryLogFile === '' ? '' : resolvePath(dirname(next.source), queryLogFile))
    tsdb.configure(storeSettings(next, settings))
    relabelAlert = compileRelabel(next.alertRelabelConfigs)
    await externalAlertmanagers.apply(next.alertmanagers)
    await operator.apply(next.operator)
    await applyJobs()
    for (const section of next.withoutEffect) logger.warn({ section }, SECTION_WITHOUT_EFFECT)
    for (const path of next.missingRuleFiles) logger.warn({ path }, 'a rule file that is named does not exist')
  }

  const reload = async (): Promise<void> => {
    try {
      if (isStopping) throw new Error('the server stops')
      const next = await loadConfig({ ...files, besidesOthers: true })
      const nextAlertmanager = alertmanagerConfigOf(next)
      // Fails without a change when its templates do not work; the rest cannot fail any more.
      await alertmanager.applyConfig(nextAlertmanager)
      await inTurn(() => apply(next))
      reloadState.successful = true
      reloadState.timeMs = clock.nowMs()
      notifications.clear(RELOAD_FAILED)
      logger.info({ source: next.source }, 'configuration reloaded')
    } catch (error) {
      reloadState.successful = false
      alertmanager.reloadFailed()
      notifications.set(RELOAD_FAILED)
      logger.error({ reason: errorMessage(error) }, 'configuration not reloaded, the previous one stays in force')
      throw error
    }
  }
  // One at a time, from reading the files on: what was read first must not be applied last.
  let reloading: Promise<unknown> = Promise.resolve()
  let isStopping = false

  return {
    registry,
    registries,
    tsdb,
    pool,
    tinyQueries,
    alertmanager,
    pushgateway,
    dashboards,
    scrapes,
    prober: createProber(() => config.probeModules ?? defaultProbeModules(), logger),
    remoteWrite,
    remoteMetadata,
    rules,
    externalAlertmanagers,
    notifications,
    queryLog: queries.log,
    reloadState,
    config: () => config,
    async start() {
      await inTurn(() => apply(config))
      rules.start()
    },
    reload() {
      const done = reloading.then(reload)
      reloading = done.catch(() => undefined)
      return done
    },
    async stop() {
      isStopping = true
      await operator.stop()
      await reloading
      await applying
      await scrapes.stop()
      await rules.stop()
      await notifier.stop(NOTIFIER_DRAIN_MS)
      await externalAlertmanagers.stop()
      await alertmanager.stop()
      await pushgateway.close()
      tinyQueries.close()
      await queries.close()
      await tsdb.close()
    },
  }
}

function inProcessTargets(parts: {
  registries: readonly Registry[]
  pushgateway: Pushgateway
  clock: Clock
  logger: Logger
}): ReadonlyMap<string, InProcessTarget> {
  const host = createHostExporter({ clock: parts.clock, logger: parts.logger, version: VERSION })
  const page = (read: () => Promise<Uint8Array> | Uint8Array): InProcessTarget => ({
    scrape: async () => ({ contentType: METRICS_TYPE, body: await read() }),
  })
  return new Map([
    [IN_PROCESS.self, page(async () => Buffer.from(await metricsPage(parts.registries)))],
    [IN_PROCESS.host, page(() => host.scrape())],
    [IN_PROCESS.pushgateway, page(() => parts.pushgateway.scrape())],
  ])
}

/** The pages of several registries as one; their names do not overlap. */
export async function metricsPage(registries: readonly Registry[]): Promise<string> {
  return (await Promise.all(registries.map((registry) => registry.metrics()))).join('\n')
}
