/** Reads and checks the whole configuration: the file itself, the files it names, and what no schema can say. */
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve as absolutePath, basename, dirname, join } from 'node:path'
import { type Document, isMap, isScalar, parseDocument, visit } from 'yaml'
import { errorMessage, type HttpClientConfig, type ParsedConfig } from '../../lib/index.ts'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { formatDuration } from '../../model/index.ts'
import { loadRuleFiles, parseRuleFile, type RuleGroupConfig } from '../../rules/index.ts'
import {
  DEFAULT_PROBE_MODULES,
  parseProbeConfig,
  type ProbeModules,
  type RelabelConfig,
  type ScrapeConfig,
  type StaticConfig,
} from '../../scraper/index.ts'
import { BUILT_IN_NAME, builtInConfigText, builtInRulesText, selfMonitoringJobs } from './built-in.ts'
import { convertGlobal, convertRelabel, convertScrape, type GlobalConfig } from './convert.ts'
import { convertHttp, resolverOf } from './convert-http.ts'
import { readScrapeConfigFiles } from './scrape-files.ts'
import { globalFaults, jobFaults } from './scrape-faults.ts'
import { type PushSettings, pushSettingsOf } from './push-schema.ts'
import { type ConfigFile, configSchema } from './schema.ts'

// Prometheus' default.
const EXEMPLARS_MAX = 100_000

/** An external Alertmanager set to which alerts are sent besides the embedded one. */
export interface AlertmanagersConfig {
  readonly scheme: 'http' | 'https'
  readonly pathPrefix: string
  readonly timeoutMs: number
  readonly targets: readonly StaticConfig[]
  readonly alertRelabelConfigs: readonly RelabelConfig[]
  readonly http: HttpClientConfig
}

/** Everything that a reload can change. */
export interface LoadedConfig {
  /** Path of the file, or a name for the built-in configuration. */
  readonly source: string
  /** As `/api/v1/status/config` shows it: globals filled in, secrets masked. */
  readonly yaml: string
  readonly global: GlobalConfig
  readonly scrapeConfigs: readonly ScrapeConfig[]
  readonly ruleGroups: readonly RuleGroupConfig[]
  readonly alertRelabelConfigs: readonly RelabelConfig[]
  readonly alertmanagers: readonly AlertmanagersConfig[]
  /** Rule files that are named and not there: nothing is loaded from them, as in Prometheus. */
  readonly missingRuleFiles: readonly string[]
  /** Overrides `--storage.tsdb.retention.*`. */
  readonly retention: { readonly timeMs?: number; readonly bytes?: number }
  readonly outOfOrderTimeWindowMs: number
  /** Exemplars kept; 0: none. */
  readonly exemplarsMax: number
  /** Name and text of the embedded Alertmanager's configuration; `undefined` = its default. */
  readonly alertmanager: { readonly fileName: string; readonly text: string } | undefined
  /** Modules of `/probe`. */
  readonly probeModules: ProbeModules
  /** Taken at the start; a change needs a restart. */
  readonly push: PushSettings
}

export interface LoadOptions {
  /** `undefined` = the built-in configuration. */
  readonly path: string | undefined
  /** `--alertmanager.config.file`, '' = none. */
  readonly alertmanagerPath: string
  readonly env: NodeJS.ProcessEnv
}

/** @throws {ConfigError} listing every fault of every file */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const source = options.path === undefined ? BUILT_IN_NAME : absolutePath(options.path)
  const shownName = options.path ?? BUILT_IN_NAME
  const text = options.path === undefined ? builtInConfigText(hostname()) : readText(options.path)
  const parsed = parseConfig(shownName, text, configSchema)
  const file = parsed.value
  const faults = crossFaults(parsed)
  const global = convertGlobal(file.global, options.env)

  const resolve = resolverOf(source)
  // A pattern that matches nothing is fine to Prometheus, yet often a slip.
  const missingRuleFiles = file.rule_files.filter((name) => !/[*?[]/.test(name) && !existsSync(resolve(name)))
  const rulePatterns = file.rule_files.filter((name) => !missingRuleFiles.includes(name))
  const scrapeFiles =
    (await attempt(faults, async () => readScrapeConfigFiles(file.scrape_config_files.map(resolve)))) ?? []
  faults.push(
    ...jobFaults(file.global, [
      { jobs: file.scrape_configs, fault: parsed.fault },
      ...scrapeFiles.map((one) => ({ jobs: one.parsed.value.scrape_configs, fault: one.parsed.fault })),
    ]),
  )
  const ruleGroups = await attempt(faults, async () =>
    options.path === undefined
      ? parseRuleFile(`${BUILT_IN_NAME} rules`, builtInRulesText())
      : loadRuleFiles(rulePatterns, dirname(source)),
  )
  const alertmanager = await attempt(faults, async () =>
    alertmanagerText(parsed, text, source, options.alertmanagerPath),
  )
  const probeModules = await attempt(faults, async () => {
    const named = namedOrInline(parsed, text, source, 'probes')
    return named === undefined ? DEFAULT_PROBE_MODULES : parseProbeConfig(named.fileName, named.text)
  })
  if (faults.length > 0) throw new ConfigError(faults)

  const retention = file.storage?.tsdb?.retention
  return {
    source,
    yaml: shownYaml(text, global),
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
      targets: set.static_configs,
      alertRelabelConfigs: set.alert_relabel_configs.map(convertRelabel),
      http: convertHttp(set, source),
    })),
    outOfOrderTimeWindowMs: file.storage?.tsdb?.out_of_order_time_window ?? 0,
    exemplarsMax: Math.max(0, file.storage?.exemplars?.max_exemplars ?? EXEMPLARS_MAX),
    retention: {
      ...(retention?.time === undefined ? {} : { timeMs: retention.time }),
      ...(retention?.size === undefined ? {} : { bytes: retention.size }),
    },
    alertmanager,
    probeModules: probeModules ?? DEFAULT_PROBE_MODULES,
    push: pushSettingsOf(file.belltower?.push),
  }
}

/** What can only be seen across keys. */
function crossFaults(parsed: ParsedConfig<ConfigFile>): string[] {
  const { value: file, fault } = parsed
  const faults = globalFaults(file.global, fault)
  file.alerting?.alertmanagers.forEach((set, index) => {
    const path = ['alerting', 'alertmanagers', index] as const
    const kinds = Object.entries(set).filter(([key]) => key.endsWith('_sd_configs'))
    if (kinds.some(([, list]) => Array.isArray(list) && list.length > 0)) {
      faults.push(fault(path, 'Alertmanagers can be listed in static_configs only, for now'))
    }
    if (set.relabel_configs.length > 0) {
      faults.push(fault([...path, 'relabel_configs'], 'relabelling of Alertmanager targets is not available yet'))
    }
  })
  return faults
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

function alertmanagerText(parsed: ParsedConfig<ConfigFile>, text: string, configPath: string, flagPath: string) {
  if (flagPath !== '') return { fileName: absolutePath(flagPath), text: readText(flagPath) }
  return namedOrInline(parsed, text, configPath, 'alertmanager')
}

/** A configuration under `belltower:` that is a path, or the thing itself. */
function namedOrInline(
  parsed: ParsedConfig<ConfigFile>,
  text: string,
  configPath: string,
  key: 'alertmanager' | 'probes',
) {
  const setting = parsed.value.belltower?.[key]
  if (setting === undefined) return undefined
  if (typeof setting === 'string') {
    const path = resolverOf(configPath)(setting)
    return { fileName: path, text: readText(path) }
  }
  // Inline: only that part of the document, under a name that says where it stands.
  const inline = parseDocument(text, { merge: true }).getIn(['belltower', key], true)
  const name = `${basename(configPath)}#belltower.${key}`
  return { fileName: join(dirname(configPath), name), text: String(inline) }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError([`${path}:1:1: cannot be read: ${errorMessage(cause)}`])
  }
}

const SECRET_KEYS =
  /^(password|credentials|client_certificate_key|token|client_secret|secret|secrets|secret_key|bearer_token|auth_token|api_key|key)$/

function shownYaml(text: string, global: GlobalConfig): string {
  const doc: Document = parseDocument(text, { merge: true })
  if (!isMap(doc.contents)) doc.contents = doc.createNode({}) as never
  visit(doc, {
    Pair(_key, pair) {
      if (isScalar(pair.key) && SECRET_KEYS.test(String(pair.key.value)) && isScalar(pair.value)) {
        pair.value = doc.createNode('<secret>')
      }
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
