import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { AppError, errorMessage } from '../../lib/index.ts'
import { type Labels, labelsFromRecord, labelsToRecord, parseDuration } from '../../model/index.ts'
import type { Alertmanager } from '../alertmanager.ts'
import { CLUSTER_KEY_HEADER, ClusterAccessError, type Exchange } from '../cluster/cluster.ts'
import type { Explanation } from '../explain.ts'
import type { NotificationEvent, NotificationFilter } from '../notify/history.ts'
import type { OutgoingNotification } from '../notify/outgoing.ts'
import type { Receipt } from '../notify/receipts/receipts.ts'
import type { FlappingView } from '../oncall/flap-damper.ts'
import type { HeartbeatView } from '../oncall/heartbeat-sender.ts'
import { ackPage, donePage } from './ack-page.ts'
import { timeText } from './alert-input.ts'
import { addOnCall, escalationJson } from './on-call-routes.ts'
import { listOf, type Query, queryOf } from './query.ts'

/** A request that cannot be answered as it is. */
export class AlertingRequestError extends AppError {
  override readonly code = 'ERR_ALERTING_REQUEST'
  override readonly httpStatus: number

  constructor(message: string, httpStatus = 400) {
    super(message)
    this.httpStatus = httpStatus
  }
}

const COUNT_DEFAULT = 100
const SIGN_BYTES_MAX = 64 * 1024
const EXCHANGE_BYTES_MAX = 64 * 1024 * 1024

/**
 * What the original does not tell: why an alert does or does not notify, what was sent, what is held up, who has taken on
 * what. Routes are relative to `/api/belltower/v1`.
 */
export function ownAlertsApi(alertmanager: Alertmanager): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler((error, _request, reply) => {
      const status =
        error instanceof AppError ? error.httpStatus : ((error as { statusCode?: number }).statusCode ?? 500)
      return reply.code(status).send({ error: errorMessage(error) })
    })
    app.get('/alerting/explain', (request) =>
      explanationJson(alertmanager.explain(wantedLabels(alertmanager, queryOf(request)))),
    )
    app.get('/alerting/routes', () => alertmanager.routeTree())
    app.get('/alerting/routes/test', (request) =>
      alertmanager.routeFor(wantedLabels(alertmanager, queryOf(request))).map((destination) => ({
        ...destination,
        groupLabels: labelsToRecord(destination.groupLabels),
      })),
    )
    app.get('/alerting/notifications', (request) =>
      alertmanager.searchNotifications(filterOf(queryOf(request))).map((event) => eventJson(event, alertmanager)),
    )
    app.get('/alerting/outgoing', () => alertmanager.outgoing().map(outgoingJson))
    app.post('/alerting/receivers/:name/test', async (request) => {
      const { name } = request.params as { name: string }
      const outcomes = await alertmanager.sendTest(name)
      if (outcomes.length === 0) throw new AlertingRequestError(`no route leads to a receiver "${name}"`, 404)
      return outcomes
    })
    app.post('/alerting/cluster/exchange', { bodyLimit: EXCHANGE_BYTES_MAX }, (request) => {
      if (!alertmanager.cluster) throw new ClusterAccessError('this instance is not part of a cluster', 404)
      const key = request.headers[CLUSTER_KEY_HEADER]
      return alertmanager.cluster.receive(typeof key === 'string' ? key : undefined, request.body as Exchange)
    })
    addAcknowledgements(app, alertmanager)
    // Senders of heartbeats and receipts state all kinds of bodies; what they say is looked at where it matters.
    app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: SIGN_BYTES_MAX }, (_request, body, done) => {
      done(null, body)
    })
    addOnCall(app, alertmanager)
  }
}

function addAcknowledgements(app: FastifyInstance, alertmanager: Alertmanager): void {
  const json = () =>
    alertmanager.acks.all().map(({ atMs, untilMs, ...facts }) => ({
      ...facts,
      at: timeText(atMs),
      until: timeText(untilMs),
    }))
  app.get('/alerting/acknowledgements', json)
  app.post('/alerting/acknowledgements', async (request) => {
    const { groupKey, by, comment, duration } = (request.body ?? {}) as Record<string, unknown>
    if (typeof groupKey !== 'string' || groupKey === '') throw new AlertingRequestError('groupKey is missing')
    await alertmanager.acks.put({
      groupKey,
      by: typeof by === 'string' ? by : '',
      comment: typeof comment === 'string' ? comment : '',
      ...(typeof duration === 'string' && { durationMs: durationOf(duration) }),
    })
    return json()
  })
  app.delete('/alerting/acknowledgements', async (request) => {
    const [groupKey] = listOf(queryOf(request), 'groupKey')
    if (groupKey === undefined) throw new AlertingRequestError('groupKey is missing')
    await alertmanager.acks.withdraw(groupKey)
    return json()
  })
  addLink(app, alertmanager)
}

/** The link of a notification. Reading it changes nothing: programs that look at messages follow links. */
function addLink(app: FastifyInstance, alertmanager: Alertmanager): void {
  const groupOf = (values: URLSearchParams): string => {
    const groupKey = Buffer.from(values.get('group') ?? '', 'base64url').toString('utf8')
    if (alertmanager.acks.isProven(groupKey, values.get('proof') ?? '')) return groupKey
    throw new AlertingRequestError('this link is not, or no longer, valid', 403)
  }
  app.get('/ack', (request, reply) => {
    const values = new URLSearchParams(request.url.split('?')[1] ?? '')
    const groupKey = groupOf(values)
    const known = alertmanager.acks.all().find((one) => one.groupKey === groupKey)
    return reply.type('text/html; charset=utf-8').send(ackPage(groupKey, values, known))
  })
  app.post('/ack', async (request, reply) => {
    const values = new URLSearchParams(String(request.body))
    const groupKey = groupOf(values)
    const by = values.get('by')?.trim() || 'somebody with the link'
    await alertmanager.acks.put({ groupKey, by, comment: values.get('comment')?.trim() ?? '' })
    return reply.type('text/html; charset=utf-8').send(donePage(groupKey, by))
  })
}

/** `fingerprint=…` of an alert that is known, or `label=name=value` as often as needed. */
function wantedLabels(alertmanager: Alertmanager, query: Query): Labels {
  const [fingerprint] = listOf(query, 'fingerprint')
  if (fingerprint !== undefined) {
    const labels = alertmanager.labelsOf(fingerprint)
    if (labels) return labels
    throw new AlertingRequestError(`no alert has the fingerprint ${fingerprint}`, 404)
  }
  const pairs = listOf(query, 'label').map((pair): [string, string] => {
    const at = pair.indexOf('=')
    if (at <= 0) throw new AlertingRequestError(`not name=value: ${pair}`)
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  if (pairs.length === 0) throw new AlertingRequestError('either fingerprint or label is needed')
  return labelsFromRecord(Object.fromEntries(pairs))
}

function filterOf(query: Query): NotificationFilter {
  const one = (name: string): string | undefined => listOf(query, name)[0]
  const given = {
    receiver: one('receiver'),
    integration: one('integration'),
    groupKey: one('groupKey'),
    text: one('q'),
  }
  const [outcome, from, to, limit] = [one('outcome'), one('from'), one('to'), one('limit')]
  if (outcome !== undefined && outcome !== 'delivered' && outcome !== 'failed')
    throw new AlertingRequestError('outcome is neither delivered nor failed')
  return {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as NotificationFilter),
    ...(outcome !== undefined && { outcome }),
    ...(from !== undefined && { fromMs: timeOfQuery(from) }),
    ...(to !== undefined && { toMs: timeOfQuery(to) }),
    countMax: limit === undefined ? COUNT_DEFAULT : Number(limit) || COUNT_DEFAULT,
  }
}

function timeOfQuery(text: string): number {
  const atMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  if (Number.isNaN(atMs)) throw new AlertingRequestError(`not a time: ${text}`)
  return atMs
}

function durationOf(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new AlertingRequestError(errorMessage(error))
  }
}

const optionalTime = (atMs: number | undefined): string | null => (atMs === undefined ? null : timeText(atMs))

const eventJson = ({ atMs, groupLabels, messageIds, ...facts }: NotificationEvent, { onCall }: Alertmanager) => ({
  at: timeText(atMs),
  groupLabels: labelsToRecord(groupLabels),
  ...facts,
  ...(messageIds && {
    receipts: messageIds.flatMap((id) => {
      const receipt = onCall.receipt(`${facts.receiver}/${facts.integration}/${facts.index}`, id)
      return receipt ? [receiptJson(receipt)] : []
    }),
  }),
})

const receiptJson = ({ id, recipient, outcome, detail, atMs }: Receipt) => ({
  id,
  recipient,
  outcome,
  detail,
  at: timeText(atMs),
})

const heartbeatJson = ({ lastSentAtMs, ...facts }: HeartbeatView) => ({
  ...facts,
  lastSentAt: optionalTime(lastSentAtMs),
})

const flappingJson = ({ labels, sinceMs, stableAtMs, ...facts }: FlappingView) => ({
  ...facts,
  labels: labelsToRecord(labels),
  since: timeText(sinceMs),
  stableAt: timeText(stableAtMs),
})

const outgoingJson = ({ sinceMs, nextAttemptAtMs, groupLabels, ...facts }: OutgoingNotification) => ({
  ...facts,
  groupLabels: labelsToRecord(groupLabels),
  since: timeText(sinceMs),
  nextAttemptAt: optionalTime(nextAttemptAtMs),
})

const explanationJson = ({ labels, destinations, heartbeats, ...facts }: Explanation) => ({
  ...facts,
  labels: labelsToRecord(labels),
  heartbeats: heartbeats.map(heartbeatJson),
  destinations: destinations.map(({ groupLabels, nextFlushAtMs, silencedBy, integrations, ...destination }) => ({
    ...destination,
    onCall: destination.onCall ?? null,
    escalation: destination.escalation ? escalationJson(destination.escalation) : null,
    flapping: destination.flapping ? flappingJson(destination.flapping) : null,
    groupLabels: labelsToRecord(groupLabels),
    nextFlushAt: optionalTime(nextFlushAtMs),
    silencedBy: silencedBy.map(({ endsAtMs, ...silence }) => ({ ...silence, endsAt: timeText(endsAtMs) })),
    integrations: integrations.map(({ lastNotifiedAtMs, repeatsAtMs, receipts, ...integration }) => ({
      ...integration,
      receipts: receipts.map(receiptJson),
      lastNotifiedAt: optionalTime(lastNotifiedAtMs),
      repeatsAt: optionalTime(repeatsAtMs),
    })),
  })),
})
