import { isDeepStrictEqual } from 'node:util'
import type { Clock, HttpClient, Logger } from '../lib/index.ts'
import { createHttpClient } from '../lib/undici-client.ts'
import { type Labels, labelsFromRecord, labelsToRecord } from '../model/index.ts'
import type { AlertmanagerTarget } from '../rules/index.ts'
import { awsSignedClient, compileRelabel, watchTargets } from '../scraper/index.ts'
import type { AlertmanagersConfig } from './config/load.ts'

export interface ExternalAlertmanagersParts {
  readonly clock: Clock
  readonly logger: Logger
  /** Hears of all Alertmanagers whenever they change. */
  readonly onTargets: (targets: readonly AlertmanagerTarget[]) => void
}

const ALERTS_PATH = '/api/v2/alerts'

/** One entry of `alerting.alertmanagers` at work. */
interface RunningSet {
  readonly config: AlertmanagersConfig
  readonly client: HttpClient
  stop(): Promise<void>
  targets: readonly AlertmanagerTarget[]
  dropped: readonly Labels[]
}

/** Finds the Alertmanagers that the configuration names besides the embedded one. */
export class ExternalAlertmanagers {
  readonly #parts: ExternalAlertmanagersParts
  #sets: readonly RunningSet[] = []

  constructor(parts: ExternalAlertmanagersParts) {
    this.#parts = parts
  }

  /** Up to and without `/api/v2/alerts`. */
  get urls(): string[] {
    return this.#sets.flatMap((set) => set.targets.map(({ url }) => url))
  }

  /** Those that relabelling dropped. */
  get dropped(): Labels[] {
    return this.#sets.flatMap((set) => set.dropped)
  }

  /** Sets that are as before go on undisturbed. */
  async apply(configs: readonly AlertmanagersConfig[]): Promise<void> {
    const left = [...this.#sets]
    this.#sets = configs.map((config) => {
      const index = left.findIndex((set) => isDeepStrictEqual(set.config, config))
      return index < 0 ? this.#open(config) : left.splice(index, 1)[0]!
    })
    this.#tell()
    await Promise.all(left.map((set) => set.stop()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sets.map((set) => set.stop()))
  }

  #open(config: AlertmanagersConfig): RunningSet {
    const client = clientOf(config, this.#parts.clock)
    const relabelTarget = compileRelabel(config.relabelConfigs)
    const relabel = compileRelabel(config.alertRelabelConfigs)
    const set: RunningSet = {
      config,
      client,
      targets: [],
      dropped: [],
      stop: async () => {
        await watch.stop()
        await client.close()
      },
    }
    const watch = watchTargets(config.sources, this.#parts, (found) => {
      const dropped: Labels[] = []
      const urls = new Set<string>()
      for (const discovered of found) {
        const labels = withDefaults(discovered, config)
        const url = urlOf(relabelTarget(labels))
        if (url === undefined) dropped.push(labels)
        else urls.add(url)
      }
      set.dropped = dropped
      set.targets = [...urls].map((url) => ({ url, client, timeoutMs: config.timeoutMs, relabel }))
      this.#tell()
    })
    return set
  }

  #tell(): void {
    this.#parts.onTargets(this.#sets.flatMap((set) => set.targets))
  }
}

function clientOf({ http, sigv4 }: AlertmanagersConfig, clock: Clock): HttpClient {
  const client = createHttpClient(http)
  return sigv4 ? awsSignedClient(client, { ...sigv4, service: sigv4.serviceName }, clock) : client
}

function withDefaults(labels: Labels, { scheme, pathPrefix }: AlertmanagersConfig): Labels {
  const path = `/${pathPrefix}${ALERTS_PATH}`.replace(/\/{2,}/g, '/')
  return labelsFromRecord({ __scheme__: scheme, __alerts_path__: path, ...labelsToRecord(labels) })
}

/** `undefined` where relabelling dropped the target, or its address. */
function urlOf(labels: Labels | undefined): string | undefined {
  if (labels === undefined) return undefined
  const { __scheme__: scheme, __address__: address, __alerts_path__: path } = labelsToRecord(labels)
  if (!address) return undefined
  const full = path ?? ''
  return `${scheme}://${address}${full.endsWith(ALERTS_PATH) ? full.slice(0, -ALERTS_PATH.length) : full}`
}
