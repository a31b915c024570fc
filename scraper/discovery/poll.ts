import { AppError, type Clock, type HttpClient, type Logger } from '../../lib/index.ts'
import type { Discovery, TargetGroup } from './discovery.ts'

/** Who counts what discoveries do. */
export interface DiscoveryHears {
  /** A refresh failed. */
  readonly onFailure?: () => void
  /** A refresh is over, well or not. */
  readonly onRefresh?: (seconds: number) => void
  /** A file has been read. @param mtimeMs when it was last written; `undefined` = it is no longer listed */
  readonly onFile?: (path: string, mtimeMs: number | undefined) => void
}

export interface DiscoveryParts extends DiscoveryHears {
  readonly clock: Clock
  readonly logger: Logger
}

/** The other side of a discovery answered something that cannot be used. */
export class DiscoveryError extends AppError {
  override readonly code = 'ERR_DISCOVERY'
  override readonly httpStatus = 502
  /** Of the answer that was no success; `undefined` where it was something else. */
  readonly status: number | undefined

  constructor(message: string, options?: ErrorOptions & { readonly status?: number }) {
    super(message, options)
    this.status = options?.status
  }
}

export interface PolledSource {
  readonly mechanism: string
  readonly refreshIntervalMs: number
  /** All groups as they are now; where it fails the last ones stay in use. */
  refresh(): Promise<readonly TargetGroup[]>
  close(): Promise<void>
}

/** Asks a source at once and then at intervals. */
export function polledDiscovery(source: PolledSource, parts: DiscoveryParts): Discovery {
  const { clock, logger, onFailure, onRefresh } = parts
  let cancelTimer: (() => void) | undefined
  let stopped = false
  return {
    run(onUpdate) {
      const round = async (): Promise<void> => {
        const startedAt = performance.now()
        const took = (): void => onRefresh?.((performance.now() - startedAt) / 1000)
        try {
          const groups = await source.refresh()
          if (stopped) return
          took()
          onUpdate(groups)
        } catch (error) {
          if (stopped) return
          took()
          onFailure?.()
          logger.error({ err: error, mechanism: source.mechanism }, 'discovery failed, the last targets stay in use')
        }
        if (!stopped) cancelTimer = clock.schedule(source.refreshIntervalMs, () => void round())
      }
      void round()
    },
    async stop() {
      stopped = true
      cancelTimer?.()
      await source.close()
    },
  }
}

/** A discovery whose code is loaded when it starts: nobody pays for mechanisms that are not in use. */
export function lazyDiscovery(load: () => Promise<Discovery>, { logger }: DiscoveryParts): Discovery {
  let stopped = false
  let loading: Promise<Discovery | undefined> = Promise.resolve(undefined)
  return {
    run(onUpdate) {
      loading = load().then(
        (discovery) => {
          if (stopped) return undefined
          discovery.run(onUpdate)
          return discovery
        },
        (error: unknown) => {
          logger.error({ err: error }, 'discovery cannot start')
          return undefined
        },
      )
    },
    async stop() {
      stopped = true
      await (await loading)?.stop()
    },
  }
}

const BODY_BYTES_MAX = 256 << 20

export interface JsonRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly body?: string
  readonly timeoutMs: number
}

/** @throws {DiscoveryError} unless the answer is 2xx and JSON */
export async function askJson(client: HttpClient, request: JsonRequest): Promise<{ value: unknown; headers: Headers }> {
  const { text, headers } = await askText(client, request)
  try {
    return { value: JSON.parse(text) as unknown, headers }
  } catch (cause) {
    throw new DiscoveryError(`${placeOf(request.url)} answered no JSON`, { cause })
  }
}

/** @throws {DiscoveryError} unless the answer is 2xx */
export async function askText(client: HttpClient, request: JsonRequest): Promise<{ text: string; headers: Headers }> {
  const { status, headers, body } = await client.request({
    ...request,
    headers: { accept: 'application/json', 'accept-encoding': 'gzip', ...request.headers },
    bodyBytesMax: BODY_BYTES_MAX,
  })
  const text = Buffer.from(body).toString()
  if (status < 200 || status > 299) {
    throw new DiscoveryError(`${placeOf(request.url)} answered ${status}: ${text.slice(0, 200).trim()}`, { status })
  }
  return { text, headers }
}
type Headers = Readonly<Record<string, string>>

/** Without the query, which may hold secrets. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
