import { type Clock, errorMessage, type HttpClient, type Logger } from '../../lib/index.ts'
import { isResolved, type StoredAlert } from '../alert/stored-alert.ts'
import type { GroupFlush } from '../dispatch/alert-group.ts'
import { matchesAll } from '../matcher/parse.ts'
import { exchange, statusError } from '../notify/http-delivery.ts'
import type { OutgoingNotification } from '../notify/outgoing.ts'
import { readSecret } from '../notify/secret.ts'
import type { HeartbeatConfig } from './types.ts'

/** A heartbeat to the outside as it stands. */
export interface HeartbeatView {
  readonly name: string
  readonly intervalMs: number
  /** The last sign that was taken; `undefined` = none by this process. */
  readonly lastSentAtMs: number | undefined
  /** Why the next one would be withheld; '' = all is well. */
  readonly withheld: string
  /** Why the last one did not arrive; '' = it did. */
  readonly lastError: string
}

export interface HeartbeatSenderOptions {
  readonly config: HeartbeatConfig
  readonly client: HttpClient
  readonly alerts: () => Iterable<StoredAlert>
  readonly outgoing: () => readonly OutgoingNotification[]
  readonly clock: Clock
  readonly logger: Logger
  readonly userAgent: string
  readonly onBeat: (outcome: 'sent' | 'withheld' | 'failed') => void
}

const TIMEOUT_MS = 10_000
const FIRST_AFTER_MS = 1000

/**
 * Gives a sign of life to an outside service while the whole way of an alert works: a rule that always fires renews its alert,
 * the alert's group is flushed, and no notification has been held up for too long. When the signs stop, the outside service
 * is the one that pages.
 */
export class HeartbeatSender {
  readonly #options: HeartbeatSenderOptions
  #cancel: () => void = () => {}
  #isStopped = false
  #lastSentAtMs: number | undefined
  #lastError = ''
  #flushed = { atMs: 0, groupIntervalMs: 0 }

  constructor(options: HeartbeatSenderOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.config.name
  }

  /** @param groupIntervalMs of the slowest route: until a group of the alert has been flushed it counts from now */
  start(groupIntervalMs: number): void {
    this.#flushed = { atMs: this.#options.clock.nowMs(), groupIntervalMs }
    this.#arm(FIRST_AFTER_MS)
  }

  /** To be told of every flush. */
  flushed({ alerts, tickAtMs, route }: GroupFlush): void {
    if (alerts.some(({ alert, resolved }) => !resolved && this.isFor(alert)))
      this.#flushed = { atMs: tickAtMs, groupIntervalMs: route.groupIntervalMs }
  }

  isFor(alert: Pick<StoredAlert, 'labels'>): boolean {
    return matchesAll(this.#options.config.matchers, alert.labels)
  }

  view(): HeartbeatView {
    const { name, intervalMs } = this.#options.config
    return {
      name,
      intervalMs,
      lastSentAtMs: this.#lastSentAtMs,
      withheld: this.#obstacle(),
      lastError: this.#lastError,
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#options.client.close()
  }

  #arm(delayMs: number): void {
    if (this.#isStopped) return
    this.#cancel = this.#options.clock.schedule(delayMs, () => {
      this.#arm(this.#options.config.intervalMs)
      void this.#beat()
    })
  }

  async #beat(): Promise<void> {
    const { logger, config, onBeat, clock } = this.#options
    const obstacle = this.#obstacle()
    if (obstacle !== '') {
      onBeat('withheld')
      logger.warn({ heartbeat: config.name, why: obstacle }, 'Heartbeat withheld')
      return
    }
    try {
      await this.#send()
      this.#lastSentAtMs = clock.nowMs()
      this.#lastError = ''
      onBeat('sent')
    } catch (error) {
      if (this.#isStopped) return
      this.#lastError = errorMessage(error)
      onBeat('failed')
      logger.error({ heartbeat: config.name, why: this.#lastError }, 'Heartbeat not delivered')
    }
  }

  async #send(): Promise<void> {
    const { config, client, clock, userAgent } = this.#options
    const url = await readSecret(config.url)
    const response = await exchange(
      client,
      {
        url,
        method: config.method,
        headers: { 'user-agent': userAgent, ...config.headers },
        ...(config.method !== 'GET' && { body: config.body }),
        timeoutMs: Math.min(TIMEOUT_MS, config.intervalMs),
      },
      // Its path is what others would need to give the sign in our place.
      URL.canParse(url) ? [url, new URL(url).pathname] : [url],
    )
    const error = statusError(response, clock.nowMs())
    if (error) throw error
  }

  /** What of the way of an alert does not work; '' = all does. */
  #obstacle(): string {
    const { config, alerts, outgoing, clock } = this.#options
    const nowMs = clock.nowMs()
    const firing = [...alerts()].filter((alert) => !isResolved(alert, nowMs) && this.isFor(alert))
    if (firing.length === 0) return 'the alert that always fires does not'
    const renewedAtMs = Math.max(...firing.map(({ updatedAtMs }) => updatedAtMs))
    if (nowMs - renewedAtMs > config.staleAfterMs)
      return `the alert that always fires has not been renewed for ${seconds(nowMs - renewedAtMs)} s`
    const { atMs, groupIntervalMs } = this.#flushed
    if (nowMs - atMs > 2 * groupIntervalMs + config.staleAfterMs)
      return `its group has not been looked at for ${seconds(nowMs - atMs)} s`
    const held = outgoing().find(
      ({ attempts, sinceMs }) =>
        config.undeliveredAfterMs > 0 && attempts > 0 && nowMs - sinceMs >= config.undeliveredAfterMs,
    )
    return held === undefined
      ? ''
      : `${held.receiver}/${held.integration} has not taken a notification for ${seconds(nowMs - held.sinceMs)} s`
  }
}

const seconds = (ms: number): number => Math.round(ms / 1000)
