import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { labelsToRecord } from '../../model/index.ts'
import type { Alertmanager } from '../alertmanager.ts'
import { OnCallRequestError } from '../oncall/errors.ts'
import type { Override } from '../oncall/overrides.ts'
import type { OnCallView } from '../oncall/roster.ts'
import type { EscalationView } from '../oncall/desk.ts'
import { timeText } from './alert-input.ts'

const WEEK_MS = 7 * 86_400_000

/** Who is on call, escalations, heartbeats, flapping alerts, receipts. Routes are relative to `/api/belltower/v1`. */
export function addOnCall(app: FastifyInstance, alertmanager: Alertmanager): void {
  addSchedules(app, alertmanager)
  addHeartbeats(app, alertmanager)
  app.get('/alerting/escalations', () => alertmanager.onCall.escalations().map(escalationJson))
  app.get('/alerting/flapping', () =>
    alertmanager.onCall.flapping().map(({ labels, sinceMs, stableAtMs, ...facts }) => ({
      ...facts,
      labels: labelsToRecord(labels),
      since: timeText(sinceMs),
      stableAt: timeText(stableAtMs),
    })),
  )
  const receive = async (request: FastifyRequest) => {
    const { where, proof } = request.params as { where: string; proof: string }
    const query = queryOf(request)
    const form = formOf(request.body)
    await alertmanager.onCall.receiveReceipt(Buffer.from(where, 'base64url').toString('utf8'), proof, {
      fields: new URLSearchParams([...query, ...form]),
      form,
      headers: request.headers,
    })
    return {}
  }
  const reply = async (request: FastifyRequest, answer: FastifyReply) => {
    const { where, proof } = request.params as { where: string; proof: string }
    const form = formOf(request.body)
    const text = await alertmanager.onCall.receiveReply(Buffer.from(where, 'base64url').toString('utf8'), proof, {
      fields: new URLSearchParams([...queryOf(request), ...form]),
      form,
      headers: request.headers,
    })
    // Some providers send it back to the phone.
    return answer.type('text/plain; charset=utf-8').send(text)
  }
  app.get('/alerting/replies/:where/:proof', reply)
  app.post('/alerting/replies/:where/:proof', reply)
  app.get('/alerting/replies', (request) =>
    queryOf(request)
      .getAll('integration')
      .map((integration) => ({ integration, url: alertmanager.onCall.replyUrlOf(integration) })),
  )
  app.get('/alerting/receipts/:where/:proof', receive)
  app.post('/alerting/receipts/:where/:proof', receive)
}

function addSchedules(app: FastifyInstance, alertmanager: Alertmanager): void {
  const { roster } = alertmanager.onCall
  const at = (request: FastifyRequest, name: string, otherwiseMs: number): number => {
    const text = queryOf(request).get(name)
    return text === null ? otherwiseMs : timeOf(text, name)
  }
  app.get('/alerting/on-call', (request) => {
    const atMs = at(request, 'at', alertmanager.nowMs())
    return roster.schedules().map(({ name }) => viewJson(roster.view(name, atMs)))
  })
  app.get('/alerting/on-call/schedules/:name', (request) =>
    viewJson(roster.view((request.params as { name: string }).name, at(request, 'at', alertmanager.nowMs()))),
  )
  app.get('/alerting/on-call/schedules/:name/shifts', (request) => {
    const fromMs = at(request, 'from', alertmanager.nowMs())
    const toMs = at(request, 'to', fromMs + WEEK_MS)
    const shifts = roster.shifts((request.params as { name: string }).name, fromMs, toMs)
    return shifts.map((shift) => ({ ...shift, fromMs: undefined, toMs: undefined, ...span(shift) }))
  })
  app.get('/alerting/on-call/overrides', () => roster.overrides().map(overrideJson))
  app.post('/alerting/on-call/overrides', async (request) => {
    const body = (request.body ?? {}) as Record<string, unknown>
    const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '')
    const { people } = body
    if (!Array.isArray(people) || people.some((name) => typeof name !== 'string'))
      throw new OnCallRequestError('people is no list of names')
    return overrideJson(
      await roster.addOverride({
        schedule: text('schedule'),
        people: people as string[],
        fromMs: body['from'] === undefined ? alertmanager.nowMs() : timeOf(text('from'), 'from'),
        toMs: timeOf(text('to'), 'to'),
        comment: text('comment'),
        createdBy: text('createdBy'),
      }),
    )
  })
  app.delete('/alerting/on-call/overrides/:id', async (request) => {
    await roster.removeOverride((request.params as { id: string }).id)
    return {}
  })
}

function addHeartbeats(app: FastifyInstance, alertmanager: Alertmanager): void {
  app.get('/alerting/heartbeats', () => ({
    sent: alertmanager.onCall.heartbeats().map(({ lastSentAtMs, ...facts }) => ({
      ...facts,
      lastSentAt: optionalTime(lastSentAtMs),
    })),
    expected: alertmanager.onCall.expectedHeartbeats().map(({ lastAtMs, missingAtMs, ...facts }) => ({
      ...facts,
      lastAt: optionalTime(lastAtMs),
      missingAt: timeText(missingAtMs),
    })),
  }))
  const beat = async (request: FastifyRequest) => {
    const { name } = request.params as { name: string }
    const [, bearer] = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '') ?? []
    await alertmanager.onCall.beat(name, bearer ?? queryOf(request).get('token') ?? undefined)
    return {}
  }
  // Some senders can do nothing but GET.
  app.get('/alerting/heartbeats/:name', beat)
  app.post('/alerting/heartbeats/:name', beat)
}

const queryOf = (request: FastifyRequest): URLSearchParams => new URLSearchParams(request.url.split('?')[1] ?? '')

/** A form, or the same as JSON. */
function formOf(body: unknown): URLSearchParams {
  if (body instanceof URLSearchParams) return body
  if (typeof body === 'string') return new URLSearchParams(body)
  return new URLSearchParams(
    Object.entries((body ?? {}) as Record<string, unknown>).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
  )
}

/** Calendars end somewhere; four digits of a year are enough for everybody. */
const TIME_END_MS = Date.UTC(10_000, 0)

/** Unix seconds or a date and time. @throws {OnCallRequestError} */
function timeOf(text: string, name: string): number {
  const atMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  if (!(atMs >= 0 && atMs < TIME_END_MS)) throw new OnCallRequestError(`${name} is no time: ${text}`)
  return atMs
}

const optionalTime = (atMs: number | undefined): string | null => (atMs === undefined ? null : timeText(atMs))

const span = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => ({ from: timeText(fromMs), to: timeText(toMs) })

/** Names only: how people are reached is nobody's business. */
const viewJson = ({ people, untilMs, ...facts }: OnCallView) => ({
  ...facts,
  people: people.map(({ name }) => name),
  until: optionalTime(untilMs),
})

const overrideJson = ({ fromMs, toMs, createdAtMs, isRemoved: _isRemoved, ...facts }: Override) => ({
  ...facts,
  ...span({ fromMs, toMs }),
  createdAt: timeText(createdAtMs),
})

export const escalationJson = ({ startedAtMs, nextAtMs, ...facts }: EscalationView) => ({
  ...facts,
  nextReceiver: facts.nextReceiver ?? null,
  acknowledgedBy: facts.acknowledgedBy ?? null,
  startedAt: timeText(startedAtMs),
  nextAt: optionalTime(nextAtMs),
})
