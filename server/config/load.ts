/** Reads and checks the whole configuration: the file itself, the files it names, and what no schema can say. */
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve as absolutePath, basename, dirname, join } from 'node:path'
import { type Document, isMap, isScalar, parseDocument, visit } from 'yaml'
import { errorMessage, type HttpClientConfig, type ParsedConfig } from '../../lib/index.ts'
import { ConfigError, parseConfig } from '../../lib/yaml-config.ts'
import { formatDuration } from '../../model/index.ts'
import { loadRuleFiles, parseRuleFile, type RuleGroupConfig } from '../../rules/index.ts'
import type { RelabelConfig, ScrapeConfig, StaticConfig } from '../../scraper/index.ts'
import { BUILT_IN_NAME, builtInConfigText, builtInRulesText, selfMonitoringJobs } from './built-in.ts'
import { convertGlobal, convertHttp, convertRelabel, convertScrape, type GlobalConfig, resolverOf } from './convert.ts'
import { type ConfigFile, configSchema } from './schema.ts'

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
  /** Name and text of the embedded Alertmanager's configuration; `undefined` = its default. */
  readonly alertmanager: { readonly fileName: string; readonly text: string } | undefined
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
  const ruleGroups = await attempt(faults, async () =>
    options.path === undefined
      ? parseRuleFile(`${BUILT_IN_NAME} rules`, builtInRulesText())
      : loadRuleFiles(rulePatterns, dirname(source)),
  )
  const alertmanager = await attempt(faults, async () =>
    alertmanagerText(parsed, text, source, options.alertmanagerPath),
  )
  if (faults.length > 0) throw new ConfigError(faults)

  const retention = file.storage?.tsdb?.retention
  return {
    source,
    yaml: shownYaml(text, global),
    global,
    scrapeConfigs: [
      ...file.scrape_configs.map((job) => convertScrape(job, file, global, source)),
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
    retention: {
      ...(retention?.time === undefined ? {} : { timeMs: retention.time }),
      ...(retention?.size === undefined ? {} : { bytes: retention.size }),
    },
    alertmanager,
  }
}

/** What can only be seen across keys. */
function crossFaults(parsed: ParsedConfig<ConfigFile>): string[] {
  const { value: file, fault } = parsed
  const faults: string[] = []
  const global = file.global
  const timeoutFault = 'global scrape timeout greater than scrape interval'
  const globalIntervalMs = global?.scrape_interval ?? 60_000
  if (global?.scrape_timeout !== undefined && global.scrape_timeout > globalIntervalMs) {
    faults.push(fault(['global', 'scrape_timeout'], timeoutFault))
  }
  const seen = new Set<string>()
  file.scrape_configs.forEach((job, index) => {
    const path = ['scrape_configs', index] as const
    if (seen.has(job.job_name)) {
      faults.push(
        fault([...path, 'job_name'], `found multiple scrape configs with job name ${JSON.stringify(job.job_name)}`),
      )
    }
    seen.add(job.job_name)
    const intervalMs = job.scrape_interval ?? globalIntervalMs
    if (intervalMs === 0) faults.push(fault([...path, 'scrape_interval'], 'the scrape interval must not be zero'))
    if (job.scrape_timeout !== undefined && job.scrape_timeout > intervalMs) {
      faults.push(
        fault(
          [...path, 'scrape_timeout'],
          `scrape timeout greater than scrape interval for scrape config with job name ${JSON.stringify(job.job_name)}`,
        ),
      )
    }
    faults.push(...authFaults(job, path, fault))
  })
  file.alerting?.alertmanagers.forEach((set, index) => {
    const path = ['alerting', 'alertmanagers', index] as const
    faults.push(...authFaults(set, path, fault))
    if (set.file_sd_configs.length + set.http_sd_configs.length > 0) {
      faults.push(fault(path, 'Alertmanagers can be listed in static_configs only, for now'))
    }
    if (set.relabel_configs.length > 0) {
      faults.push(fault([...path, 'relabel_configs'], 'relabelling of Alertmanager targets is not available yet'))
    }
  })
  const names = file.global
  if (names?.metric_name_validation_scheme === 'legacy' && names.metric_name_escaping_scheme === 'allow-utf-8') {
    faults.push(fault(['global', 'metric_name_escaping_scheme'], 'allow-utf-8 does not go with legacy validation'))
  }
  if (file.scrape_config_files.length > 0) {
    faults.push(fault(['scrape_config_files'], 'scrape_config_files is not available yet in Belltower'))
  }
  return faults
}

type Path = readonly (string | number)[]
type HttpKeys = ConfigFile['scrape_configs'][number]

function authFaults(
  http: Pick<HttpKeys, 'basic_auth' | 'authorization'>,
  path: Path,
  fault: (path: Path, why: string) => string,
): string[] {
  const faults: string[] = []
  const { basic_auth: basic, authorization } = http
  if (basic && authorization) {
    faults.push(
      fault([...path, 'authorization'], 'at most one of basic_auth, oauth2 & authorization must be configured'),
    )
  }
  if (basic?.password !== undefined && basic.password_file !== undefined) {
    faults.push(fault([...path, 'basic_auth'], 'at most one of basic_auth password & password_file must be configured'))
  }
  if (authorization?.credentials !== undefined && authorization.credentials_file !== undefined) {
    faults.push(
      fault(
        [...path, 'authorization'],
        'at most one of authorization credentials & credentials_file must be configured',
      ),
    )
  }
  if (authorization?.type?.trim().toLowerCase() === 'basic') {
    faults.push(
      fault(
        [...path, 'authorization', 'type'],
        'authorization type cannot be set to "basic", use "basic_auth" instead',
      ),
    )
  }
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
  const setting = parsed.value.belltower?.alertmanager
  if (setting === undefined) return undefined
  if (typeof setting === 'string') {
    const path = resolverOf(configPath)(setting)
    return { fileName: path, text: readText(path) }
  }
  // Inline: only that part of the document, under a name that says where it stands.
  const inline = parseDocument(text, { merge: true }).getIn(['belltower', 'alertmanager'], true)
  const name = `${basename(configPath)}#belltower.alertmanager`
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
  /^(password|credentials|client_secret|secret|secrets|secret_key|bearer_token|auth_token|api_key|key)$/

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
