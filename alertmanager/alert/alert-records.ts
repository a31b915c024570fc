import type { Labels } from '../../model/index.ts'
import type { StateRecord } from '../store/frame.ts'
import { type IncomingAlert, type StoredAlert, storedAlert } from './stored-alert.ts'

/** Alerts that are new, or whose texts changed. */
export const PUT = 'alerts'
/** The usual change, a renewal: only times are others. */
export const TOUCH = 'alert-touches'

/** The times are start, end and update. */
export type AlertFields = readonly [string, Labels, Labels, number, number, number, string, boolean]
type PutRecord = [kind: typeof PUT, ...alerts: AlertFields[]]
/** Fingerprints; start, end, update and whether the end is a guess (0 or 1) of each in turn. */
export type TouchRecord = [kind: typeof TOUCH, fingerprints: string[], timesMs: number[]]

/** Alerts in a record. */
const ALERTS_MAX = 256
/** A record ends when its texts have got so long. */
const CHARS_MAX = 64 * 1024

/** Gathers changes of alerts into records of a few dozen kilobytes, in order. */
export class AlertRecords {
  #records: (PutRecord | TouchRecord)[] = []
  /** Of the last record. */
  #count = 0
  #chars = 0

  put(alert: StoredAlert): void {
    let last = this.#records.at(-1)
    if (last?.[0] !== PUT || this.#count >= ALERTS_MAX || this.#chars >= CHARS_MAX) last = this.#begin([PUT])
    last.push(fieldsOf(alert))
    this.#count++
    this.#chars += charsOf(alert)
  }

  touch({ fingerprint, startsAtMs, endsAtMs, updatedAtMs, timeout }: StoredAlert): void {
    let last = this.#records.at(-1)
    if (last?.[0] !== TOUCH || this.#count >= ALERTS_MAX) last = this.#begin([TOUCH, [], []])
    last[1].push(fingerprint)
    last[2].push(startsAtMs, endsAtMs, updatedAtMs, timeout ? 1 : 0)
    this.#count++
  }

  /** @returns what has been gathered since the last call */
  take(): readonly StateRecord[] {
    const records = this.#records
    this.#records = []
    return records
  }

  /** All but what more may be added to. */
  takeFull(): readonly StateRecord[] {
    return this.#records.length > 1 ? this.#records.splice(0, this.#records.length - 1) : []
  }

  #begin<T extends PutRecord | TouchRecord>(record: T): T {
    this.#records.push(record)
    this.#count = 0
    this.#chars = 0
    return record
  }
}

/** How long the texts of an alert are. */
function charsOf({ labels, annotations, generatorUrl }: IncomingAlert): number {
  let chars = generatorUrl.length
  for (const text of labels) chars += text.length
  for (const text of annotations) chars += text.length
  return chars
}

const fieldsOf = (a: StoredAlert): AlertFields => [
  a.fingerprint,
  a.labels,
  a.annotations,
  a.startsAtMs,
  a.endsAtMs,
  a.updatedAtMs,
  a.generatorUrl,
  a.timeout,
]

export function alertOf(fields: AlertFields): StoredAlert {
  const [fingerprint, labels, annotations, startsAtMs, endsAtMs, updatedAtMs, generatorUrl, timeout] = fields
  const times = { startsAtMs, endsAtMs, updatedAtMs }
  return storedAlert({ fingerprint, labels, annotations, ...times, generatorUrl, timeout })
}
