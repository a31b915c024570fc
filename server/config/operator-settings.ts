/** The Prometheus Operator's objects as the rest of the configuration would have them. */
import { stringify } from 'yaml'
import { errorMessage } from '../../lib/index.ts'
import { type ParserFeatures, parseExpr } from '../../promql/index.ts'
import { parseRuleFile, type RuleGroupConfig } from '../../rules/index.ts'
import {
  OPERATOR_KINDS,
  type OperatorConfig,
  type OperatorKind,
  type OperatorObjects,
  type ScrapeConfig,
} from '../../scraper/index.ts'
import { convertScrape, type GlobalConfig } from './convert.ts'
import { convertHttp, resolverOf } from './convert-http.ts'
import { httpKeys } from './http-schema.ts'
import type { OperatorFile } from './operator-schema.ts'
import { type ConfigFile, type ScrapeFile, scrapeFileSchema } from './schema.ts'
import { jobFaults } from './scrape-faults.ts'

/** The section, and how objects are read under this configuration. */
export interface OperatorSettings {
  readonly config: OperatorConfig
  /** What is wrong with an object goes to `faults`; the others count. */
  read(objects: OperatorObjects): FoundObjects
}

export interface FoundObjects {
  readonly scrapeConfigs: readonly ScrapeConfig[]
  readonly ruleGroups: readonly RuleGroupConfig[]
  readonly faults: readonly string[]
}

export interface OperatorContext {
  readonly file: ConfigFile
  readonly global: GlobalConfig
  readonly configPath: string
  /** Of PromQL, for the expressions of rules. */
  readonly features: Partial<ParserFeatures> | undefined
}

export function operatorSettings(section: OperatorFile, context: OperatorContext): OperatorSettings {
  return { config: operatorConfig(section, context.configPath), read: (objects) => readObjects(objects, context) }
}

function operatorConfig(section: OperatorFile, configPath: string): OperatorConfig {
  const selectors: Record<OperatorKind, string | undefined> = {
    ServiceMonitor: section.service_monitor_selector,
    PodMonitor: section.pod_monitor_selector,
    Probe: section.probe_selector,
    ScrapeConfig: section.scrape_config_selector,
    PrometheusRule: section.rule_selector,
  }
  const kinds = section.kinds.length > 0 ? section.kinds : OPERATOR_KINDS
  const isEndpointSlice = section.service_discovery_role === 'EndpointSlice'
  return {
    apiServer: section.api_server,
    kubeconfigFile: section.kubeconfig_file && resolverOf(configPath)(section.kubeconfig_file),
    http: convertHttp(section, configPath),
    access: accessOf(section),
    namespaces: section.namespaces,
    kinds: Object.fromEntries(kinds.map((kind) => [kind, selectors[kind] ?? ''])),
    endpointRole: isEndpointSlice ? 'endpointslice' : 'endpoints',
  }
}

/** The keys of the section that `kubernetes_sd_configs` have too. */
function accessOf(section: OperatorFile): Record<string, unknown> {
  const keys = ['api_server', 'kubeconfig_file', ...Object.keys(httpKeys)] as (keyof OperatorFile)[]
  return Object.fromEntries(keys.filter((key) => section[key] !== undefined).map((key) => [key, section[key]]))
}

function readObjects({ jobs, ruleFiles }: OperatorObjects, context: OperatorContext): FoundObjects {
  const { file, global, configPath, features } = context
  const faults: string[] = []
  const scrapeConfigs: ScrapeConfig[] = []
  const taken = new Set(file.scrape_configs.map((job) => job.job_name))
  for (const one of jobs) {
    const name = String(one['job_name'])
    const { job, wrong } = readJob(one, file, name)
    if (taken.has(name)) wrong.push(`${name}: a job of that name exists already`)
    faults.push(...wrong)
    if (!job || wrong.length > 0) continue
    taken.add(name)
    scrapeConfigs.push(convertScrape(job, file, global, configPath))
  }
  const ruleGroups: RuleGroupConfig[] = []
  for (const { name, groups } of ruleFiles) {
    try {
      ruleGroups.push(
        ...parseRuleFile(name, stringify({ groups }), { checkExpr: (text) => void parseExpr(text, features) }),
      )
    } catch (error) {
      faults.push(errorMessage(error))
    }
  }
  return { scrapeConfigs, ruleGroups, faults }
}

/** Checks a job as one of the file. */
function readJob(one: object, file: ConfigFile, name: string): { job: ScrapeFile | undefined; wrong: string[] } {
  const parsed = scrapeFileSchema.safeParse({ scrape_configs: [one] })
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${name}: ${path.slice(2).join('.')}: ${message}`)
    return { job: undefined, wrong }
  }
  const fault = (_path: readonly (string | number)[], why: string): string => `${name}: ${why}`
  return {
    job: parsed.data.scrape_configs[0],
    wrong: jobFaults(file.global, [{ jobs: parsed.data.scrape_configs, fault }]),
  }
}
