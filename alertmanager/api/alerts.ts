import type { Readable } from 'node:stream'
import type { Alertmanager } from '../alertmanager.ts'
import type { AlertView } from '../views.ts'
import type { AlertInput } from '../alert/ingest.ts'
import { AlertJsonWriter, writeLabels } from './alert-json.ts'
import { refused } from './answers.ts'
import { bodyOfBytes, JsonBytes } from './json-bytes.ts'
import { matchersOf, type Query, receiverFilter, stateFilter } from './query.ts'

/** After so many alerts that are not wanted others may have a turn. */
const LOOKS = 64

export function getAlerts(alertmanager: Alertmanager, query: Query): Promise<Buffer | Readable> {
  const isState = stateFilter(query)
  const isReceiver = receiverFilter(query, alertmanager.receivers())
  const isWanted = (view: AlertView): boolean => isState(view) && view.receivers.some(isReceiver)
  return bodyOfBytes(alertsJson(alertmanager.eachAlert(matchersOf(query, 'filter')), isWanted))
}

function* alertsJson(
  views: Iterable<AlertView>,
  isWanted: (view: AlertView) => boolean,
): Generator<Buffer | undefined> {
  const out = new JsonBytes()
  const writer = new AlertJsonWriter(out)
  let separator = '['
  let looks = 0
  for (const view of views) {
    if (isWanted(view)) {
      out.json(separator)
      writer.one(view)
      separator = ','
    }
    if (out.isPieceReady) yield out.take()
    else if (++looks % LOOKS === 0) yield undefined
  }
  out.json(separator === '[' ? '[]\n' : ']\n')
  yield out.take()
}

export function getGroups(alertmanager: Alertmanager, query: Query): Promise<Buffer | Readable> {
  const isWanted = stateFilter(query)
  const isReceiver = receiverFilter(query, alertmanager.receivers())
  const groups = alertmanager.groups(matchersOf(query, 'filter'))
  return bodyOfBytes(
    (function* () {
      const out = new JsonBytes()
      const writer = new AlertJsonWriter(out)
      let separator = '['
      for (const { receiver, labels, routeLabels, alerts } of groups) {
        if (out.isPieceReady) yield out.take()
        else yield undefined
        const wanted = isReceiver(receiver) ? alerts.filter(isWanted) : []
        if (wanted.length === 0) continue
        out.json(`${separator}{"labels":`)
        writeLabels(out, labels)
        out.json(`,"routeLabels":${JSON.stringify(routeLabels)},"receiver":${JSON.stringify({ name: receiver })}`)
        out.json(',"alerts":[')
        for (let i = 0; i < wanted.length; i++) {
          if (i > 0) out.json(',')
          writer.one(wanted[i]!)
          if (out.isPieceReady) yield out.take()
        }
        out.json(']}')
        separator = ','
      }
      out.json(separator === '[' ? '[]\n' : ']\n')
      yield out.take()
    })(),
  )
}

/** Stores the good ones even when it then answers 400 for the others. */
export async function postAlerts(alertmanager: Alertmanager, inputs: Iterable<AlertInput>): Promise<void> {
  const errors = await alertmanager.receive(inputs)
  if (errors.length > 0) throw refused(errors.map((error) => error.message).join('; '))
}
