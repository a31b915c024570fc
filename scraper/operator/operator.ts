import { type Clock, errorMessage, type HttpClientConfig, type Logger } from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import { kubernetesAccess } from '../discovery/kubernetes/access.ts'
import { Informer } from '../discovery/kubernetes/informer.ts'
import type { KubernetesObject } from '../discovery/kubernetes/kubernetes-objects.ts'
import { podMonitorJobs, serviceMonitorJobs } from './monitors.ts'
import type { PodMonitor, Probe, PrometheusRule, ScrapeConfigObject, ServiceMonitor } from './objects.ts'
import { probeJob } from './probe.ts'
import { scrapeConfigJob } from './scrape-config.ts'
import { SecretReader, SecretUnreadableError } from './secrets.ts'
import type { FilePart, JobContext } from './settings.ts'

const COLLECTIONS = {
  ServiceMonitor: { version: 'v1', name: 'servicemonitors' },
  PodMonitor: { version: 'v1', name: 'podmonitors' },
  Probe: { version: 'v1', name: 'probes' },
  ScrapeConfig: { version: 'v1alpha1', name: 'scrapeconfigs' },
  PrometheusRule: { version: 'v1', name: 'prometheusrules' },
} as const
export type OperatorKind = keyof typeof COLLECTIONS
export const OPERATOR_KINDS = Object.keys(COLLECTIONS) as readonly OperatorKind[]

const API_GROUP = '/apis/monitoring.coreos.com'
const NAMESPACED = (namespace: string, name: string): string => `namespaces/${namespace}/${name}`
// Changes often come in bunches.
const SETTLE_MS = 1000
const RETRY_MS = 10_000
// Secrets that objects refer to are not watched.
const SECRETS_REFRESH_MS = 180_000

/** Which of the cluster's objects become jobs and rules. */
export interface OperatorConfig {
  /** Default: the cluster this runs in. */
  readonly apiServer?: string | undefined
  readonly kubeconfigFile?: string | undefined
  readonly http?: HttpClientConfig | undefined
  /** Where a pod finds its account. Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly serviceAccountDir?: string | undefined
  /** As they stand in `kubernetes_sd_configs`: how the targets of the objects are found. */
  readonly access: Readonly<Record<string, unknown>>
  /** Default all. */
  readonly namespaces?: readonly string[] | undefined
  /** Label selectors as the API takes them; a kind that is not named is not read. */
  readonly kinds: Readonly<Partial<Record<OperatorKind, string>>>
  /** Of ServiceMonitors that do not say. Default `endpoints`. */
  readonly endpointRole?: 'endpoints' | 'endpointslice' | undefined
}

export interface OperatorObjects {
  /** As they would stand in `scrape_configs`, by name. */
  readonly jobs: readonly Readonly<Record<string, unknown>>[]
  /** A rule file each. */
  readonly ruleFiles: readonly { readonly name: string; readonly groups: readonly object[] }[]
}

/**
 * Watches the Prometheus Operator's objects and turns them into what the Operator would write into a configuration.
 *
 * @param onChange hears of all of them, first when every kind has been listed; an object that cannot be used is left out
 */
export function watchOperator(
  config: OperatorConfig,
  parts: { readonly clock: Clock; readonly logger: Logger },
  onChange: (objects: OperatorObjects) => void,
): { stop(): Promise<void> } {
  const watch = new OperatorWatch(config, parts, onChange)
  watch.start()
  return watch
}

class OperatorWatch {
  readonly #config: OperatorConfig
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onChange: (objects: OperatorObjects) => void
  readonly #informers = new Map<OperatorKind, Informer<KubernetesObject>[]>()
  #client: ReturnType<typeof createHttpClient> | undefined
  #apiUrl = ''
  #cancelStart: (() => void) | undefined
  #cancelSettle: (() => void) | undefined
  #isSettling = false
  #isBuilding = false
  #retryMs = RETRY_MS
  /** By object, as they were told last. */
  #lastJobs: ReadonlyMap<string, readonly FilePart[]> = new Map()
  #isStopped = false

  constructor(
    config: OperatorConfig,
    parts: { readonly clock: Clock; readonly logger: Logger },
    onChange: (objects: OperatorObjects) => void,
  ) {
    this.#config = config
    this.#clock = parts.clock
    this.#logger = parts.logger.child({ module: 'operator' })
    this.#onChange = onChange
  }

  start(): void {
    void this.#start()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelStart?.()
    this.#cancelSettle?.()
    for (const informer of [...this.#informers.values()].flat()) informer.stop()
    await this.#client?.close()
  }

  async #start(): Promise<void> {
    try {
      const access = await kubernetesAccess({ kind: 'kubernetes', role: 'service', ...this.#config })
      if (this.#isStopped) return
      const client = createHttpClient(access.http, { keepAliveMs: 60_000 })
      this.#client = client
      this.#apiUrl = access.url
      for (const [kind, selector] of Object.entries(this.#config.kinds) as [OperatorKind, string][]) {
        const { version, name } = COLLECTIONS[kind]
        const { namespaces = [] } = this.#config
        const paths = namespaces.length > 0 ? namespaces.map((namespace) => NAMESPACED(namespace, name)) : [name]
        const query: Record<string, string> = selector === '' ? {} : { labelSelector: selector }
        const parts = { client, clock: this.#clock, logger: this.#logger, onChange: () => this.#changed() }
        const informers = paths.map(
          (path) =>
            new Informer(`${access.url}${API_GROUP}/${version}/${path}`, query, { ...parts, mayBeUnknown: true }),
        )
        this.#informers.set(kind, informers)
      }
      for (const informer of [...this.#informers.values()].flat()) informer.start()
    } catch (error) {
      this.#logger.error({ reason: errorMessage(error) }, "the Operator's objects cannot be read, it tries again")
      if (!this.#isStopped) this.#cancelStart = this.#clock.schedule(RETRY_MS, () => void this.#start())
    }
  }

  #changed(delayMs = SETTLE_MS): void {
    if (this.#isSettling || this.#isStopped) return
    if (![...this.#informers.values()].flat().every((informer) => informer.isSynced)) return
    this.#isSettling = true
    this.#cancelSettle?.()
    this.#cancelSettle = this.#clock.schedule(delayMs, () => {
      this.#isSettling = false
      // What changes while objects are being read is read after that.
      if (this.#isBuilding) this.#changed()
      else void this.#build()
    })
  }

  async #build(): Promise<void> {
    this.#isBuilding = true
    const secrets = new SecretReader(this.#client!, this.#apiUrl)
    const { access, endpointRole = 'endpoints' } = this.#config
    const context = { secrets, access, endpointRole }
    const { jobs, isComplete } = await this.#jobs(context)
    this.#isBuilding = false
    if (this.#isStopped) return
    this.#onChange({ jobs: [...jobs.values()].flat(), ruleFiles: this.#ruleFiles() })
    this.#lastJobs = jobs
    if (secrets.isUsed && !this.#isSettling) {
      const delayMs = isComplete ? SECRETS_REFRESH_MS : this.#retryMs
      // Some are refused for good, and each time all Secrets are read.
      this.#retryMs = isComplete ? RETRY_MS : Math.min(2 * delayMs, SECRETS_REFRESH_MS)
      this.#cancelSettle = this.#clock.schedule(delayMs, () => this.#changed(0))
    }
  }

  /** By object; not complete where Secrets could not be read. */
  async #jobs(context: JobContext): Promise<{ jobs: Map<string, readonly FilePart[]>; isComplete: boolean }> {
    const jobs = new Map<string, readonly FilePart[]>()
    let isComplete = true
    const collect = async <T extends KubernetesObject>(
      kind: OperatorKind,
      jobsOf: (object: T, context: JobContext) => Promise<FilePart[]>,
    ): Promise<void> => {
      for (const object of this.#all<T>(kind)) {
        const { namespace, name } = object.metadata
        const key = `${kind}/${namespace ?? ''}/${name}`
        try {
          jobs.set(key, await jobsOf(object, context))
        } catch (error) {
          const facts = { kind, namespace, name, reason: errorMessage(error) }
          if (error instanceof SecretUnreadableError) {
            isComplete = false
            jobs.set(key, this.#lastJobs.get(key) ?? [])
            this.#logger.warn(facts, 'a Secret of an object cannot be read now, its last jobs stay in use')
          } else this.#logger.warn(facts, 'an object cannot be used')
        }
      }
    }
    await collect<ServiceMonitor>('ServiceMonitor', serviceMonitorJobs)
    await collect<PodMonitor>('PodMonitor', podMonitorJobs)
    await collect<Probe>('Probe', async (object, of) => [await probeJob(object, of)])
    await collect<ScrapeConfigObject>('ScrapeConfig', async (object, of) => [await scrapeConfigJob(object, of)])
    return { jobs, isComplete }
  }

  #ruleFiles(): OperatorObjects['ruleFiles'] {
    return this.#all<PrometheusRule>('PrometheusRule').map(({ metadata, spec }) => ({
      name: `${metadata.namespace ?? ''}-${metadata.name}-${metadata.uid ?? ''}.yaml`,
      // Meant for Thanos; Prometheus knows no such key.
      groups: (spec?.groups ?? []).map(({ partial_response_strategy: _strategy, ...group }) => group),
    }))
  }

  /** In the order of their names, so that nothing seems to change. */
  #all<T extends KubernetesObject>(kind: OperatorKind): T[] {
    const objects = (this.#informers.get(kind) ?? []).flatMap((informer) => [...informer.objects])
    return objects.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, object]) => object as T)
  }
}
