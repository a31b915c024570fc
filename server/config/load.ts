/** Reads and checks the whole configuration: the file itself, the files it names, and what no schema can say. */
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve as absolutePath, dirname } from 'node:path'
import { type Document, isMap, isPair, isScalar, parseDocument, visit } from 'yaml'
import { isSecret } from '../../alertmanager/index.ts'
import { errorMessage, type HttpClientConfig, type ParsedConfig, withoutUrlPassword } from '../../lib/index.ts'
import { ConfigError } from '../../lib/yaml-config.ts'
import { formatDuration } from '../../model/index.ts'
import { type ParserFeatures, parseExpr } from '../../promql/index.ts'
import { loadRuleFiles, parseRuleFile, type RuleGroupConfig } from '../../rules/index.ts'
import {
  parseProbeConfig,
  type ProbeModules,
  type RelabelConfig,
  type ScrapeConfig,
  type TargetSources,
} from '../../scraper/index.ts'
import { BUILT_IN_NAME, builtInConfigText, builtInRulesText, selfMonitoringJobs } from './built-in.ts'
import { convertGlobal, convertRelabel, convertScrape, type GlobalConfig } from './convert.ts'
import { convertDiscoveries, convertFileSd, convertHttpSd } from './convert-discovery.ts'
import { convertHttp, resolverOf } from './convert-http.ts'
import { ConfigReader, type InlineKey, type ReadConfig } from './config-reader.ts'
import { type OperatorSettings, operatorSettings } from './operator-settings.ts'
import { type OtlpConfig, otlpConfigOf, UTF8_STRATEGIES } from './otlp-schema.ts'
import {
  convertRemoteRead,
  convertRemoteWrite,
  convertSigv4,
  type RemoteReadConfig,
  type RemoteWriteConfig,
  type Sigv4Config,
} from './remote-config.ts'
import { readScrapeConfigFiles } from './scrape-files.ts'
import { globalFaults, jobFaults } from './scrape-faults.ts'
import { type PushSettings, pushSettingsOf } from './push-schema.ts'
import type { ConfigFile } from './schema.ts'
import { type RetentionSettings, retentionFaults, retentionSettingsOf } from './storage-schema.ts'

// Prometheus' default.
const EXEMPLARS_MAX = 100_000

/** An external Alertmanager set to which alerts are sent besides the embedded one. */
export interface AlertmanagersConfig {
  readonly scheme: 'http' | 'https'
  readonly pathPrefix: string
  readonly timeoutMs: number
  readonly sources: TargetSources
  readonly relabelConfigs: readonly RelabelConfig[]
  readonly alertRelabelConfigs: readonly RelabelConfig[]
  readonly http: HttpClientConfig
  readonly sigv4: Sigv4Config | undefined
}

/** Everything that a reload can change. */
export interface LoadedConfig extends RetentionSettings {
  /** Path of the file, or a name for the built-in configuration. */
  readonly source: string
  /** As `/api/v1/status/config` shows it: globals filled in, secrets masked. */
  readonly yaml: string
  readonly global: GlobalConfig
  readonly scrapeConfigs: readonly ScrapeConfig[]
  readonly ruleGroups: readonly RuleGroupConfig[]
  readonly alertRelabelConfigs: readonly RelabelConfig[]
  readonly alertmanagers: readonly AlertmanagersConfig[]
  readonly remoteWrite: readonly RemoteWriteConfig[]
  readonly remoteRead: readonly RemoteReadConfig[]
  readonly otlp: OtlpConfig
  /** Sections of the file that are valid and that nothing acts on: to be warned of. */
  readonly withoutEffect: readonly string[]
  /** Rule files that are named and not there: nothing is loaded from them, as in Prometheus. */
  readonly missingRuleFiles: readonly string[]
  /** Overrides `--storage.tsdb.retention.*`. */
  readonly retention: {
    readonly timeMs?: number
    readonly bytes?: number
    /** Of the file system that holds the data; instead of `bytes`. */
    readonly percentage?: number
  }
  readonly outOfOrderTimeWindowMs: number
  /** Exemplars kept; 0: none. */
  readonly exemplarsMax: number
  /** Name and text of the embedded Alertmanager's configuration; `undefined` = its default. */
  readonly alertmanager: { readonly fileName: string; readonly text: string } | undefined
  /** What goes beyond the Alertmanager's file: people on call, escalations, heartbeats; `undefined` = nothing. */
  readonly onCall: { readonly fileName: string; readonly text: string } | undefined
  /** Modules of `/probe`; `undefined` = the built-in ones. */
  readonly probeModules: ProbeModules | undefined
  /** The Prometheus Operator's objects, where they are wanted. */
  readonly operator: OperatorSettings | undefined
  /** Taken at the start; a change needs a restart. */
  readonly push: PushSettings
}

export interface LoadOptions {
  /** `undefined` = the built-in configuration. */
  readonly path: string | undefined
  /** `--alertmanager.config.file`, '' = none. */
  readonly alertmanagerPath: string
  readonly env: NodeJS.ProcessEnv
  /** Of PromQL, for the expressions of rules. */
  readonly features?: Partial<ParserFeatures>
  /** For an agent, which has no rules, no alerts and answers no queries. Default false. */
  readonly agentMode?: boolean
  /** Whether other work goes on meanwhile that must not wait: a thread of its own reads long files then. Default false. */
  readonly besidesOthers?: boolean
}

/** @throws {ConfigError} listing every fault of every file */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const reader = new ConfigReader(options.besidesOthers ?? false)
  try {
    return await load(options, reader)
  } finally {
    await reader.close()
  }
}

async function load(options: LoadOptions, reader: ConfigReader): Promise<LoadedConfig> {
  const source = options.path === undefined ? BUILT_IN_NAME : absolutePath(options.path)
  const shownName = options.path ?? BUILT_IN_NAME
  const text = options.path === undefined ? builtInConfigText(hostname()) : readText(options.path)
  const parsed = await reader.read('config', shownName, text)
  const file = parsed.value
  const faults = [...crossFaults(parsed), ...(options.agentMode ? agentFaults(parsed) : [])]
  const global = convertGlobal(file.global, options.env)

  const resolve = resolverOf(source)
  // A pattern that matches nothing is fine to Prometheus, yet often a slip.
  const missingRuleFiles = file.rule_files.filter((name) => !/[*?[]/.test(name) && !existsSync(resolve(name)))
  const rulePatterns = file.rule_files.filter((name) => !missingRuleFiles.includes(name))
  const scrapeFiles =
    (await attempt(faults, () => readScrapeConfigFiles(file.scrape_config_files.map(resolve), reader))) ?? []
  faults.push(
    ...jobFaults(file.global, [
      { jobs: file.scrape_configs, fault: parsed.fault },
      ...scrapeFiles.map((one) => ({ jobs: one.parsed.value.scrape_configs, fault: one.parsed.fault })),
    ]),
  )
  const ruleGroups = await attempt(faults, async () =>
    options.path === undefined
      ? parseRuleFile(`${BUILT_IN_NAME} rules`, builtInRulesText())
      : loadRuleFiles(rulePatterns, dirname(source), { checkExpr: (text) => void parseExpr(text, options.features) }),
  )
  const alertmanager = await attempt(faults, async () => alertmanagerText(parsed, source, options.alertmanagerPath))
  const onCall = await attempt(faults, async () => namedOrInline(parsed, source, 'on_call'))
  const probeModules = await attempt(faults, async () => {
    const named = namedOrInline(parsed, source, 'probes')
    return named && parseProbeConfig(named.fileName, named.text)
  })
  if (faults.length > 0) throw new ConfigError(faults)

  const retention = file.storage?.tsdb?.retention
  let shown: string | undefined
  return {
    source,
    // Of a long file it takes as long as reading it, and few ever ask.
    get yaml() {
      shown ??= shownYaml(text, global)
      return shown
    },
    global,
    scrapeConfigs: [
      ...file.scrape_configs.map((job) => convertScrape(job, file, global, source)),
      ...scrapeFiles.flatMap(({ path, parsed: { value } }) =>
        value.scrape_configs.map((job) => convertScrape(job, file, global, path)),
      ),
      ...(file.belltower?.self_monitoring ? selfMonitoringJobs(hostname(), global) : []),
    ],
    ruleGroups: ruleGroups ?? [],
    missingRuleFiles,
    alertRelabelConfigs: (file.alerting?.alert_relabel_configs ?? []).map(convertRelabel),
    alertmanagers: (file.alerting?.alertmanagers ?? []).map((set) => ({
      scheme: set.scheme ?? 'http',
      pathPrefix: set.path_prefix ?? '/',
      timeoutMs: set.timeout ?? 10_000,
      sources: {
        staticConfigs: set.static_configs,
        fileSdConfigs: convertFileSd(set, source),
        httpSdConfigs: convertHttpSd(set, source),
        discoveries: convertDiscoveries(set, source),
      },
      relabelConfigs: set.relabel_configs.map(convertRelabel),
      alertRelabelConfigs: set.alert_relabel_configs.map(convertRelabel),
      http: convertHttp(set, source),
      sigv4: set.sigv4 && convertSigv4(set.sigv4),
    })),
    remoteWrite: file.remote_write.map((end) => convertRemoteWrite(end, source)),
    remoteRead: file.remote_read.map((end) => convertRemoteRead(end, source)),
    otlp: otlpConfigOf(file.otlp),
    withoutEffect: withoutEffect(file),
    operator:
      file.belltower?.operator &&
      operatorSettings(file.belltower.operator, { file, global, configPath: source, features: options.features }),
    outOfOrderTimeWindowMs: file.storage?.tsdb?.out_of_order_time_window ?? 0,
    exemplarsMax: Math.max(0, file.storage?.exemplars?.max_exemplars ?? EXEMPLARS_MAX),
    retention: {
      ...(retention?.time === undefined ? {} : { timeMs: retention.time }),
      ...(retention?.size === undefined ? {} : { bytes: retention.size }),
      ...(retention?.percentage ? { percentage: retention.percentage } : {}),
    },
    alertmanager,
    onCall,
    probeModules,
    push: pushSettingsOf(file.belltower?.push),
    ...retentionSettingsOf(file.belltower?.storage),
  }
}

/** What can only be seen across keys. */
function crossFaults(parsed: ParsedConfig<ConfigFile>): string[] {
  const { value: file, fault } = parsed
  const faults = globalFaults(file.global, fault)
  const strategy = file.otlp?.translation_strategy
  if (strategy && UTF8_STRATEGIES.has(strategy) && file.global?.metric_name_validation_scheme === 'legacy') {
    const why = `OTLP translation strategy ${JSON.stringify(strategy)} is not allowed when UTF8 is disabled`
    faults.push(fault(['otlp', 'translation_strategy'], why))
  }
  const { retention } = file.storage?.tsdb ?? {}
  return [...faults, ...retentionFaults(file.belltower?.storage, retention?.time, fault)]
}

function agentFaults({ value: file, fault }: ParsedConfig<ConfigFile>): string[] {
  const used = {
    alerting: (file.alerting?.alertmanagers.length ?? 0) + (file.alerting?.alert_relabel_configs.length ?? 0) > 0,
    rule_files: file.rule_files.length > 0,
    remote_read: file.remote_read.length > 0,
  }
  return Object.entries(used)
    .filter(([, isUsed]) => isUsed)
    .map(([section]) => fault([section], `field ${section} is not allowed in agent mode`))
}

/** Sections that are checked and that nothing here acts on; whoever builds one takes it off this list. */
function withoutEffect(file: ConfigFile): string[] {
  return [
    ...(file.remote_write.length > 0 ? ['remote_write'] : []),
    ...(file.remote_read.length > 0 ? ['remote_read'] : []),
    ...(file.tracing ? ['tracing'] : []),
  ]
}

/** Runs `read`; a `ConfigError` joins the other faults instead of hiding them. */
async function attempt<T>(faults: string[], read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    faults.push(...error.faults)
    return undefined
  }
}

function alertmanagerText(parsed: ReadConfig<ConfigFile>, configPath: string, flagPath: string) {
  if (flagPath !== '') return { fileName: absolutePath(flagPath), text: readText(flagPath) }
  return namedOrInline(parsed, configPath, 'alertmanager')
}

/** A configuration under `belltower:` that is a path, or the thing itself. */
function namedOrInline(parsed: ReadConfig<ConfigFile>, configPath: string, key: InlineKey) {
  const setting = parsed.value.belltower?.[key]
  if (setting === undefined) return undefined
  if (typeof setting === 'string') {
    const path = resolverOf(configPath)(setting)
    return { fileName: path, text: readText(path) }
  }
  return { fileName: configPath, text: parsed.inlineText(key) }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError([`${path}:1:1: cannot be read: ${errorMessage(cause)}`])
  }
}

const SECRET_KEYS =
  /^(password|credentials|client_certificate_key|token|client_secret|secret|secrets|secret_key|bearer_token|auth_token|api_key|key|application_secret|application_credential_secret|consumer_key|key_passphrase|certificate_password|private_key|service_account_key)$/

/** @param keys from the top of the file down to a value, or to the list that it stands in */
function isSecretHere(keys: readonly string[]): boolean {
  const key = keys.at(-1) ?? ''
  // Whoever knows a heartbeat's URL, or what goes with it, can give it.
  const isHeartbeat = keys.includes('heartbeats') && (key === 'url' || keys.includes('headers'))
  const isAlertmanagers = keys[0] === 'belltower' && keys[1] === 'alertmanager' && isSecret(keys.slice(2))
  return SECRET_KEYS.test(key) || keys.includes('proxy_connect_header') || isHeartbeat || isAlertmanagers
}

const shownValue = (value: unknown): unknown => (typeof value === 'string' ? withoutUrlPassword(value) : value)

function shownYaml(text: string, global: GlobalConfig): string {
  const doc: Document = parseDocument(text, { merge: true })
  if (!isMap(doc.contents)) doc.contents = doc.createNode({}) as never
  visit(doc, {
    Scalar(place, node, path) {
      if (place === 'key') return
      const keys = path.flatMap((one) => (isPair(one) && isScalar(one.key) ? [String(one.key.value)] : []))
      const shownAs = isSecretHere(keys) ? '<secret>' : shownValue(node.value)
      if (shownAs === node.value) return
      node.value = shownAs
      // As it is usually written, whatever the secret was.
      delete node.type
    },
  })
  const shown: Record<string, number> = {
    scrape_interval: global.scrapeIntervalMs,
    scrape_timeout: global.scrapeTimeoutMs,
    evaluation_interval: global.evaluationIntervalMs,
  }
  for (const [key, valueMs] of Object.entries(shown)) {
    if (!isMap(doc.get('global'))) doc.set('global', doc.createNode({}))
    if (!doc.hasIn(['global', key])) doc.setIn(['global', key], formatDuration(valueMs))
  }
  return doc.toString()
}
