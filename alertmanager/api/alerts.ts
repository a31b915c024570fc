import { jsonArray, Turns } from '../../lib/index.ts'
import { type Labels, labelsFromEntries } from '../../model/index.ts'
import type { AlertInput } from '../alert/ingest.ts'
import type { Alertmanager } from '../alertmanager.ts'
import type { AlertView } from '../views.ts'
import { AlertJsonWriter, labelsJson } from './alert-json.ts'
import { AlertmanagerApiError, JsonPieces, malformed, missing, parseBody, refused } from './answers.ts'
import { arrayParts } from './array-parts.ts'
import { matchersOf, type Query, receiverFilter, stateFilter } from './query.ts'

export function getAlerts(alertmanager: Alertmanager, query: Query): JsonPieces {
  const isState = stateFilter(query)
  const isReceiver = receiverFilter(query, alertmanager.receivers())
  const isWanted = (view: AlertView): boolean => isState(view) && view.receivers.some(isReceiver)
  const views = alertmanager.eachAlert(matchersOf(query, 'filter'))
  return new JsonPieces(jsonArray(alertTexts(views, isWanted, new AlertJsonWriter())))
}

export function getGroups(alertmanager: Alertmanager, query: Query): JsonPieces {
  const isWanted = stateFilter(query)
  const isReceiver = receiverFilter(query, alertmanager.receivers())
  const writer = new AlertJsonWriter()
  const groups = alertmanager.groups(matchersOf(query, 'filter'))
  return new JsonPieces(
    (function* () {
      let separator = '['
      for (const { receiver, labels, routeLabels, alerts } of groups) {
        const wanted = isReceiver(receiver) ? alerts.filter(isWanted) : []
        if (wanted.length === 0) continue
        yield `${separator}{"labels":${labelsJson(labels)},"routeLabels":${JSON.stringify(routeLabels)},` +
          `"receiver":${JSON.stringify({ name: receiver })},"alerts":`
        yield* jsonArray(alertTexts(wanted, () => true, writer))
        yield '}'
        separator = ','
      }
      yield separator === '[' ? '[]' : ']'
    })(),
  )
}

function* alertTexts(
  views: Iterable<AlertView>,
  isWanted: (view: AlertView) => boolean,
  writer: AlertJsonWriter,
): Generator<string> {
  for (const view of views) if (isWanted(view)) yield writer.one(view)
}

/** Stores the good ones even when it then answers 400 for the others. */
export async function postAlerts(alertmanager: Alertmanager, body: string): Promise<void> {
  const errors = await alertmanager.receive(await readInputs(body))
  if (errors.length > 0) throw refused(errors.map((error) => error.message).join('; '))
}

/** Larger bodies are parsed in parts of that size, with turns for others in between. */
const PART_CHARS = 128 * 1024

/** @throws {AlertmanagerApiError} */
async function readInputs(body: string): Promise<AlertInput[]> {
  if (body.length <= PART_CHARS) return inputsOf(parseBody('alerts', body), 0)
  const turns = new Turns()
  const inputs: AlertInput[] = []
  for (const part of arrayParts(body, PART_CHARS)) {
    // Whatever is wrong with it is told as if it had been looked at as a whole.
    const items = part === undefined ? undefined : tryParse(part)
    if (items === undefined) return inputsOf(parseBody('alerts', body), 0)
    for (const input of inputsOf(items, inputs.length)) inputs.push(input)
    if (turns.isOver) await turns.next()
  }
  return inputs
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function inputsOf(body: unknown, firstIndex: number): AlertInput[] {
  if (!Array.isArray(body)) throw notAlerts('expected a list of alerts')
  return body.map((item, i) => toInput(item, firstIndex + i))
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
