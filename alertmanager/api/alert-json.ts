// Hot: there may be a hundred thousand alerts in an answer. Covered by bench/load/alerts.ts.
import { compareStrings, type Labels } from '../../model/index.ts'
import type { AlertView } from '../views.ts'
import type { JsonBytes } from './json-bytes.ts'
import { isSuppressed } from './query.ts'

const part = (json: string): Uint8Array => Buffer.from(json)
const ANNOTATIONS = part('{"annotations":')
const ENDS_AT = part(',"endsAt":"')
const FINGERPRINT = part('","fingerprint":"')
const GENERATOR_URL = part('","generatorURL":')
const LABELS = part(',"labels":')
const LABELS_NEXT = part('","labels":')
const STATUS_ACTIVE = part('","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"')

/** Writes alerts as the API shows them. One for each answer. */
export class AlertJsonWriter {
  readonly #out: JsonBytes
  readonly #receivers = new Map<string, Uint8Array>()
  /** Alerts of one batch share their times. */
  readonly #endsAt = new TimeJson()
  readonly #startsAt = new TimeJson()
  readonly #updatedAt = new TimeJson()

  constructor(out: JsonBytes) {
    this.#out = out
  }

  one(view: AlertView): void {
    const { alert } = view
    const out = this.#out
    out.part(ANNOTATIONS)
    writeLabels(out, alert.annotations)
    out.part(ENDS_AT)
    out.json(this.#endsAt.of(alert.endsAtMs))
    out.part(FINGERPRINT)
    out.json(alert.fingerprint)
    out.part(this.#receiversPart(view.receivers))
    out.json(this.#startsAt.of(alert.startsAtMs))
    if (isSuppressed(view)) out.json(suppressedJson(view))
    else out.part(STATUS_ACTIVE)
    out.json(this.#updatedAt.of(alert.updatedAtMs))
    if (alert.generatorUrl === '') out.part(LABELS_NEXT)
    else {
      out.part(GENERATOR_URL)
      out.text(alert.generatorUrl)
      out.part(LABELS)
    }
    writeLabels(out, alert.labels)
    out.json('}')
  }

  #receiversPart(names: readonly string[]): Uint8Array {
    const key = names.length === 1 ? names[0]! : JSON.stringify(names)
    let json = this.#receivers.get(key)
    if (json === undefined) {
      const receivers = JSON.stringify([...names].sort(compareStrings).map((name) => ({ name })))
      this.#receivers.set(key, (json = part(`","receivers":${receivers},"startsAt":"`)))
    }
    return json
  }
}

/** Remembers the last time it was asked for. */
class TimeJson {
  #atMs = Number.NaN
  #text = ''

  of(atMs: number): string {
    if (atMs !== this.#atMs) {
      this.#atMs = atMs
      this.#text = new Date(atMs).toISOString()
    }
    return this.#text
  }
}

export function writeLabels(out: JsonBytes, labels: Labels): void {
  for (let i = 0; i < labels.length; i += 2) {
    out.json(i === 0 ? '{' : ',')
    out.text(labels[i]!)
    out.json(':')
    out.text(labels[i + 1]!)
  }
  out.json(labels.length === 0 ? '{}' : '}')
}

function suppressedJson({ inhibitedBy, mutedBy, silencedBy }: AlertView): string {
  const status = JSON.stringify({ inhibitedBy, mutedBy, silencedBy, state: 'suppressed' })
  return `","status":${status},"updatedAt":"`
}
