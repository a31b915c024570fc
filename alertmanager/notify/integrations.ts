import type { Clock, HttpClient, HttpClientConfig, Logger, OAuth2Config } from '../../lib/index.ts'
import { OAuth2Tokens } from '../../lib/oauth2.ts'
import type { AlertmanagerConfig, IntegrationConfig, ReceiverConfig } from '../config/types.ts'
import type { RouteConfig } from '../route/route.ts'
import { EmailNotifier } from './email/email.ts'
import { LogNotifier } from './log/log.ts'
import type { Integration, Notifier } from './notifier.ts'
import type { ReceiptDoor } from './service.ts'
import { serviceNotifier } from './services.ts'
import { SmsNotifier } from './sms/sms.ts'
import type { Templates } from './templates.ts'
import { WebhookNotifier } from './webhook/webhook.ts'

export type HttpClientFactory = (config: HttpClientConfig) => HttpClient

export interface IntegrationsOptions {
  readonly config: AlertmanagerConfig
  readonly templates: Templates
  readonly httpClientFactory: HttpClientFactory
  readonly clock: Clock
  readonly userAgent: string
  readonly logger: Logger
  readonly receipts?: ReceiptDoor | undefined
}

/** The ways out of every receiver that a route uses, by receiver. */
export function buildIntegrations(options: IntegrationsOptions): Map<string, Integration[]> {
  const used = new Set([...receiversOf(options.config.route), ...steppedReceivers(options.config)])
  const unused = options.config.receivers.filter(({ name }) => !used.has(name)).map(({ name }) => name)
  if (unused.length > 0) options.logger.info({ receivers: unused }, 'Receivers that no route uses are left out')
  return new Map(
    options.config.receivers
      .filter(({ name }) => used.has(name))
      .map((receiver) => [receiver.name, integrationsOf(receiver, options)]),
  )
}

/** Receivers that an escalation goes on to. */
const steppedReceivers = ({ onCall }: AlertmanagerConfig): string[] =>
  [...(onCall?.receivers.values() ?? [])].flatMap(({ escalation }) =>
    (escalation?.steps ?? []).map(({ receiver }) => receiver),
  )

export function* receiversOf(route: RouteConfig): Iterable<string> {
  yield route.receiver
  for (const child of route.routes) yield* receiversOf(child)
}

function integrationsOf(receiver: ReceiverConfig, options: IntegrationsOptions): Integration[] {
  const counts = new Map<string, number>()
  return receiver.integrations.map((config) => {
    const index = counts.get(config.kind) ?? 0
    counts.set(config.kind, index + 1)
    const where = `${receiver.name}/${config.kind}/${index}`
    const { sendResolved, kind } = config
    return { receiver: receiver.name, name: kind, index, sendResolved, notifier: notifierOf(config, where, options) }
  })
}

function notifierOf(config: IntegrationConfig, where: string, options: IntegrationsOptions): Notifier {
  const { templates, clock, userAgent, httpClientFactory, logger } = options
  switch (config.kind) {
    case 'email':
      return new EmailNotifier({ config, templates, clock, where, tokens: tokensOf(config.authOAuth2, options) })
    case 'webhook':
      return new WebhookNotifier({ config, client: httpClientFactory(config.http), templates, clock, userAgent, where })
    case 'log':
      return new LogNotifier(logger)
    case 'sms':
      return new SmsNotifier({
        config,
        templates,
        clock,
        userAgent,
        where,
        client: httpClientFactory(config.http),
        receipts: options.receipts,
      })
    default:
      return serviceNotifier({ config, client: httpClientFactory(config.http), templates, clock, userAgent, where })
  }
}

const tokensOf = (config: OAuth2Config | undefined, { httpClientFactory }: IntegrationsOptions) =>
  config && new OAuth2Tokens(config, httpClientFactory(config.http ?? {}))
