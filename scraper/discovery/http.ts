import type { Clock, HttpClient, Logger } from '../../lib/index.ts'
import { createHttpClient } from '../../lib/undici-client.ts'
import type { HttpSdConfig } from '../config.ts'
import { type Discovery, parseTargetList, type TargetGroup, TargetListError } from './discovery.ts'

const REFRESH_DEFAULT_MS = 60_000

/** Target lists from an HTTP service, asked at intervals; a failed answer leaves the last list in use. */
export function httpDiscovery(config: HttpSdConfig, parts: { clock: Clock; logger: Logger }): Discovery {
  return new HttpDiscovery(config, parts.clock, parts.logger)
}

class HttpDiscovery implements Discovery {
  readonly #config: HttpSdConfig
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #client: HttpClient
  readonly #refreshIntervalMs: number
  #onUpdate: ((groups: readonly TargetGroup[]) => void) | undefined
  #cancelTimer: (() => void) | undefined

  constructor(config: HttpSdConfig, clock: Clock, logger: Logger) {
    this.#config = config
    this.#clock = clock
    this.#logger = logger
    this.#refreshIntervalMs = config.refreshIntervalMs ?? REFRESH_DEFAULT_MS
    this.#client = createHttpClient(config.http, { keepAliveMs: this.#refreshIntervalMs + 10_000 })
  }

  run(onUpdate: (groups: readonly TargetGroup[]) => void): void {
    this.#onUpdate = onUpdate
    this.#schedule(0)
  }

  async stop(): Promise<void> {
    this.#onUpdate = undefined
    this.#cancelTimer?.()
    await this.#client.close()
  }

  #schedule(delayMs: number): void {
    if (!this.#onUpdate) return
    this.#cancelTimer = this.#clock.schedule(delayMs, () => {
      void this.#refresh().then(() => this.#schedule(this.#refreshIntervalMs))
    })
  }

  async #refresh(): Promise<void> {
    const { url } = this.#config
    try {
      const response = await this.#client.request({
        url,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'gzip',
          'x-prometheus-refresh-interval-seconds': String(this.#refreshIntervalMs / 1000),
        },
        timeoutMs: this.#refreshIntervalMs,
      })
      const contentType = response.headers['content-type'] ?? ''
      if (response.status !== 200) throw new TargetListError(`server returned HTTP status ${response.status}`)
      if (!/^application\/json(\s*;|$)/i.test(contentType.trim()))
        throw new TargetListError(`unsupported content type ${JSON.stringify(contentType)}`)
      const list: unknown = JSON.parse(Buffer.from(response.body).toString())
      this.#onUpdate?.(parseTargetList(list, (i) => `${url}:${i}`, { __meta_url: url }))
    } catch (error) {
      if (this.#onUpdate)
        this.#logger.error({ err: error, url }, 'target list is not usable, the last one stays in use')
    }
  }
}
