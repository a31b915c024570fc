import { compareStrings, type Labels } from '../../model/index.ts'
import type { AlertView } from '../views.ts'
import { isSuppressed } from './query.ts'

const ACTIVE = '{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}'

/** Writes alerts as the API shows them: straight into text, since there may be a hundred thousand of them. One for each answer. */
export class AlertJsonWriter {
  readonly #receivers = new Map<string, string>()
  readonly #times = new Map<number, string>()

  one(view: AlertView): string {
    const { alert } = view
    const source = alert.generatorUrl === '' ? '' : `,"generatorURL":${quoted(alert.generatorUrl)}`
    return (
      `{"annotations":${labelsJson(alert.annotations)},"endsAt":${this.#time(alert.endsAtMs)},` +
      `"fingerprint":"${alert.fingerprint}","receivers":${this.#receiversJson(view.receivers)},` +
      `"startsAt":${this.#time(alert.startsAtMs)},"status":${statusJson(view)},` +
      `"updatedAt":${this.#time(alert.updatedAtMs)}${source},"labels":${labelsJson(alert.labels)}}`
    )
  }

  #receiversJson(names: readonly string[]): string {
    const key = names.length === 1 ? names[0]! : JSON.stringify(names)
    let text = this.#receivers.get(key)
    if (text === undefined) {
      text = JSON.stringify([...names].sort(compareStrings).map((name) => ({ name })))
      this.#receivers.set(key, text)
    }
    return text
  }

  /** Alerts of one batch share their times. */
  #time(atMs: number): string {
    let text = this.#times.get(atMs)
    if (text === undefined) this.#times.set(atMs, (text = `"${new Date(atMs).toISOString()}"`))
    return text
  }
}

export function labelsJson(labels: Labels): string {
  let text = '{'
  for (let i = 0; i < labels.length; i += 2)
    text += `${i === 0 ? '' : ','}${quoted(labels[i]!)}:${quoted(labels[i + 1]!)}`
  return `${text}}`
}

// What JSON has to escape, and what is no whole character; most texts have none of it.
// oxlint-disable-next-line no-control-regex -- JSON escapes exactly these
const SPECIAL = /["\\\ud800-\udfff]|[^ -\uffff]/

const quoted = (text: string): string => (SPECIAL.test(text) ? JSON.stringify(text) : `"${text}"`)

function statusJson(view: AlertView): string {
  if (!isSuppressed(view)) return ACTIVE
  const { inhibitedBy, mutedBy, silencedBy } = view
  return JSON.stringify({ inhibitedBy, mutedBy, silencedBy, state: 'suppressed' })
}
