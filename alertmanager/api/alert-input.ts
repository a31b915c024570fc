import { type Labels, labelsFromEntries } from '../../model/index.ts'
import type { AlertInput } from '../alert/ingest.ts'
import { AlertmanagerApiError, malformed, missing, parseBody } from './answers.ts'

/** The alerts of a body. @throws {AlertmanagerApiError} */
export function alertInputsOf(body: string): AlertInput[] {
  const items = parseBody('alerts', body)
  if (!Array.isArray(items)) throw notAlerts('expected a list of alerts')
  return items.map(alertInputOf)
}

/** @param i of the item in its body @throws {AlertmanagerApiError} */
export function alertInputOf(item: unknown, i: number): AlertInput {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw notAlerts(`item ${i} is no object`)
  const alert = item as Record<string, unknown>
  if (alert['labels'] === undefined || alert['labels'] === null) throw missing(`${i}.labels`)
  const generatorUrl = alert['generatorURL'] ?? ''
  if (typeof generatorUrl !== 'string') throw notAlerts(`${i}.generatorURL is no text`)
  if (!isGeneratorUrl(generatorUrl)) throw malformed(`${i}.generatorURL in body`, 'uri', generatorUrl)
  return {
    labels: textMap(alert['labels'], `${i}.labels`),
    annotations: textMap(alert['annotations'] ?? {}, `${i}.annotations`),
    startsAtMs: timeOf(alert['startsAt'], `${i}.startsAt in body`),
    endsAtMs: timeOf(alert['endsAt'], `${i}.endsAt in body`),
    generatorUrl,
  }
}

export const isGeneratorUrl = (url: string): boolean => url === '' || url.startsWith('/') || URL.canParse(url)

function textMap(value: unknown, path: string): Labels {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAlerts(`${path} is no object`)
  const entries = Object.entries(value)
  const bad = entries.find(([, text]) => typeof text !== 'string')
  if (bad) throw notAlerts(`${path}.${bad[0]} is no text`)
  return labelsFromEntries(entries as [string, string][])
}

/** A body that is no list of alerts. */
export const notAlerts = (why: string): AlertmanagerApiError =>
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
