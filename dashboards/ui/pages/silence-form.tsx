// The form of a silence: shows while typing what it will quiet.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type AlertMatcher, formatAlertMatcher, matchesAlert, parseAlertMatchers } from '../../model/alert-matchers.ts'
import { tryParseDuration } from '../../model/interval.ts'
import { type GettableAlert, type Silence, saveSilence } from '../api/alertmanager.ts'
import {
  Choices,
  FormButtons,
  messageOf,
  NameField,
  rememberedName,
  rememberName,
  TextField,
} from '../shell/form-fields.tsx'
import { formatInstant } from '../shell/format.ts'
import { Labels } from '../shell/labels.tsx'
import { timeZone } from '../state/time.ts'

const DURATIONS = ['30m', '1h', '2h', '8h', '1d', '1w'] as const
const PREVIEW_MAX = 20

interface FormProps {
  edited: Silence | undefined
  filter: string
  alerts: readonly GettableAlert[]
  onDone: () => void
  onCancel: () => void
}

export function SilenceForm({ edited, filter, alerts, onDone, onCancel }: FormProps): JSX.Element {
  const [text, setText] = useState(
    edited === undefined ? filter.replace(/^\{|\}$/g, '') : matchersOf(edited).map(formatAlertMatcher).join(', '),
  )
  const [duration, setDuration] = useState('2h')
  const [createdBy, setCreatedBy] = useState(edited?.createdBy ?? rememberedName())
  const [comment, setComment] = useState(edited?.comment ?? '')
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const parsed = parseAlertMatchers(text)
  const matchers = Array.isArray(parsed) ? parsed : []
  const durationMs = tryParseDuration(duration)
  const matching = matchers.length === 0 ? [] : alerts.filter(({ labels }) => matchesAlert(matchers, labels))
  const ready =
    matchers.length > 0 &&
    durationMs !== undefined &&
    durationMs > 0 &&
    createdBy.trim() !== '' &&
    comment.trim() !== ''
  const save = (event: Event) => {
    event.preventDefault()
    if (!ready) return
    rememberName(createdBy)
    const startsAtMs = Date.now()
    saveSilence({
      ...(edited === undefined || edited.status.state === 'expired' ? {} : { id: edited.id }),
      matchers,
      startsAt: new Date(startsAtMs).toISOString(),
      endsAt: new Date(startsAtMs + durationMs!).toISOString(),
      createdBy: createdBy.trim(),
      comment: comment.trim(),
    }).then(onDone, (thrown: unknown) => setFailure(messageOf(thrown)))
  }
  return (
    <form class="card silence-form" onSubmit={save} aria-label={edited === undefined ? 'New silence' : 'Edit silence'}>
      <div class="form-columns">
        <div>
          <label class="field">
            Matchers
            <textarea
              rows={3}
              class="mono"
              value={text}
              spellcheck={false}
              placeholder={'alertname="TargetDown", instance=~"db.*"'}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <TextField label="For" value={duration} wrong={durationMs === undefined} onInput={setDuration} />
          <Choices choices={DURATIONS} value={duration} label="For" onChoose={setDuration} />
        </div>
        <div>
          <NameField value={createdBy} onInput={setCreatedBy} />
          <TextField label="Why" value={comment} placeholder="Disk is being replaced" onInput={setComment} />
          <Preview
            error={Array.isArray(parsed) ? undefined : parsed.error}
            matchers={matchers}
            matching={matching}
            total={alerts.length}
          />
        </div>
      </div>
      {failure !== undefined && (
        <p class="notice notice-crit" role="alert">
          {failure}
        </p>
      )}
      <div class="form-row form-end">
        <span class="dim">
          {durationMs === undefined
            ? 'Write a duration such as 45m or 2h30m.'
            : `Until ${formatInstant(Date.now() + durationMs, timeZone.value)}`}
        </span>
        <FormButtons
          save={edited === undefined ? 'Create silence' : 'Save silence'}
          ready={ready}
          onCancel={onCancel}
        />
      </div>
    </form>
  )
}

interface PreviewProps {
  error: string | undefined
  matchers: readonly AlertMatcher[]
  matching: readonly GettableAlert[]
  total: number
}

/** What the silence would quiet right now; wide and empty ones are pointed out. */
function Preview({ error, matchers, matching, total }: PreviewProps): JSX.Element {
  const all = total > 1 && matching.length === total
  return (
    <div class="preview" aria-live="polite">
      {error !== undefined && <p class="row-error">{error}</p>}
      {error === undefined && matchers.length === 0 && <p class="dim">Matching alerts appear here while you type.</p>}
      {matchers.length > 0 && (
        <p class={all ? 'cell-warn' : ''}>
          {matching.length === 0
            ? 'Matches no present alert. It will quiet future ones.'
            : `Quiets ${matching.length} of ${total} present alerts${all ? ': all of them' : ''}`}
        </p>
      )}
      {matching.slice(0, PREVIEW_MAX).map((alert) => (
        <p key={alert.fingerprint}>
          <Labels labels={alert.labels} />
        </p>
      ))}
    </div>
  )
}

/** Older servers leave `isEqual` out where it is true. */
export function matchersOf({ matchers }: Silence): AlertMatcher[] {
  return matchers.map((matcher) => ({ ...matcher, isEqual: matcher.isEqual !== false }))
}
