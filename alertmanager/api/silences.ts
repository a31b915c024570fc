import { errorMessage } from '../../lib/index.ts'
import { createMatcher, labelsFromEntries, type Matcher, type MatchType } from '../../model/index.ts'
import type { Alertmanager } from '../alertmanager.ts'
import { matchesAll } from '../matcher/parse.ts'
import { type Silence, silenceState } from '../silence/silences.ts'
import { timeOf, timeText } from './alert-input.ts'
import { AlertmanagerApiError, malformed, missing, refused, tooFew } from './answers.ts'
import { flagOf, matchersOf, type Query } from './query.ts'

export function getSilences(alertmanager: Alertmanager, query: Query): unknown[] {
  const nowMs = alertmanager.nowMs()
  const filter = matchersOf(query, 'filter')
  const found = alertmanager
    .silences()
    .filter(({ matchers }) => matchesAll(filter, labelsFromEntries(matchers.map((m) => [m.name, m.value]))))
  const inState = (state: string): Silence[] =>
    flagOf(query, state) ? found.filter((silence) => silenceState(silence, nowMs) === state) : []
  return [
    ...inState('active').sort((a, b) => a.endsAtMs - b.endsAtMs),
    ...inState('pending').sort((a, b) => a.startsAtMs - b.startsAtMs),
    ...inState('expired').sort((a, b) => b.endsAtMs - a.endsAtMs),
  ].map((silence) => gettableSilence(silence, nowMs))
}

export function getSilence(alertmanager: Alertmanager, id: string): unknown {
  const silence = alertmanager.silence(checkedId(id))
  return silence && gettableSilence(silence, alertmanager.nowMs())
}

export const deleteSilence = (alertmanager: Alertmanager, id: string): Promise<void> =>
  alertmanager.expireSilence(checkedId(id))

export async function postSilence(alertmanager: Alertmanager, body: unknown): Promise<{ silenceID: string }> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw notSilence('expected an object')
  const input = body as Record<string, unknown>
  const comment = textOf(input, 'comment')
  const createdBy = textOf(input, 'createdBy')
  const endsAtMs = timeIn(input, 'endsAt')
  const matchers = matchersIn(input)
  const startsAtMs = timeIn(input, 'startsAt')
  if (startsAtMs >= endsAtMs) throw refused('Failed to create silence: start time must be before end time')
  if (endsAtMs < alertmanager.nowMs()) throw refused("Failed to create silence: end time can't be in the past")
  const id = typeof input['id'] === 'string' && input['id'] !== '' ? { id: input['id'] } : {}
  const annotations = (input['annotations'] ?? {}) as Record<string, string>
  return {
    silenceID: await alertmanager.setSilence({
      ...id,
      matchers,
      startsAtMs,
      endsAtMs,
      createdBy,
      comment,
      annotations,
    }),
  }
}

function gettableSilence(silence: Silence, nowMs: number): unknown {
  return {
    id: silence.id,
    status: { state: silenceState(silence, nowMs) },
    updatedAt: timeText(silence.updatedAtMs),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: timeText(silence.endsAtMs),
    matchers: silence.matchers.map(({ name, value, type }) => ({
      isEqual: type === '=' || type === '=~',
      isRegex: type === '=~' || type === '!~',
      name,
      value,
    })),
    startsAt: timeText(silence.startsAtMs),
    ...(Object.keys(silence.annotations).length > 0 && { annotations: silence.annotations }),
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function checkedId(id: string): string {
  if (!UUID.test(id)) throw malformed('silenceID in path', 'uuid', id)
  return id.toLowerCase()
}

const notSilence = (why: string): AlertmanagerApiError =>
  new AlertmanagerApiError(400, { code: 400, message: `parsing silence body from "" failed, because ${why}` })

function textOf(input: Record<string, unknown>, name: string): string {
  const value = input[name]
  if (value === undefined || value === null) throw missing(name)
  if (typeof value !== 'string') throw notSilence(`${name} is no text`)
  return value
}

function timeIn(input: Record<string, unknown>, name: string): number {
  const atMs = timeOf(input[name], `${name} in body`)
  if (atMs === undefined) throw missing(name)
  return atMs
}

function matchersIn(input: Record<string, unknown>): Matcher[] {
  const list = input['matchers']
  if (list === undefined || list === null) throw missing('matchers')
  if (!Array.isArray(list)) throw notSilence('matchers is no list')
  if (list.length === 0) throw tooFew('matchers')
  return list.map((item: unknown, i) => {
    if (typeof item !== 'object' || item === null) throw notSilence(`matchers.${i} is no object`)
    const { isRegex, isEqual = true, name, value } = item as Record<string, unknown>
    if (isRegex === undefined || isRegex === null) throw missing(`matchers.${i}.isRegex`)
    if (typeof name !== 'string') throw missing(`matchers.${i}.name`)
    if (typeof value !== 'string') throw missing(`matchers.${i}.value`)
    const type: MatchType = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!='
    try {
      return createMatcher(type, name, value)
    } catch (error) {
      throw refused(`silence invalid: invalid label matcher ${i}: ${errorMessage(error)}`)
    }
  })
}
