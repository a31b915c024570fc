import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../lib/index.ts'
import { sendSuccess } from './envelope.ts'

export interface Notification {
  readonly text: string
  /** RFC 3339. */
  readonly date: string
  /** False in the event that takes it back. */
  readonly active: boolean
}

/** What whoever looks at the user interface should know of the server: few, short, until they no longer hold. */
export class Notifications {
  readonly #clock: Clock
  readonly #active = new Map<string, Notification>()
  readonly #listeners = new Set<(notification: Notification) => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get active(): readonly Notification[] {
    return [...this.#active.values()]
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  set(text: string): void {
    if (this.#active.has(text)) return
    const notification = { text, date: new Date(this.#clock.nowMs()).toISOString(), active: true }
    this.#active.set(text, notification)
    for (const listener of this.#listeners) listener(notification)
  }

  clear(text: string): void {
    const notification = this.#active.get(text)
    if (notification === undefined) return
    this.#active.delete(text)
    for (const listener of this.#listeners) listener({ ...notification, active: false })
  }

  /** @returns ends it */
  subscribe(listener: (notification: Notification) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/** `/notifications` and, as server-sent events, `/notifications/live`, relative to `/api/v1`. */
export function registerNotifications(
  app: FastifyInstance,
  notifications: Notifications,
  subscribersMax: number,
): void {
  app.get('/notifications', (_request, reply) => sendSuccess(reply, notifications.active))
  app.get('/notifications/live', (_request, reply) => {
    if (notifications.listenerCount >= subscribersMax) return reply.code(204).send()
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' })
    raw.flushHeaders()
    const send = (notification: Notification): void => void raw.write(`data: ${JSON.stringify(notification)}\n\n`)
    for (const notification of notifications.active) send(notification)
    raw.once('close', notifications.subscribe(send))
    return reply
  })
}
