import { labelsToRecord } from '../../../model/index.ts'
import type { ServiceConfig } from '../../config/services.ts'
import { filledIn } from '../attachment.ts'
import { messageOf } from '../message.ts'
import type { DeliveryProgress, DeliveryResult, Notification, Notifier } from '../notifier.ts'
import { compact, groupHash, isFiring, joinUrl, type NotifierOptions, secretValue, Service } from '../service.ts'
import { truncateChars } from '../truncate.ts'

type Config = ServiceConfig<'opsgenie'>
type Responder = Record<'id' | 'name' | 'username' | 'type', string>

const API_URL = 'https://api.opsgenie.com/'
const MESSAGE_CHARS_MAX = 130

/** One alert for each group, known by an alias: created, optionally kept up to date, closed. */
export class OpsgenieNotifier implements Notifier {
  readonly #config: Config
  readonly #service: Service
  readonly #texts
  readonly #details
  readonly #responders

  constructor(options: NotifierOptions<Config>) {
    const { settings } = options.config
    const service = new Service(options)
    this.#config = options.config
    this.#service = service
    const byDefault = (name: string): string => `{{ template "opsgenie.default.${name}" . }}`
    this.#texts = {
      message: service.text('message', settings.message ?? byDefault('message')),
      description: service.text('description', settings.description ?? byDefault('description')),
      source: service.text('source', settings.source ?? byDefault('source')),
      tags: service.text('tags', settings.tags),
      note: service.text('note', settings.note),
      priority: service.text('priority', settings.priority),
      entity: service.text('entity', settings.entity),
      actions: service.text('actions', settings.actions),
    }
    this.#details = Object.fromEntries(
      Object.entries(settings.details ?? {}).map(([name, source]) => [name, service.text(`details.${name}`, source)]),
    )
    this.#responders = (settings.responders ?? []).map((responder, i) => ({
      id: service.text(`responders.${i}.id`, responder.id),
      name: service.text(`responders.${i}.name`, responder.name),
      username: service.text(`responders.${i}.username`, responder.username),
      type: service.text(`responders.${i}.type`, responder.type),
    }))
  }

  async send(notification: Notification, progress: DeliveryProgress): Promise<DeliveryResult> {
    const alias = groupHash(notification)
    const key = await secretValue(this.#config.settings, 'api_key')
    const call = async (method: string, path: string, json: unknown): Promise<string> => {
      const response = await this.#service.call(notification, {
        url: joinUrl(this.#config.settings.api_url ?? API_URL, path),
        method,
        headers: { authorization: `GenieKey ${key}` },
        json,
        secrets: [key],
      })
      return `status ${response.status}`
    }
    const text = await filledIn(this.#texts, notification)
    if (!isFiring(notification)) {
      const detail = await call('POST', `v2/alerts/${alias}/close?identifierType=alias`, { source: text.source })
      return { detail }
    }
    // The steps are remembered, so that a retry of the last does not repeat the first.
    const message = truncateChars(text.message, MESSAGE_CHARS_MAX)
    const steps: [name: string, run: () => Promise<string>][] = [
      ['create', async () => call('POST', 'v2/alerts', await this.#alert(notification, alias, message, text))],
    ]
    if (this.#config.settings.update_alerts) {
      const update = (what: string, json: object) => () =>
        call('PUT', `v2/alerts/${alias}/${what}?identifierType=alias`, json)
      steps.push(['message', update('message', { message })])
      steps.push(['description', update('description', compact({ description: text.description }))])
    }
    let detail = 'done before'
    for (const [name, run] of steps) {
      if (progress.isDone(name)) continue
      detail = await run()
      if (steps.length > 1) await progress.done(name)
    }
    return { detail: `${detail}, alias ${alias.slice(0, 12)}` }
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  async #alert(
    notification: Notification,
    alias: string,
    message: string,
    text: Record<'description' | 'source' | 'tags' | 'note' | 'priority' | 'entity' | 'actions', string>,
  ): Promise<Record<string, unknown>> {
    const responders = await Promise.all(this.#responders.map((responder) => filledIn(responder, notification)))
    const lists = { responders: responders.flatMap(expanded), tags: parts(text.tags), actions: parts(text.actions) }
    return {
      alias,
      message,
      ...compact({ description: text.description }),
      details: {
        ...labelsToRecord(messageOf(notification).commonLabels),
        ...(await filledIn(this.#details, notification)),
      },
      source: text.source,
      ...compact({ note: text.note, priority: text.priority, entity: text.entity }),
      ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    }
  }
}

/** `type: teams` names several at once; one that came out empty is nobody. */
function expanded(responder: Responder): Record<string, unknown>[] {
  if (responder.type === 'teams') return parts(responder.name).map((name) => ({ name, type: 'team' }))
  if (responder.id === '' && responder.name === '' && responder.username === '') return []
  return [compact({ ...responder })]
}

const parts = (list: string): string[] =>
  list
    .trim()
    .split(',')
    .filter((part) => part !== '')
