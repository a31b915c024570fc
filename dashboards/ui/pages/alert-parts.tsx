// Pieces that every list of alerts is made of.
import type { JSX } from 'preact'
import { formatAlertMatcher } from '../../model/alert-matchers.ts'
import type { LabelSet } from '../../model/frame.ts'
import type { Acknowledgement } from '../api/alerting.ts'
import type { GettableAlert } from '../api/alertmanager.ts'
import { Link } from '../shell/link.tsx'
import { pageHref } from '../state/route.ts'

/** The alert as it arrived in the Alertmanager, where external labels may have joined the rule's own. */
export function arrivedAlert(labels: LabelSet, arrived: readonly GettableAlert[]): GettableAlert | undefined {
  const wanted = Object.entries(labels)
  const fits = arrived.filter((alert) => wanted.every(([name, value]) => (alert.labels[name] ?? '') === value))
  return fits.sort((a, b) => Object.keys(a.labels).length - Object.keys(b.labels).length)[0]
}

/** Group keys end in the group's labels; an acknowledged group covers the alerts that have them. */
export function acknowledgementOf(
  labels: LabelSet,
  acknowledgements: readonly Acknowledgement[],
): Acknowledgement | undefined {
  return acknowledgements.find(({ groupKey }) => {
    const grouped = groupLabelsOf(groupKey)
    return grouped.length > 0 && grouped.every(([name, value]) => (labels[name] ?? '') === value)
  })
}

function groupLabelsOf(groupKey: string): [string, string][] {
  const text = groupKey.slice(groupKey.lastIndexOf(':{') + 2)
  return [...text.matchAll(/([\w.:]+)=("(?:[^"\\]|\\.)*")/g)].map(([, name, quoted]) => [name!, unquoted(quoted!)])
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1) // Escapes that JSON does not know.
  }
}

/** What the Alertmanager makes of it, beside the rule's own state. */
export function FateTag({
  alert,
  acknowledged,
}: {
  alert: GettableAlert | undefined
  acknowledged: Acknowledgement | undefined
}): JSX.Element | null {
  if (alert === undefined) return null
  const { silencedBy, inhibitedBy, mutedBy, state } = alert.status
  const [silence] = silencedBy
  if (silence !== undefined) {
    return (
      <Link class="state-tag state-silenced" href={pageHref('/silences', { id: silence })}>
        silenced
      </Link>
    )
  }
  if (inhibitedBy.length > 0) return <span class="state-tag state-silenced">inhibited</span>
  if (mutedBy !== undefined && mutedBy.length > 0) return <span class="state-tag state-silenced">muted</span>
  if (acknowledged !== undefined) {
    return (
      <span class="state-tag state-acked" title={acknowledged.comment}>
        {`acked by ${acknowledged.by || 'somebody'}`}
      </span>
    )
  }
  return state === 'unprocessed' ? <span class="state-tag state-pending">waiting</span> : null
}

export function Annotations({ annotations }: { annotations: LabelSet }): JSX.Element {
  const { summary, description, message, ...others } = annotations
  const texts = [summary, message, description].filter((text): text is string => text !== undefined && text !== '')
  return (
    <div class="annotations">
      {texts.map((text, i) => (
        <p key={i} class={i === 0 ? '' : 'dim'}>
          {text}
        </p>
      ))}
      {Object.entries(others).map(([name, value]) => (
        <p key={name} class="dim">
          {name}:{' '}
          {/^https?:\/\//.test(value) ? (
            <a href={value} rel="noreferrer" target="_blank">
              {value}
            </a>
          ) : (
            value
          )}
        </p>
      ))}
    </div>
  )
}

/** Matchers that cover this alert and no other. */
export function exactMatchers(labels: LabelSet): string {
  return Object.entries(labels)
    .map(([name, value]) => formatAlertMatcher({ name, value, isRegex: false, isEqual: true }))
    .join(', ')
}

export function queryHref(expr: string): string {
  return pageHref('/query', new URLSearchParams({ 'g0.expr': expr, 'g0.tab': 'graph' }))
}
