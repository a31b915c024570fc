// Silences: those in force, a form that shows while typing what it will quiet, and ending one early.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type AlertMatcher, formatAlertMatcher, matchesAlert, parseAlertMatchers } from '../../model/alert-matchers.ts'
import { tryParseDuration } from '../../model/interval.ts'
import { formatAge } from '../../model/units.ts'
import {
  expireSilence,
  type GettableAlert,
  notifiedAlerts,
  type Silence,
  saveSilence,
  silences,
} from '../api/alertmanager.ts'
import { formatAgo, formatInstant } from '../shell/format.ts'
import { Icon } from '../shell/icons.tsx'
import { Labels } from '../shell/labels.tsx'
import { ListState, Page } from '../shell/page.tsx'
import { useLive } from '../state/live.ts'
import { route, setParams } from '../state/route.ts'
import { readStorage, writeStorage } from '../state/storage.ts'
import { timeZone } from '../state/time.ts'

const CREATOR_KEY = 'belltower.creator'
const DURATIONS = ['30m', '1h', '2h', '8h', '1d', '1w'] as const
const PREVIEW_MAX = 20
const STATES = ['active', 'pending', 'expired'] as const

export function SilencesPage(): JSX.Element {
  const list = useLive((abort) => silences(abort), [])
  const alerts = useLive((abort) => notifiedAlerts(abort), [])
  const { search } = route.value
  const editId = search.get('edit')
  const edited = editId === null ? undefined : list.data?.find(({ id }) => id === editId)
  const forming = search.has('new') || edited !== undefined
  const state = search.get('state') ?? (search.has('id') ? 'all' : 'active')
  const wantedId = search.get('id')
  const shown = (list.data ?? []).filter(
    (silence) => (wantedId === null || silence.id === wantedId) && (state === 'all' || silence.status.state === state),
  )
  return (
    <Page
      title="Silences"
      tools={
        <>
          <span class="chips" role="group" aria-label="State">
            {STATES.map((name) => (
              <button
                key={name}
                type="button"
                class="chip"
                aria-pressed={state === name}
                onClick={() => setParams({ state: name, id: undefined })}
              >
                {name} <span class="dim">{(list.data ?? []).filter(({ status }) => status.state === name).length}</span>
              </button>
            ))}
          </span>
          {!forming && (
            <button type="button" class="button primary" onClick={() => setParams({ new: '1' })}>
              <Icon name="plus" /> New silence
            </button>
          )}
        </>
      }
    >
      {forming && (
        <SilenceForm
          key={editId ?? search.get('filter') ?? ''}
          edited={edited}
          filter={search.get('filter') ?? ''}
          alerts={alerts.data ?? []}
          onDone={() => {
            setParams({ new: undefined, edit: undefined, filter: undefined, state: undefined })
            list.reload()
            alerts.reload()
          }}
          onCancel={() => setParams({ new: undefined, edit: undefined, filter: undefined })}
        />
      )}
      {shown.length === 0 ? (
        <ListState
          error={list.error}
          loading={list.loading && list.data === undefined}
          empty={`No ${state === 'all' ? '' : state} silences.`}
        />
      ) : (
        shown.map((silence) => (
          <SilenceCard key={silence.id} silence={silence} alerts={alerts.data ?? []} onChanged={list.reload} />
        ))
      )}
    </Page>
  )
}

interface CardProps {
  silence: Silence
  alerts: readonly GettableAlert[]
  onChanged: () => void
}

function SilenceCard({ silence, alerts, onChanged }: CardProps): JSX.Element {
  const [failure, setFailure] = useState<string | undefined>(undefined)
  const [asked, setAsked] = useState(false)
  const { id, status, createdBy, comment, startsAt, endsAt } = silence
  const quiets = alerts.filter((alert) => alert.status.silencedBy.includes(id))
  const expire = () => {
    expireSilence(id).then(
      () => {
        setAsked(false)
        onChanged()
      },
      (thrown: unknown) => setFailure(thrown instanceof Error ? thrown.message : String(thrown)),
    )
  }
  const leftSeconds = (Date.parse(endsAt) - Date.now()) / 1000
  const when =
    status.state === 'active'
      ? `ends in ${formatAge(leftSeconds)}`
      : status.state === 'pending'
        ? `starts in ${formatAge((Date.parse(startsAt) - Date.now()) / 1000)}`
        : `ended ${formatAgo(endsAt)}`
  return (
    <section class="card silence">
      <div class="silence-head">
        <span class={`state-tag state-silence-${status.state}`}>{status.state}</span>
        <Matchers matchers={matchersOf(silence)} />
        <span class="actions">
          <button type="button" class="button small" onClick={() => setParams({ edit: id, new: undefined })}>
            {status.state === 'expired' ? 'Silence again' : 'Edit'}
          </button>
          {status.state !== 'expired' &&
            (asked ? (
              <button type="button" class="button small danger" onClick={expire}>
                End it now?
              </button>
            ) : (
              <button type="button" class="button small" onClick={() => setAsked(true)}>
                Expire
              </button>
            ))}
        </span>
      </div>
      <p class="silence-facts">
        <strong>{comment === '' ? 'No comment' : comment}</strong>
        <span class="dim">
          {` by ${createdBy === '' ? 'unknown' : createdBy}, ${when} (${formatInstant(Date.parse(endsAt), timeZone.value)})`}
        </span>
      </p>
      {failure !== undefined && <p class="row-error">{failure}</p>}
      {status.state === 'active' && (
        <p class={quiets.length === 0 ? 'dim' : ''}>
          {quiets.length === 0
            ? 'Quiets nothing at present.'
            : `Quiets ${quiets.length} ${quiets.length === 1 ? 'alert' : 'alerts'}:`}
        </p>
      )}
      {quiets.slice(0, PREVIEW_MAX).map((alert) => (
        <p key={alert.fingerprint}>
          <Labels labels={alert.labels} />
        </p>
      ))}
    </section>
  )
}

interface FormProps {
  edited: Silence | undefined
  filter: string
  alerts: readonly GettableAlert[]
  onDone: () => void
  onCancel: () => void
}

function SilenceForm({ edited, filter, alerts, onDone, onCancel }: FormProps): JSX.Element {
  const [text, setText] = useState(
    edited === undefined ? filter.replace(/^\{|\}$/g, '') : matchersOf(edited).map(formatAlertMatcher).join(', '),
  )
  const [duration, setDuration] = useState('2h')
  const [createdBy, setCreatedBy] = useState(edited?.createdBy ?? readStorage(CREATOR_KEY) ?? '')
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
    writeStorage(CREATOR_KEY, createdBy)
    const startsAtMs = Date.now()
    saveSilence({
      ...(edited === undefined || edited.status.state === 'expired' ? {} : { id: edited.id }),
      matchers,
      startsAt: new Date(startsAtMs).toISOString(),
      endsAt: new Date(startsAtMs + durationMs!).toISOString(),
      createdBy: createdBy.trim(),
      comment: comment.trim(),
    }).then(onDone, (thrown: unknown) => setFailure(thrown instanceof Error ? thrown.message : String(thrown)))
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
          <label class="field">
            For
            <input
              value={duration}
              spellcheck={false}
              aria-invalid={durationMs === undefined}
              onInput={(event) => setDuration(event.currentTarget.value)}
            />
          </label>
          <span class="chips">
            {DURATIONS.map((span) => (
              <button
                key={span}
                type="button"
                class="chip"
                aria-pressed={duration === span}
                onClick={() => setDuration(span)}
              >
                {span}
              </button>
            ))}
          </span>
        </div>
        <div>
          <label class="field">
            Your name
            <input value={createdBy} autocomplete="name" onInput={(event) => setCreatedBy(event.currentTarget.value)} />
          </label>
          <label class="field">
            Why
            <input
              value={comment}
              placeholder="Disk is being replaced"
              onInput={(event) => setComment(event.currentTarget.value)}
            />
          </label>
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
        <span class="actions">
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={!ready}>
            {edited === undefined ? 'Create silence' : 'Save silence'}
          </button>
        </span>
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

function Matchers({ matchers }: { matchers: readonly AlertMatcher[] }): JSX.Element {
  return (
    <span class="labels">
      {matchers.map((matcher) => (
        <code key={formatAlertMatcher(matcher)} class="label">
          {formatAlertMatcher(matcher)}
        </code>
      ))}
    </span>
  )
}

/** Older servers leave `isEqual` out where it is true. */
function matchersOf({ matchers }: Silence): AlertMatcher[] {
  return matchers.map((matcher) => ({ ...matcher, isEqual: matcher.isEqual !== false }))
}
