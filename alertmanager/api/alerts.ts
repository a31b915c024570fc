import { type Labels, labelsFromEntries } from '../../model/index.ts'
import type { AlertInput } from '../alert/ingest.ts'
import type { Alertmanager } from '../alertmanager.ts'
import { AlertJsonWriter, labelsJson } from './alert-json.ts'
import { AlertmanagerApiError, malformed, missing, RawJson, refused } from './answers.ts'
import { matchersOf, type Query, receiverFilter, stateFilter } from './query.ts'

export function getAlerts(alertmanager: Alertmanager, query: Query): RawJson {
  const isWanted = stateFilter(query)
  const isReceiver = receiverFilter(query, alertmanager.receivers())
  const views = alertmanager
    .alerts(matchersOf(query, 'filter'))
    .filter((view) => isWanted(view) && view.receivers.some(isReceiver))
  return new RawJson(new AlertJsonWriter().list(views))
}

export function getGroups(alertmanager: Alertmanager, query: Query): RawJson {
  const isWanted = stateFilter(query)
  const isReceiver = receiverFilter(query, alertmanager.receivers())
  const writer = new AlertJsonWriter()
  const texts: string[] = []
  for (const { receiver, labels, routeLabels, alerts } of alertmanager.groups(matchersOf(query, 'filter'))) {
    const wanted = isReceiver(receiver) ? alerts.filter(isWanted) : []
    if (wanted.length === 0) continue
    texts.push(
      `{"labels":${labelsJson(labels)},"routeLabels":${JSON.stringify(routeLabels)},` +
        `"receiver":${JSON.stringify({ name: receiver })},"alerts":${writer.list(wanted)}}`,
    )
  }
  return new RawJson(`[${texts.join(',')}]`)
}

/** Stores the good ones even when it then answers 400 for the others. */
export async function postAlerts(alertmanager: Alertmanager, body: unknown): Promise<void> {
  if (!Array.isArray(body)) throw notAlerts('expected a list of alerts')
  const inputs = body.map(toInput)
  const errors = await alertmanager.receive(inputs)
  if (errors.length > 0) throw refused(errors.map((error) => error.message).join('; '))
}

function toInput(item: unknown, i: number): AlertInput {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw notAlerts(`item ${i} is no object`)
  const alert = item as Record<string, unknown>
  if (alert['labels'] === undefined || alert['labels'] === null) throw missing(`${i}.labels`)
  const generatorUrl = alert['generatorURL'] ?? ''
  if (typeof generatorUrl !== 'string') throw notAlerts(`${i}.generatorURL is no text`)
  if (generatorUrl !== '' && !generatorUrl.startsWith('/') && !URL.canParse(generatorUrl))
    throw malformed(`${i}.generatorURL in body`, 'uri', generatorUrl)
  return {
    labels: textMap(alert['labels'], `${i}.labels`),
    annotations: textMap(alert['annotations'] ?? {}, `${i}.annotations`),
    startsAtMs: timeOf(alert['startsAt'], `${i}.startsAt in body`),
    endsAtMs: timeOf(alert['endsAt'], `${i}.endsAt in body`),
    generatorUrl,
  }
}

function textMap(value: unknown, path: string): Labels {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAlerts(`${path} is no object`)
  const entries = Object.entries(value)
  const bad = entries.find(([, text]) => typeof text !== 'string')
  if (bad) throw notAlerts(`${path}.${bad[0]} is no text`)
  return labelsFromEntries(entries as [string, string][])
}

const notAlerts = (why: string): AlertmanagerApiError =>
  new AlertmanagerApiError(400, { code: 400, message: `parsing alerts body from "" failed, because ${why}` })

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d:?\d\d)?$/i
// Go's zero time, which clients send for a time that they do not know.
const GO_ZERO_MS = -62_135_596_800_000

/** Unix milliseconds; `undefined` for no time. @throws {AlertmanagerApiError} */
export function timeOf(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const atMs = typeof value === 'string' && DATE_TIME.test(value) ? Date.parse(value.replace(',', '.')) : Number.NaN
  if (Number.isNaN(atMs)) throw malformed(what, 'date-time', value)
  return atMs <= GO_ZERO_MS ? undefined : atMs
}

export const timeText = (atMs: number): string => new Date(atMs).toISOString()
